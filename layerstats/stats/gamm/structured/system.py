"""Data under a model as sufficient statistics: what every evaluation of the criterion reads.

Levels of the grouping factor (tokens, say) that share their rows share their cross-products. A *pattern* is a
sequence of rows of both parts of the model (see `patterns`); a *grid* is a sequence of rows of the random part alone,
and many patterns can share one. Where all tokens have the same time points there is one grid, and the cost of a fit
does not depend on their number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Cluster:
    """Patterns that touch the same columns of the dense corner, or nearly so: sums over them skip the rest.

    Attributes
    ----------
    columns
        (column,) those that are not zero in one of them.
    grid
        (pattern,) the grid of each pattern.
    mixed
        (pattern, function, column) Z'X of the pattern times the root of the number of its levels.
    response
        (pattern, function) the sum of Z'y over its levels, divided by that root.
    """

    columns: np.ndarray
    grid: np.ndarray
    mixed: np.ndarray
    response: np.ndarray

    @property
    def block(self) -> tuple[np.ndarray, ...]:
        """Index of the cluster's square in a matrix of the dense corner."""
        return np.ix_(self.columns, self.columns)

    def square_of(self, matrix: np.ndarray) -> np.ndarray:
        """Return the part of a matrix of the dense corner for the columns of the cluster."""
        # Twice along one axis takes half of the time of both at once.
        return matrix if len(self.columns) == len(matrix) else matrix.take(self.columns, 0).take(self.columns, 1)

    def add_to(self, matrix: np.ndarray, part: np.ndarray) -> None:
        """Add what belongs to the columns of the cluster to a matrix of the dense corner."""
        if len(self.columns) == len(matrix):
            matrix += part
        else:
            rows = matrix[self.columns]
            rows[:, self.columns] += part
            matrix[self.columns] = rows

    @cached_property
    def _order(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The patterns in the order of their grids, where each grid begins, and which it is."""
        order = np.argsort(self.grid, kind="stable")
        grids, begin = np.unique(self.grid[order], return_index=True)
        return order, begin, grids

    def add_by_grid(self, total: np.ndarray, parts: np.ndarray) -> None:
        """Add the part of each pattern, (pattern, ...), to the total of its grid, (grid, ...)."""
        order, begin, grids = self._order
        total[grids] += np.add.reduceat(parts[order], begin, axis=0)


@dataclass(frozen=True, eq=False)
class System:
    """Cross-products of the whitened rows; X is the dense corner, Z the random part, y the response.

    Attributes
    ----------
    dense_gram
        (column, column) X'X.
    dense_response
        (column,) X'y.
    response_square
        y'y.
    observations
        Number of rows.
    block_gram
        (grid, function, function) Z'Z.
    block_count
        (grid,) levels that have the grid.
    block_response_square
        (grid, function, function) the sum over these levels of Z'y y'Z.
    clusters
        The patterns.
    level_response
        (level, function) Z'y of each level.
    level_pattern
        (level, 2) cluster and position in it; -1 for levels without rows.
    offset
        What was subtracted from the response; it belongs to the intercept.
    """

    dense_gram: np.ndarray
    dense_response: np.ndarray
    response_square: float
    observations: int
    block_gram: np.ndarray
    block_count: np.ndarray
    block_response_square: np.ndarray
    clusters: tuple[Cluster, ...]
    level_response: np.ndarray
    level_pattern: np.ndarray
    offset: float

    @property
    def functions(self) -> int:
        """The number of columns of a random block."""
        return self.block_gram.shape[1]

    def with_columns(self, kept: np.ndarray) -> System:
        """Return the sums of some columns of the dense corner."""
        clusters = []
        for cluster in self.clusters:
            own = np.isin(cluster.columns, kept)
            columns = np.searchsorted(kept, cluster.columns[own])
            clusters.append(replace(cluster, columns=columns, mixed=np.ascontiguousarray(cluster.mixed[:, :, own])))
        return replace(
            self,
            dense_gram=self.dense_gram[np.ix_(kept, kept)],
            dense_response=self.dense_response[kept],
            clusters=tuple(clusters),
        )
