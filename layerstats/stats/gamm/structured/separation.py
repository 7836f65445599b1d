"""Where a binomial response does not vary, so that no finite coefficient is the best."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.stats.gamm.engine_interface import FitRequest

# Fitted probabilities this near to 0 and 1 say that a coefficient is on its way to infinity.
_CERTAIN = 1e-8


def separation_warnings(request: FitRequest, fitted: np.ndarray) -> tuple[str, ...]:
    """Return what to know of cells of the parametric factors where every response is 0, or every one 1.

    Parameters
    ----------
    fitted
        (row,) probabilities.
    """
    found = [warning for columns in _cells(request) for warning in _constant(request, columns)]
    certain = int(np.sum((fitted < _CERTAIN) | (fitted > 1 - _CERTAIN)))
    if certain:
        found.append(f"Fitted probabilities are numerically 0 or 1 in {certain} of {len(fitted)} rows.")
    return tuple(found)


def _cells(request: FitRequest) -> list[tuple[str, ...]]:
    """Return the factors of each parametric term; those of an interaction together."""
    frame = request.frame
    terms = [
        tuple(column for column in term.columns if isinstance(frame[column].dtype, pd.CategoricalDtype))
        for term in request.formula.parametric
    ]
    return [columns for columns in dict.fromkeys(terms) if columns]


def _constant(request: FitRequest, columns: tuple[str, ...]) -> list[str]:
    response = pd.Series(request.response_values, index=request.frame.index)
    names = request.frame[list(columns)].astype(str).agg(tuple, axis=1)
    cells = response.groupby(names, sort=True)
    found = []
    for levels, (_, values) in zip(sorted(set(names)), cells, strict=True):
        if values.iloc[0] not in (0.0, 1.0) or np.any(values != values.iloc[0]):
            continue
        cell = ", ".join(f"{column} is {level!r}" for column, level in zip(columns, levels, strict=True))
        found.append(
            f"The response is {values.iloc[0]:g} in all {len(values)} rows where {cell}: the data do not determine "
            "this level, its standard error is meaningless, and tests of it are not to be used."
        )
    return found
