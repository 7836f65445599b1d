"""Data under a model as sufficient statistics: what every evaluation of the criterion reads.

Levels of the grouping factor (tokens, say) that share their rows share their cross-products. A *pattern* is a
sequence of rows of both parts of the model; a *grid* is a sequence of rows of the random part alone, and many
patterns can share one. Where all tokens have the same time points there is one grid, and the cost of a fit does not
depend on their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from layerstats.stats.gamm.structured.whitening import whiten

if TYPE_CHECKING:
    from layerstats.stats.gamm.structured.model import Model

# Without random blocks the rows are summed in pieces of this size.
_PIECE = 4096
# Of the whitened rows of several patterns at once: half a megabyte.
_PIECE_VALUES = 60_000


@dataclass(frozen=True, eq=False)
class Cluster:
    """Patterns that touch the same columns of the dense corner, so that sums over them skip the rest.

    Attributes
    ----------
    columns
        (column,) those that are not zero.
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


@dataclass
class PatternRows:
    """A pattern while it is collected: its cross-products and the levels that have it."""

    levels: list[int]
    stretches: list[slice]


@dataclass(frozen=True, eq=False)
class WhiteRows:
    """The whitened rows of a pattern.

    Attributes
    ----------
    pattern
        The pattern.
    columns
        (column,) what it touches outside of the blocks.
    outer, block
        (row, column) in these columns, and in those of a block.
    responses
        (row, level) of each level that has the pattern.
    """

    pattern: PatternRows
    columns: np.ndarray
    outer: np.ndarray
    block: np.ndarray
    responses: np.ndarray


@dataclass(frozen=True, eq=False)
class Patterns:
    """The patterns of a model, which are the same for every AR(1) parameter.

    Attributes
    ----------
    order
        (row,) what brings the rows of each level together.
    found
        The patterns, in that order.
    outer, block
        (unique row, column) what stands outside of the blocks, and the columns of a block.
    """

    order: np.ndarray
    found: list[PatternRows]
    outer: np.ndarray
    block: np.ndarray


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
    summary = _Sums(patterns.outer.shape[1], patterns.block.shape[1], max(model.level_count, 1))
    for rows in whitened_patterns(model, response - offset, start, correlation, root, patterns):
        summary.add(rows.columns, rows.outer, rows.block, rows.responses, rows.pattern.levels)
    return summary.system(len(response), offset)


def whitened_patterns(
    model: Model,
    response: np.ndarray,
    start: np.ndarray,
    correlation: float | np.ndarray,
    root: np.ndarray | None,
    patterns: Patterns,
) -> Iterator[WhiteRows]:
    """Yield the whitened rows of each pattern.

    Parameters
    ----------
    model, start, correlation
        As for `build_system`.
    response
        (row,) less the offset.
    root
        (row,) root of the prior weights.
    patterns
        As `find_patterns` returns them.
    """
    order, found = patterns.order, patterns.found
    place, start, response = model.rows.place[order], start[order].copy(), response[order]
    correlation = correlation[order] if isinstance(correlation, np.ndarray) else correlation
    if root is not None:
        root = root[order]
        response = response * root
    # The rows of a level are whitened among themselves, wherever its series begin.
    start[[stretch.start for pattern in found for stretch in pattern.stretches]] = True
    response = whiten(response, correlation, start)
    touched, both = patterns.outer != 0, np.hstack([patterns.outer, patterns.block])
    for several in _pieces_of(found, max(_PIECE_VALUES // both.shape[1], 1)):
        stretches = [pattern.stretches[0] for pattern in several]
        taken = np.concatenate([np.arange(stretch.start, stretch.stop) for stretch in stretches])
        ends = np.cumsum([stretch.stop - stretch.start for stretch in stretches])
        rows = both[place[taken]]
        if root is not None:
            rows *= root[taken][:, None]
        # One whitening for many patterns: most of its time is not arithmetic.
        white = whiten(rows, correlation[taken] if isinstance(correlation, np.ndarray) else correlation, start[taken])
        begins = np.append(0, ends[:-1])
        columns = np.logical_or.reduceat(touched[place[taken]], begins, axis=0)
        for number, (pattern, begin, end) in enumerate(zip(several, begins, ends, strict=True)):
            own = np.flatnonzero(columns[number])
            responses = np.column_stack([response[stretch] for stretch in pattern.stretches])
            block = white[begin:end, touched.shape[1] :]
            yield WhiteRows(pattern, own, white[begin:end, own], block, responses)


def _pieces_of(patterns: list[PatternRows], most: int) -> Iterator[list[PatternRows]]:
    """Yield consecutive patterns that have together at most so many rows, or one that has more."""
    piece, rows = [], 0
    for pattern in patterns:
        size = pattern.stretches[0].stop - pattern.stretches[0].start
        if piece and rows + size > most:
            yield piece
            piece, rows = [], 0
        piece.append(pattern)
        rows += size
    if piece:
        yield piece


def find_patterns(
    model: Model, start: np.ndarray, root: np.ndarray | None, correlation: float | np.ndarray
) -> Patterns:
    """Return the patterns of a model: which levels share their rows.

    They are the same for every AR(1) parameter but 0: a power of it tells gaps apart.
    """
    if model.level_count:
        order = np.argsort(model.level, kind="stable")
        level = model.level[order]
        ends = np.flatnonzero(np.append(level[1:] != level[:-1], True)) + 1
    else:
        order = np.arange(len(start))
        level = np.zeros(len(start), dtype=np.int64)
        ends = _pieces(start)
    place, start = model.rows.place[order], start[order]
    found: dict[tuple[bytes, ...], PatternRows] = {}
    begin = 0
    for end in ends:
        stretch = slice(begin, int(end))
        key = (place[stretch].tobytes(), start[stretch].tobytes())
        for values in (root, correlation):
            if isinstance(values, np.ndarray):
                key = (*key, values[order[stretch]].tobytes())
        pattern = found.setdefault(key, PatternRows([], []))
        pattern.levels.append(int(level[begin]))
        pattern.stretches.append(stretch)
        begin = int(end)
    rows = model.rows.frame
    outer = np.hstack([model.dense_columns(rows), model.outer_columns(rows)])
    return Patterns(order, list(found.values()), outer, model.block_columns(rows))


def _pieces(start: np.ndarray) -> np.ndarray:
    """Return the ends of pieces that hold whole series."""
    ends = np.append(np.flatnonzero(start[1:]) + 1, len(start))
    kept = np.append(ends[1:] // _PIECE != ends[:-1] // _PIECE, True)
    return ends[kept]


class _ClusterSums:
    """Adds up the patterns that touch the same columns."""

    def __init__(self, number: int, columns: np.ndarray) -> None:
        self.number, self.columns = number, columns
        self.gram, self.response = np.zeros((len(columns), len(columns))), np.zeros(len(columns))
        self.members: list[tuple[int, np.ndarray, np.ndarray]] = []


class _Sums:
    """Adds up patterns."""

    def __init__(self, columns: int, functions: int, levels: int) -> None:
        self.columns = columns
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
            self.clusters[key] = _ClusterSums(len(self.clusters), columns)
        cluster = self.clusters[key]
        cluster.gram += count * (dense.T @ dense)
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
        self.level_pattern[levels] = cluster.number, len(cluster.members)
        cluster.members.append((grid, block.T @ dense * np.sqrt(count), cross.sum(axis=0) / np.sqrt(count)))

    def system(self, observations: int, offset: float) -> System:
        """Return the sums."""
        functions = self.level_response.shape[1]
        squares = (len(self.grids), functions, functions)
        gram, response = np.zeros((self.columns, self.columns)), np.zeros(self.columns)
        for cluster in self.clusters.values():
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
            clusters=tuple(
                Cluster(
                    columns=cluster.columns,
                    grid=np.array([grid for grid, _, _ in cluster.members]),
                    mixed=np.stack([mixed for _, mixed, _ in cluster.members]),
                    response=np.stack([response for _, _, response in cluster.members]),
                )
                for cluster in self.clusters.values()
                if cluster.members
            ),
            level_response=self.level_response,
            level_pattern=self.level_pattern,
            offset=offset,
        )
