"""The rows from which mgcv's `bam` builds its bases: all of them, or of a large table a fixed sample.

Bases, constraints and the magnitude of penalties are then those of the sample, so that without it no estimate would
equal mgcv's: the intercept is the mean curve over these rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import cast

import numpy as np
import pandas as pd

from layerstats.stats.gamm.engine_interface import FitRequest, ModelRequest
from layerstats.stats.gamm.formula.expression import Call, Expression, Name, evaluate
from layerstats.stats.gamm.structured.r_sample import RSample
from layerstats.stats.gamm.structured.smooths.options import check_number
from layerstats.stats.gamm.structured.unsupported import Unsupported

# Of `bam`: its chunk size, and the seed of the sample.
_MOST_ROWS = 10_000
_SEED = 66
# Rows are taken by so many.
_CHUNK = 8192


def setup_rows(request: ModelRequest) -> pd.DataFrame:
    """Return the rows of the frame from which bases are built.

    Of more than 10,000 rows these are a random sample that `bam` draws with a seed of its own, the first of which are
    replaced by the rows where each number is least and largest, and by one row for every level of each factor.

    Raises
    ------
    Unsupported
        A variable is an expression that is not evaluated here.
    """
    frame = request.frame
    rows = len(frame)
    if rows <= _MOST_ROWS:
        return frame
    variables = _variables(request)
    factors = [isinstance(values.dtype, pd.CategoricalDtype) for values in variables]
    needed = sum(len(values.cat.categories) if factor else 2 for values, factor in zip(variables, factors, strict=True))
    size = max(_MOST_ROWS, needed)
    if rows <= size:
        return frame
    chosen = _samples(rows, size)[0].copy()
    first = _first_of_each(
        _second_sample(rows, size), [values for values, factor in zip(variables, factors, strict=True) if factor]
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


def sample_notes(request: FitRequest) -> tuple[str, ...]:
    """Say that bases come from a sample of rows, and so from their order, where `bam` takes one."""
    if request.function != "bam" or not request.formula.smooths or not _is_sampled(request):
        return ()
    return (
        f"The table has more than {_MOST_ROWS:,} rows. From these bam() builds the bases of smooths from a sample of "
        f"{_MOST_ROWS:,}, and so does the structured engine: estimates depend a little on the order of the rows (of "
        "series, where these are named).",
    )


def _is_sampled(request: FitRequest) -> bool:
    try:
        return setup_rows(request) is not request.frame
    except Unsupported:
        return True


@lru_cache(maxsize=4)
def _samples(rows: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the sample, and the first of all rows shuffled afterwards.

    They depend on nothing else, and the same table is often fitted again.
    """
    sample = RSample(_SEED)
    return sample.draw(rows, size), np.fromiter(islice(sample.shuffle(rows), _CHUNK), dtype=np.int64)


def _second_sample(rows: int, size: int) -> Iterator[int]:
    """Yield all rows shuffled, after the sample was drawn."""
    known = _samples(rows, size)[1]
    yield from known.tolist()
    sample = RSample(_SEED)
    sample.draw(rows, size)
    yield from islice(sample.shuffle(rows), len(known), None)


def _variables(request: ModelRequest) -> list[pd.Series]:
    """Return the columns of mgcv's model frame that are numbers or factors, in its order."""
    written = {str(factor): factor for term in request.formula.parametric for factor in term.factors}
    for smooth in request.formula.smooths:
        written |= {str(variable): variable for variable in (*smooth.variables, smooth.by) if variable is not None}
    # A response that comes later counts as one that does not vary.
    response = request.response_values if isinstance(request, FitRequest) else np.zeros(len(request.frame))
    variables = [pd.Series(response), *(_values(one, request.frame) for one in written.values())]
    # The bridge to mgcv always has a column of weights where there are any.
    return variables if request.weights is None else [*variables, pd.Series(request.weights)]


def _values(expression: Expression, frame: pd.DataFrame) -> pd.Series:
    if isinstance(expression, Name):
        return cast("pd.Series", frame[expression.name])
    if isinstance(expression, Call) and expression.function == "offset":
        expression = expression.arguments[0].value
    check_number(frame, expression)
    return pd.Series(evaluate(expression, frame))


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
