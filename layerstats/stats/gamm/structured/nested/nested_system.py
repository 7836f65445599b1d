"""Data under a model with nested blocks as sufficient statistics.

Blocks share cross-products by pattern, as in `structured.system`; their columns of the group's terms belong to the
pattern, since which group it is does not show in them. Groups that hold the same patterns equally often are of one
*kind*.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.nested.arrow import Arrow
from layerstats.stats.gamm.structured.row_patterns import PatternRows, Patterns, find_patterns, whitened_patterns

# Patterns that are worked on at once.
_PIECE = 1024


@dataclass(frozen=True, eq=False)
class NestedCluster:
    """Patterns that touch the same columns.

    Attributes
    ----------
    columns
        (column,) those of the dense corner that are not zero.
    functions
        (function,) those of a group.
    grid
        (pattern,) the grid of each pattern.
    mixed
        (pattern, block function, column and group function) Z'[X, U].
    members
        (kind, pattern) how many blocks of a group of each kind have the pattern.
    count
        (pattern,) how many of all blocks.
    levels
        (level,) the blocks.
    place
        (level,) the pattern of each.
    """

    columns: np.ndarray
    functions: np.ndarray
    grid: np.ndarray
    mixed: np.ndarray
    members: csr_array
    count: np.ndarray
    levels: np.ndarray
    place: np.ndarray


@dataclass(frozen=True, eq=False)
class NestedSystem:
    """Cross-products of the whitened rows: X dense corner, U terms of a group, Z those of a block, y response.

    Attributes
    ----------
    dense_gram, dense_response, response_square, observations, block_gram, block_count, level_response, offset
        As in `System`.
    group_gram, group_mixed
        (kind, function, function) and (kind, function, column) U'U and U'X of a group.
    group_response
        (group, function) U'y.
    kind_count
        (kind,) groups of each kind.
    group_kind
        (group,) the kind of each; -1 for groups without rows.
    level_group
        (level,) the group of each block; 0 for blocks without rows.
    clusters
        The patterns.
    """

    dense_gram: np.ndarray
    dense_response: np.ndarray
    response_square: float
    observations: int
    block_gram: np.ndarray
    block_count: np.ndarray
    level_response: np.ndarray
    offset: float
    group_gram: np.ndarray
    group_mixed: np.ndarray
    group_response: np.ndarray
    kind_count: np.ndarray
    group_kind: np.ndarray
    level_group: np.ndarray
    clusters: tuple[NestedCluster, ...]

    @cached_property
    def used(self) -> np.ndarray:
        """(group,) those with data."""
        return np.flatnonzero(self.group_kind >= 0)

    def collect(self, left: list[np.ndarray], right: list[np.ndarray]) -> Arrow:
        """Return the sum over blocks of left'right, each (pattern, row, column and group function) by cluster."""
        kinds, functions, columns = self.group_mixed.shape
        total = Arrow.zeros(kinds, functions, columns)
        for cluster, first, second in zip(self.clusters, left, right, strict=True):
            wide = len(cluster.columns)
            own, inner = np.ix_(cluster.columns, cluster.columns), cluster.functions
            for begin in range(0, len(first), _PIECE):
                piece = slice(begin, begin + _PIECE)
                part = first[piece].transpose(0, 2, 1) @ second[piece]
                total.corner[own] += np.tensordot(cluster.count[piece], part[:, :wide, :wide], 1)
                members, kind = _compressed(cluster.members[:, piece])
                rows = np.ascontiguousarray(part[:, wide:])
                summed = (members @ rows.reshape(len(rows), -1)).reshape(-1, *rows.shape[1:])
                total.border[np.ix_(kind, inner, cluster.columns)] += summed[:, :, :wide]
                total.block[np.ix_(kind, inner, inner)] += summed[:, :, wide:]
        return total

    def spread(self, weights: list[np.ndarray], matrix: Arrow) -> np.ndarray:
        """Return the sum over blocks of W M W' by grid, (grid, block function, block function).

        M has the dense corner of `matrix` and, for the group of the block, its border and block.
        """
        total = np.zeros_like(self.block_gram)
        for cluster, weight in zip(self.clusters, weights, strict=True):
            wide = len(cluster.columns)
            size = wide + len(cluster.functions)
            for begin in range(0, len(weight), _PIECE):
                piece = slice(begin, begin + _PIECE)
                members, kind = _compressed(cluster.members[:, piece])
                square = np.zeros((len(kind), size, size))
                square[:, :wide, :wide] = matrix.corner[np.ix_(cluster.columns, cluster.columns)]
                square[:, wide:, :wide] = matrix.border[np.ix_(kind, cluster.functions, cluster.columns)]
                square[:, :wide, wide:] = square[:, wide:, :wide].transpose(0, 2, 1)
                square[:, wide:, wide:] = matrix.block[np.ix_(kind, cluster.functions, cluster.functions)]
                # The count of groups belongs to the sum over kinds.
                scaled = members.T.multiply(self.kind_count[kind][None, :]).tocsr()
                summed = (scaled @ square.reshape(len(kind), -1)).reshape(-1, size, size)
                part = weight[piece] @ summed @ weight[piece].transpose(0, 2, 1)
                np.add.at(total, cluster.grid[piece], part)
        return total


def _compressed(members: csr_array) -> tuple[csr_array, np.ndarray]:
    """Return the kinds that occur, and their rows."""
    kind = np.flatnonzero(np.diff(members.indptr))
    return members[kind], kind


def build_nested_system(
    model: Model,
    response: np.ndarray,
    start: np.ndarray,
    correlation: float | np.ndarray = 0.0,
    weights: np.ndarray | None = None,
    patterns: Patterns | None = None,
) -> NestedSystem:
    """Sum up the data; parameters as for `build_system`."""
    offset = float(response.mean()) if model.parametric.has_intercept else 0.0
    root = None if weights is None else np.sqrt(weights)
    patterns = find_patterns(model, start, root, correlation) if patterns is None else patterns
    functions = patterns.columns.outer - model.dense_count
    sums = _Sums(model, model.dense_count, functions, patterns.found, model.group[patterns.order])
    white = whitened_patterns(model, response - offset, start, correlation, root, patterns)
    for number, rows in enumerate(white):
        sums.add(number, rows.columns, rows.outer, rows.block, rows.responses)
    return sums.system(len(response), offset)


class _Sums:
    """Adds up patterns."""

    def __init__(
        self, model: Model, columns: int, functions: int, patterns: list[PatternRows], group: np.ndarray
    ) -> None:
        self.columns, self.patterns = columns, patterns
        self.level_pattern = np.full(model.level_count, -1)
        self.level_group = np.zeros(model.level_count, dtype=np.int64)
        for number, pattern in enumerate(patterns):
            self.level_pattern[pattern.levels] = number
            self.level_group[pattern.levels] = [group[stretch.start] for stretch in pattern.stretches]
        self.group_kind, self.members = _kinds(self.level_pattern, self.level_group, model.group_count, len(patterns))
        kinds = int(self.group_kind.max(initial=-1)) + 1
        self.by_pattern = self.members.tocsc()
        self.dense_gram, self.dense_response = np.zeros((columns, columns)), np.zeros(columns)
        self.response_square = 0.0
        self.group_gram = np.zeros((kinds, functions, functions))
        self.group_mixed = np.zeros((kinds, functions, columns))
        self.group_response = np.zeros((model.group_count, functions))
        self.level_response = np.zeros((model.level_count, sum(term.functions for term in model.blocks)))
        self.grids: dict[bytes, int] = {}
        self.block_gram: list[np.ndarray] = []
        self.block_count: list[int] = []
        self.clusters: dict[bytes, tuple[np.ndarray, list[tuple[int, int, np.ndarray]]]] = {}

    def add(
        self, number: int, touched: np.ndarray, outer: np.ndarray, block: np.ndarray, responses: np.ndarray
    ) -> None:
        """Add a pattern: whitened rows in the `touched` columns of dense corner and group, and (row, level) data."""
        levels = self.patterns[number].levels
        count, wide = len(levels), int(np.sum(touched < self.columns))
        columns, functions = touched[:wide], touched[wide:] - self.columns
        gram, cross = outer.T @ outer, outer.T @ responses
        self.dense_gram[np.ix_(columns, columns)] += count * gram[:wide, :wide]
        self.dense_response[columns] += cross[:wide].sum(axis=1)
        self.response_square += float(np.sum(responses**2))
        held = slice(self.by_pattern.indptr[number], self.by_pattern.indptr[number + 1])
        kinds, times = self.by_pattern.indices[held], self.by_pattern.data[held][:, None, None]
        self.group_gram[np.ix_(kinds, functions, functions)] += times * gram[wide:, wide:]
        self.group_mixed[np.ix_(kinds, functions, columns)] += times * gram[wide:, :wide]
        np.add.at(self.group_response, (self.level_group[levels][:, None], functions[None, :]), cross[wide:].T)
        self.level_response[levels] = responses.T @ block
        key = block.tobytes()
        if key not in self.grids:
            self.grids[key] = len(self.grids)
            self.block_gram.append(block.T @ block)
            self.block_count.append(0)
        self.block_count[self.grids[key]] += count
        self.clusters.setdefault(touched.tobytes(), (touched, []))[1].append((number, self.grids[key], block.T @ outer))

    def system(self, observations: int, offset: float) -> NestedSystem:
        """Return the sums."""
        kind_count = np.bincount(self.group_kind[self.group_kind >= 0], minlength=len(self.group_gram)).astype(float)
        return NestedSystem(
            dense_gram=self.dense_gram,
            dense_response=self.dense_response,
            response_square=self.response_square,
            observations=observations,
            block_gram=np.array(self.block_gram),
            block_count=np.array(self.block_count, dtype=float),
            level_response=self.level_response,
            offset=offset,
            group_gram=self.group_gram,
            group_mixed=self.group_mixed,
            group_response=self.group_response,
            kind_count=kind_count,
            group_kind=self.group_kind,
            level_group=self.level_group,
            clusters=tuple(self._cluster(touched, found) for touched, found in self.clusters.values()),
        )

    def _cluster(self, touched: np.ndarray, found: list[tuple[int, int, np.ndarray]]) -> NestedCluster:
        numbers = np.array([number for number, _, _ in found])
        position = np.full(len(self.patterns), -1)
        position[numbers] = np.arange(len(numbers))
        levels = np.flatnonzero((self.level_pattern >= 0) & (position[self.level_pattern] >= 0))
        wide = int(np.sum(touched < self.columns))
        return NestedCluster(
            columns=touched[:wide],
            functions=touched[wide:] - self.columns,
            grid=np.array([grid for _, grid, _ in found]),
            mixed=np.stack([mixed for _, _, mixed in found]),
            members=csr_array(self.by_pattern[:, numbers]),
            count=np.array([len(self.patterns[number].levels) for number in numbers], dtype=float),
            levels=levels,
            place=position[self.level_pattern[levels]],
        )


def _kinds(
    level_pattern: np.ndarray, level_group: np.ndarray, groups: int, patterns: int
) -> tuple[np.ndarray, csr_array]:
    """Return the kind of each group, and how often a group of each kind has each pattern, (kind, pattern)."""
    used = np.flatnonzero(level_pattern >= 0)
    order = used[np.lexsort((level_pattern[used], level_group[used]))]
    ends = np.searchsorted(level_group[order], np.arange(groups + 1))
    kinds: dict[bytes, int] = {}
    group_kind, rows, columns, counts = np.full(groups, -1), [], [], []
    for group in range(groups):
        held = level_pattern[order[ends[group] : ends[group + 1]]]
        if not len(held):
            continue
        key = held.tobytes()
        if key not in kinds:
            kinds[key] = len(kinds)
            different, times = np.unique(held, return_counts=True)
            rows += [kinds[key]] * len(different)
            columns += different.tolist()
            counts += times.tolist()
        group_kind[group] = kinds[key]
    return group_kind, csr_array((np.array(counts, dtype=float), (rows, columns)), shape=(len(kinds), patterns))
