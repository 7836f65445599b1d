"""The rows from which mgcv's `bam` builds its bases: all of them, or of a large table a fixed sample.

Bases, constraints and the magnitude of penalties are then those of the sample, so that without it no estimate would
equal mgcv's: the intercept is the mean curve over these rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import pandas as pd

from layerstats.stats.gamm.draws import NormalDraws
from layerstats.stats.gamm.engines.base import FitRequest

# Of `bam`: its chunk size, and the seed of the sample.
_MOST_ROWS = 10_000
_SEED = 66
# Random numbers and rows are taken by so many.
_CHUNK = 8192


def setup_rows(request: FitRequest) -> pd.DataFrame:
    """Return the rows of the frame from which bases are built.

    Of more than 10,000 rows these are a random sample that `bam` draws with a seed of its own, the first of which are
    replaced by the rows where each number is least and largest, and by one row for every level of each factor.
    """
    frame = request.frame
    rows = len(frame)
    variables = _variables(request)
    factors = [isinstance(values.dtype, pd.CategoricalDtype) for values in variables]
    needed = sum(len(values.cat.categories) if factor else 2 for values, factor in zip(variables, factors, strict=True))
    size = max(_MOST_ROWS, needed)
    if rows <= size:
        return frame
    pieces = _pieces(NormalDraws(_SEED))
    chosen = np.fromiter(islice(_shuffle(pieces, rows), size), dtype=np.int64, count=size)
    first = _first_of_each(
        _shuffle(pieces, rows), [values for values, factor in zip(variables, factors, strict=True) if factor]
    )
    special: list[int] = []
    for values, factor in zip(variables, factors, strict=True):
        if factor:
            special += next(first)
        else:
            numbers = values.to_numpy(dtype=float)
            special += [int(np.argmin(numbers)), int(np.argmax(numbers))]
    chosen[: len(special)] = special
    return frame.iloc[chosen]


def _variables(request: FitRequest) -> list[pd.Series]:
    """Return the columns of mgcv's model frame that are numbers or factors, in its order."""
    terms = (*request.formula.parametric, *request.formula.smooths)
    names = list(dict.fromkeys(column for term in terms for column in term.columns))
    variables = [pd.Series(request.response_values), *(request.frame[name] for name in names)]
    # The bridge to mgcv always has a column of weights where there are any.
    return variables if request.weights is None else [*variables, pd.Series(request.weights)]


def _first_of_each(shuffled: Iterator[int], factors: Sequence[pd.Series]) -> Iterator[list[int]]:
    """Yield, for each factor, the first of the shuffled rows for each level that has rows; read no more of them."""
    codes = [values.cat.codes.to_numpy() for values in factors]
    found: list[dict[int, int]] = [{} for _ in codes]
    present = [len(np.unique(values[values >= 0])) for values in codes]
    while any(len(rows) < number for rows, number in zip(found, present, strict=True)):
        taken = np.fromiter(islice(shuffled, _CHUNK), dtype=np.int64)
        for values, rows in zip(codes, found, strict=True):
            levels, first = np.unique(values[taken], return_index=True)
            for level, place in zip(levels.tolist(), taken[first].tolist(), strict=True):
                if level >= 0:
                    rows.setdefault(level, place)
    for rows in found:
        yield [rows[level] for level in sorted(rows)]


def _shuffle(pieces: Iterator[int], rows: int) -> Iterator[int]:
    """Yield R's ``sample(rows, rows)`` one by one, from 0; the beginning is that of every smaller sample."""
    # Only what was exchanged is kept of the pool from which rows are drawn.
    exchanged: dict[int, int] = {}
    for left in range(rows, 0, -1):
        bits = (left - 1).bit_length()
        mask, place = (1 << bits) - 1, left
        while place >= left:
            place = next(pieces)
            if bits >= 16:
                place = 65536 * place + next(pieces)
            place &= mask
        yield exchanged.get(place, place)
        exchanged[place] = exchanged.pop(left - 1, left - 1)


def _pieces(source: NormalDraws) -> Iterator[int]:
    """Yield the 16 bits of R's random numbers that its integers are made of."""
    while True:
        yield from np.floor(source.uniform(_CHUNK) * 65536).astype(int).tolist()
