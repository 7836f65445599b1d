"""The rows from which mgcv's `bam` builds its bases: all of them, or of a large table a fixed sample.

Bases, constraints and the magnitude of penalties are then those of the sample, so that without it no estimate would
equal mgcv's: the intercept is the mean curve over these rows.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pandas as pd

from layerstats.stats.gamm.draws import NormalDraws
from layerstats.stats.gamm.engines.base import FitRequest

# Of `bam`: its chunk size, and the seed of the sample.
_MOST_ROWS = 10_000
_SEED = 66


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
    draws = _integers(NormalDraws(_SEED))
    next(draws)
    chosen = _sample(draws, rows, size)
    shuffled = _sample(draws, rows, rows)
    special: list[int] = []
    for values, factor in zip(variables, factors, strict=True):
        if factor:
            levels = values.cat.codes.to_numpy()[shuffled]
            present, first = np.unique(levels, return_index=True)
            special += shuffled[first[present >= 0]].tolist()
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


def _sample(draws: Generator[int, int, None], rows: int, size: int) -> np.ndarray:
    """Return R's ``sample(rows, size)``, from 0."""
    pool = list(range(rows))
    chosen = np.empty(size, dtype=np.int64)
    for position in range(size):
        place = draws.send(rows)
        chosen[position] = pool[place]
        rows -= 1
        pool[place] = pool[rows]
    return chosen


def _integers(source: NormalDraws) -> Generator[int, int, None]:
    """Yield R's random integers: each is below the number that is sent, by rejection of 16-bit pieces."""
    pieces: list[int] = []
    below = yield 0
    while True:
        bits = int(below - 1).bit_length()
        mask, value = (1 << bits) - 1, below
        while value >= below:
            if len(pieces) < 2:
                pieces = np.floor(source.uniform(65536) * 65536).astype(int)[::-1].tolist() + pieces
            value = pieces.pop()
            if bits >= 16:
                value = 65536 * value + pieces.pop()
            value &= mask
        below = yield value
