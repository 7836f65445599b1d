"""Which levels of the grouping factor share their rows, and the whitened rows of each such pattern."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.unique_rows import PIECE_VALUES
from layerstats.stats.gamm.structured.whitening import whiten

# Without random blocks the rows are summed in pieces of this size.
_PIECE = 4096
# Of the whitened rows of several patterns at once: half a megabyte.
_PIECE_VALUES = 60_000
# Pieces of columns that are kept: 64 MB.
_KEPT = 4


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


class RowColumns:
    """The columns of the different rows of a model, first those outside of the blocks and then those of a block.

    They are kept where they are few; of a large table they are made as they are needed.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.outer = model.width - sum(term.functions for term in model.blocks)
        #: How many rows `of` may be asked for at once.
        self.most = _rows_at_once(model)
        self._kept = None if is_large(model) else self._made(model.rows.frame)

    def of(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return columns, (row, column), and the row of each of the different rows `places` among them."""
        if self._kept is not None:
            return self._kept, places
        needed, row = np.unique(places, return_inverse=True)
        return self._made(self._model.rows.frame.iloc[needed]), row

    def _made(self, frame: pd.DataFrame) -> np.ndarray:
        model = self._model
        return np.hstack([model.dense_columns(frame), model.outer_columns(frame), model.block_columns(frame)])


def is_large(model: Model) -> bool:
    """Return whether the columns of a model are too many to be kept."""
    return len(model.rows.frame) > _KEPT * _rows_at_once(model)


def _rows_at_once(model: Model) -> int:
    return max(PIECE_VALUES // max(model.width, 1), 1)


@dataclass(frozen=True, eq=False)
class Patterns:
    """The patterns of a model, which are the same for every AR(1) parameter.

    Attributes
    ----------
    order
        (row,) what brings the rows of each level together.
    found
        The patterns, in that order.
    columns
        The columns of the rows.
    """

    order: np.ndarray
    found: list[PatternRows]
    columns: RowColumns


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
    columns = patterns.columns
    small = max(_PIECE_VALUES // max(model.width, 1), 1)
    for together in _pieces_of(found, columns.most):
        taken = np.concatenate([np.arange(one.stretches[0].start, one.stretches[0].stop) for one in together])
        made, row = columns.of(place[taken])
        touched = made[:, : columns.outer] != 0
        end = 0
        for several in _pieces_of(together, small):
            begin, end = end, end + sum(one.stretches[0].stop - one.stretches[0].start for one in several)
            own = taken[begin:end]
            rows = made[row[begin:end]]
            if root is not None:
                rows *= root[own][:, None]
            # One whitening for many patterns: most of its time is not arithmetic.
            white = whiten(rows, correlation[own] if isinstance(correlation, np.ndarray) else correlation, start[own])
            yield from _split(several, white, touched[row[begin:end]], response)


def _split(
    patterns: list[PatternRows], white: np.ndarray, touched: np.ndarray, response: np.ndarray
) -> Iterator[WhiteRows]:
    """Yield the rows of each of several patterns, of which `white` holds one after another."""
    ends = np.cumsum([pattern.stretches[0].stop - pattern.stretches[0].start for pattern in patterns])
    begins = np.append(0, ends[:-1])
    columns = np.logical_or.reduceat(touched, begins, axis=0)
    for number, (pattern, begin, end) in enumerate(zip(patterns, begins, ends, strict=True)):
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
    return Patterns(order, list(found.values()), RowColumns(model))


def _pieces(start: np.ndarray) -> np.ndarray:
    """Return the ends of pieces that hold whole series."""
    ends = np.append(np.flatnonzero(start[1:]) + 1, len(start))
    kept = np.append(ends[1:] // _PIECE != ends[:-1] // _PIECE, True)
    return ends[kept]
