"""Data under a model as sufficient statistics: what every evaluation of the criterion reads.

Levels of the grouping factor (tokens, say) that share their rows share their cross-products. A *pattern* is a
sequence of rows of both parts of the model (see `patterns`); a *grid* is a sequence of rows of the random part alone,
and many patterns can share one. Where all tokens have the same time points there is one grid, and the cost of a fit
does not depend on their number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from layerstats.stats.gamm.structured.patterns import Patterns, find_patterns, whitened_patterns

if TYPE_CHECKING:
    from layerstats.stats.gamm.structured.model import Model

# Columns from which on the cross-products of a cluster are added up with those of all others: a square of their own
# would be memory, and saves little.
_WIDE = 64
# In multiplications: what it costs to find and add an element of a square of a matrix, and what a cluster costs by
# itself.
_ELEMENT, _CLUSTER = 200, 5e6


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


def build_system(
    model: Model,
    response: np.ndarray,
    start: np.ndarray,
    correlation: float | np.ndarray = 0.0,
    weights: np.ndarray | None = None,
    patterns: Patterns | None = None,
) -> System:
    """Sum up the data.

    Parameters
    ----------
    model
        Its terms.
    response
        (row,)
    start
        (row,) True where a series begins.
    correlation
        Of the residuals of a row and the row before: one number, or (row,).
    weights
        (row,) prior weights.
    patterns
        As `find_patterns` returns them, where they are known.
    """
    offset = float(response.mean()) if model.parametric.has_intercept else 0.0
    root = None if weights is None else np.sqrt(weights)
    patterns = find_patterns(model, start, root, correlation) if patterns is None else patterns
    outer = model.dense_count + sum(term.functions for term in model.outer)
    summary = _Sums(outer, model.width - outer, max(model.level_count, 1))
    for rows in whitened_patterns(model, response - offset, start, correlation, root, patterns):
        summary.add(rows.columns, rows.outer, rows.block, rows.responses, rows.pattern.levels)
    return summary.system(len(response), offset)


class _ClusterSums:
    """Adds up the patterns that touch the same columns."""

    def __init__(self, columns: np.ndarray) -> None:
        self.columns = columns
        size = 0 if len(columns) > _WIDE else len(columns)
        self.gram, self.response = np.zeros((size, size)), np.zeros(len(columns))
        self.members: list[tuple[int, list[int], np.ndarray, np.ndarray]] = []


class _Sums:
    """Adds up patterns."""

    def __init__(self, columns: int, functions: int, levels: int) -> None:
        self.columns = columns
        self.gram = np.zeros((columns, columns))
        self.response_square = 0.0
        self.grids: dict[bytes, int] = {}
        self.block_gram: list[np.ndarray] = []
        self.block_count: list[int] = []
        self.block_response_square: list[np.ndarray] = []
        self.clusters: dict[bytes, _ClusterSums] = {}
        self.level_response = np.zeros((levels, functions))
        self.level_pattern = np.full((levels, 2), -1)

    def add(
        self, columns: np.ndarray, dense: np.ndarray, block: np.ndarray, responses: np.ndarray, levels: list[int]
    ) -> None:
        """Add a pattern: its whitened rows, in the `columns` of the dense corner that it touches, and responses.

        Those are (row, level) for the levels that have the pattern.
        """
        count = len(levels)
        key = columns.tobytes()
        if key not in self.clusters:
            self.clusters[key] = _ClusterSums(columns)
        cluster = self.clusters[key]
        if len(cluster.gram) == len(columns):
            cluster.gram += count * (dense.T @ dense)
        elif len(columns) == self.columns:
            self.gram += count * (dense.T @ dense)
        else:
            self.gram[np.ix_(columns, columns)] += count * (dense.T @ dense)
        cluster.response += dense.T @ responses.sum(axis=1)
        self.response_square += float(np.vdot(responses, responses))
        if block.shape[1] == 0:
            return
        cross = responses.T @ block
        self.level_response[levels] = cross
        key = block.tobytes()
        if key not in self.grids:
            self.grids[key] = len(self.grids)
            self.block_gram.append(block.T @ block)
            self.block_count.append(0)
            self.block_response_square.append(np.zeros((block.shape[1], block.shape[1])))
        grid = self.grids[key]
        self.block_count[grid] += count
        self.block_response_square[grid] += cross.T @ cross
        mixed = block.T @ dense * np.sqrt(count)
        cluster.members.append((grid, levels, mixed, cross.sum(axis=0) / np.sqrt(count)))

    def system(self, observations: int, offset: float) -> System:
        """Return the sums."""
        functions = self.level_response.shape[1]
        squares = (len(self.grids), functions, functions)
        gram, response = self.gram, np.zeros(self.columns)
        for cluster in self.clusters.values():
            if len(cluster.gram) == len(cluster.columns):
                gram[np.ix_(cluster.columns, cluster.columns)] += cluster.gram
            response[cluster.columns] += cluster.response
        return System(
            dense_gram=gram,
            dense_response=response,
            response_square=self.response_square,
            observations=observations,
            block_gram=np.array(self.block_gram).reshape(squares),
            block_count=np.array(self.block_count, dtype=float),
            block_response_square=np.array(self.block_response_square).reshape(squares),
            clusters=tuple(self._joined()),
            level_response=self.level_response,
            level_pattern=self.level_pattern,
            offset=offset,
        )

    def _joined(self) -> list[Cluster]:
        """Return the clusters, of which those that touch nearly the same columns are one."""
        functions = self.level_response.shape[1]
        found = [cluster for cluster in self.clusters.values() if cluster.members]
        groups: list[tuple[np.ndarray, list[_ClusterSums]]] = []
        before = 0
        for cluster in sorted(found, key=lambda one: (len(one.columns), one.columns.tolist())):
            own = len(cluster.members) * functions
            if groups:
                columns, members = groups[-1]
                union = np.union1d(columns, cluster.columns)
                apart = _cost(before, len(columns)) + _cost(own, len(cluster.columns))
                if _cost(before + own, len(union)) < apart:
                    members.append(cluster)
                    groups[-1] = union, members
                    before += own
                    continue
            groups.append((cluster.columns, [cluster]))
            before = own
        return [self._cluster(number, *group) for number, group in enumerate(groups)]

    def _cluster(self, number: int, columns: np.ndarray, members: list[_ClusterSums]) -> Cluster:
        patterns = sum(len(one.members) for one in members)
        mixed = np.zeros((patterns, self.level_response.shape[1], len(columns)))
        grid, response = np.empty(patterns, dtype=np.int64), np.empty(mixed.shape[:2])
        place = 0
        for cluster in members:
            own = np.searchsorted(columns, cluster.columns)
            for of_pattern, levels, block, total in cluster.members:
                grid[place], response[place] = of_pattern, total
                mixed[place][:, own] = block
                self.level_pattern[levels] = number, place
                place += 1
            cluster.members.clear()
        return Cluster(columns=columns, grid=grid, mixed=mixed, response=response)


def _cost(rows: int, columns: int) -> float:
    """Return what one evaluation of the criterion costs for a cluster, in multiplications."""
    return _CLUSTER + columns**2 * (_ELEMENT + 2.0 * rows)
