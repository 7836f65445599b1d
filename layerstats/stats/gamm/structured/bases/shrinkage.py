"""Bases whose penalty sees their null space a little too, so that a smooth can be shrunk to zero (``ts``, ``cs``)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.bases.basis import Basis
from layerstats.stats.gamm.structured.bases.null_space import along_first_coordinates

# Of the smallest eigenvalue of the penalty, what a function of the null space gets.
_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class ShrinkageBasis:
    """A basis with a penalty of full rank (Marra & Wood 2011, Comput. Stat. Data Anal. 55, 2372-2387).

    Attributes
    ----------
    functions
        The basis without shrinkage.
    penalty
        (coefficient, coefficient)
    """

    functions: Basis
    penalty: np.ndarray

    @classmethod
    def build(cls, functions: Basis, shares: tuple[float, ...]) -> ShrinkageBasis:
        """Add to the penalty of `functions` a penalty on its null space.

        Parameters
        ----------
        shares
            The eigenvalue of each function of the null space, along the first coordinates; relative to the smallest of
            the rest.

        Examples
        --------
        >>> from layerstats.stats.gamm.structured.bases.cubic import CubicBasis
        >>> from layerstats.stats.gamm.structured.bases.basis import Values
        >>> basis = ShrinkageBasis.build(CubicBasis.build(Values.of(np.arange(9.0)), 5), (0.1, 0.01))
        >>> int(np.linalg.matrix_rank(basis.penalty))
        5
        """
        eigenvalues, vectors = np.linalg.eigh(functions.penalty)
        null = along_first_coordinates(vectors[:, : len(shares)])
        added = (null * (eigenvalues[len(shares)] * np.array(shares))) @ null.T
        return cls(functions, functions.penalty + added)

    @property
    def null_dimension(self) -> int:
        """Nothing is left unpenalised."""
        return 0

    def rows(self, values: np.ndarray) -> np.ndarray:
        """Return the basis functions at `values`, (value, coefficient)."""
        return self.functions.rows(values)


def shrunken_thin_plate(functions: Basis) -> ShrinkageBasis:
    """Return ``bs = "ts"``: all functions of the null space get the same."""
    return ShrinkageBasis.build(functions, (_SHARE,) * functions.null_dimension)


def shrunken_cubic(functions: Basis) -> ShrinkageBasis:
    """Return ``bs = "cs"``: the second function of the null space gets a tenth of the first.

    In mgcv rounding errors decide which is the second; here the first is along the first coordinate.
    """
    return ShrinkageBasis.build(functions, (_SHARE, _SHARE**2))
