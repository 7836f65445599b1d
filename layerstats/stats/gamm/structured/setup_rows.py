"""The rows from which mgcv's `bam` builds its bases: all of them, or of a large table a fixed sample.

Bases, constraints and the magnitude of penalties are then those of the sample, so that without it no estimate would
equal mgcv's: the intercept is the mean curve over these rows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.stats.gamm.engines.base import FitRequest
from layerstats.stats.gamm.structured.r_sample import RSample

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
    sample = RSample(_SEED)
    chosen = sample.draw(rows, size)
    shuffled = sample.draw(rows, rows)
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
