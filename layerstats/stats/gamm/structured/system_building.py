"""Sum up the rows of data under a model, pattern by pattern."""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.row_patterns import Patterns, find_patterns, whitened_patterns
from layerstats.stats.gamm.structured.system import Cluster, System

# Columns from which on the cross-products of a cluster are added up with those of all others: a square of their own
# would be memory, and saves little.
_WIDE = 64
# In multiplications: what it costs to find and add an element of a square of a matrix, and what a cluster costs by
# itself.
_ELEMENT, _CLUSTER = 200, 5e6


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
