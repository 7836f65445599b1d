"""Terms: what the rest of the engine knows of a smooth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

Columns = Callable[[pd.DataFrame], np.ndarray]


@dataclass(frozen=True, eq=False)
class DenseTerm:
    """A smooth whose columns stand in the dense corner.

    Attributes
    ----------
    label
        As mgcv labels it.
    columns
        Takes coded rows to (row, coefficient).
    penalties
        Each (coefficient,): a diagonal; they may overlap.
    scales
        What each penalty was multiplied by; a smoothing parameter times its scale does not depend on coordinates.
    random
        Whether it is an effect of random levels (``bs="re"``), which other tests then take as part of the noise.
    restricted_offset, full_offset, shear
        How likelihoods differ from those in mgcv's coefficients; see `Coordinates`. None where they do not.
    transform
        (mgcv's coefficient, coefficient); None where they are the same.
    smoothing_id
        Terms with the same have the same smoothing parameters; None where they are its own.
    aliased
        The number of unpenalised coefficients that were left out, since the data cannot tell them from others.
    roots
        (axis, coefficient) where no coordinates make all penalties diagonal: a penalty is then the sum of squares along
        axes, and `penalties` are diagonals over the axes. None where the axes are the coefficients.
    arbitrary
        Whether mgcv may have deleted other columns, of several that tie, where a smaller smooth is in this one.
    """

    label: str
    columns: Columns
    penalties: tuple[np.ndarray, ...]
    scales: tuple[float, ...]
    random: bool = False
    restricted_offset: float = 0.0
    full_offset: float = 0.0
    shear: np.ndarray | None = None
    transform: np.ndarray | None = None
    smoothing_id: str | None = None
    aliased: int = 0
    roots: np.ndarray | None = None
    arbitrary: bool = False

    @property
    def size(self) -> int:
        """The number of coefficients."""
        return len(self.penalties[0]) if self.roots is None else self.roots.shape[1]

    @property
    def penalised(self) -> np.ndarray:
        """(coefficient,) whether any penalty sees it."""
        return np.any(np.stack(self.penalties) > 0 if self.roots is None else self.roots != 0, axis=0)

    @property
    def written(self) -> np.ndarray:
        """(coefficient, mgcv's coefficient), takes mgcv's coefficients to these; one to one where they are the same."""
        return np.eye(self.size) if self.transform is None else np.linalg.inv(self.transform)

    def penalty_matrices(self) -> list[np.ndarray]:
        """Return the penalties written out, (coefficient, coefficient) each."""
        if self.roots is None:
            return [np.diag(diagonal) for diagonal in self.penalties]
        return [(self.roots.T * diagonal) @ self.roots for diagonal in self.penalties]

    @property
    def null_dimension(self) -> int:
        """Number of coefficients that no penalty sees, with those that were left out."""
        return int(np.sum(~self.penalised)) + self.aliased


@dataclass(frozen=True, eq=False)
class GroupedTerm:
    """A random term: the same basis with coefficients of its own for every level of a grouping factor.

    Attributes
    ----------
    label
        As mgcv labels it.
    factor
        The columns whose combinations are the levels; none for one level that holds all rows.
    levels
        The number of levels of each of these columns.
    basis
        Takes coded rows to (row, function).
    penalties
        Each (function,): the diagonal of a penalty on the coefficients of one level. They do not overlap, and together
        they penalise every function.
    scales
        As for `DenseTerm`.
    random
        As for `DenseTerm`.
    """

    label: str
    factor: tuple[str, ...]
    levels: tuple[int, ...]
    basis: Columns
    penalties: tuple[np.ndarray, ...]
    scales: tuple[float, ...]
    random: bool

    @property
    def functions(self) -> int:
        """The number of coefficients of one level."""
        return len(self.penalties[0])

    @property
    def level_count(self) -> int:
        """The number of levels, whether or not the data have rows for each."""
        return int(np.prod(self.levels, dtype=int))

    @property
    def size(self) -> int:
        """The number of coefficients."""
        return self.functions * self.level_count

    def level_of(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the level of each row; the first column varies fastest."""
        level = np.zeros(len(frame), dtype=np.int64)
        for column, number in zip(reversed(self.factor), reversed(self.levels), strict=True):
            level = level * number + frame[column].cat.codes.to_numpy()
        return level

    def as_dense(self) -> DenseTerm:
        """Return the same term with its columns written out, level by level."""
        penalties = tuple(np.tile(diagonal, self.level_count) for diagonal in self.penalties)
        return DenseTerm(self.label, self._written_out, penalties, self.scales, random=self.random)

    def _written_out(self, frame: pd.DataFrame) -> np.ndarray:
        matrix = np.zeros((len(frame), self.level_count, self.functions))
        matrix[np.arange(len(frame)), self.level_of(frame)] = self.basis(frame)
        return matrix.reshape(len(frame), self.size)
