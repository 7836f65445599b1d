"""What happens to a basis before it enters a model: the scale of its penalties, and its centring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Relative; functions that vary equally but for rounding errors tie.
_TIE = 1e-9


def penalty_scales(functions: np.ndarray, penalties: Sequence[np.ndarray]) -> tuple[float, ...]:
    """Return what brings penalties to the magnitude of the basis, so that smoothing parameters are of moderate size.

    Parameters
    ----------
    functions
        (row, coefficient) the basis in the rows of the data.
    penalties
        Each (coefficient, coefficient).
    """
    magnitude = np.abs(functions).sum(axis=1).max() ** 2
    return tuple(float(magnitude / np.abs(penalty).sum(axis=0).max()) for penalty in penalties)


class Centring:
    """Makes a basis sum to zero over the rows of the data: one function is dropped, the others are centred.

    The function dropped is the one that varies least, the first of them, so that a basis with a constant loses just
    that. On symmetric grids two may tie, and "ML" depends on which is dropped; in mgcv rounding errors decide.

    Parameters
    ----------
    functions
        (row, coefficient)
    counts
        (row,) how many rows of the data each stands for.
    """

    def __init__(self, functions: np.ndarray, counts: np.ndarray) -> None:
        mean = counts @ functions / counts.sum()
        variation = counts @ (functions - mean) ** 2
        dropped = np.flatnonzero(variation <= variation.min() + _TIE * variation.max())[0]
        self.kept = np.delete(np.arange(functions.shape[1]), dropped)
        self.mean = mean[self.kept]

    def functions(self, functions: np.ndarray) -> np.ndarray:
        """Return the constrained basis, (row, coefficient)."""
        return functions[:, self.kept] - self.mean

    def penalty(self, penalty: np.ndarray) -> np.ndarray:
        """Return the penalty of the constrained basis."""
        return penalty[np.ix_(self.kept, self.kept)]
