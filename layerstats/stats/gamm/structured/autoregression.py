"""The AR(1) parameter of the residuals by REML (or ML), jointly with the smoothing parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from layerstats.errors import ArgumentError, FitError
from layerstats.stats.gamm.data.series_rows import has_whole_gaps
from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.smoothing_selection import warm_start
from layerstats.stats.gamm.structured.fitting import criterion_of
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.optimum import minimise, minimise_from_starts, starting_point
from layerstats.stats.gamm.structured.row_patterns import find_patterns
from layerstats.stats.gamm.structured.whitening import neighbour_correlation, series_start

_BOUND = 0.995
# Between 0 and 1 where gaps are not whole steps: a negative number has no such powers.
_LOWEST = 1e-6
_ACCURACY = 1e-7
# Levels have the same pattern where their gaps are the same: so are then the powers of any number but 0 and 1.
_TELLS_GAPS_APART = 0.5


def estimate_rho(request: FitRequest, model: Model) -> float:
    """Return the AR(1) parameter that minimises the criterion of `request`.

    For each value the smoothing parameters and the scale are at their minimum, from where the last value had them, so
    that it is a search in one dimension.

    Parameters
    ----------
    request
        What is fitted, with AR(1) residuals: its own `rho` is not 0, and counts for nothing else.
    model
        Of the request.

    Raises
    ------
    ArgumentError
        The request does not say which rows are a series.
    FitError
        No series has two rows, or the model is singular.
    """
    if request.series_start is None:
        raise ArgumentError("To estimate rho, the request must say where series begin ('series' and 'order' of fit()).")
    if bool(np.all(request.series_start)):
        raise FitError("rho cannot be estimated: no series has two rows.")
    smoothing: np.ndarray | None = None
    root = None if request.weights is None else np.sqrt(request.weights)
    patterns = find_patterns(model, series_start(request), root, neighbour_correlation(request, _TELLS_GAPS_APART))

    def profile(rho: float) -> float:
        nonlocal smoothing
        criterion = criterion_of(request, model, rho, patterns)
        if smoothing is None:
            optimum = minimise_from_starts(criterion)
        else:
            optimum = minimise(criterion, warm_start(smoothing, starting_point(criterion)))
        smoothing = optimum.solution.log_smoothing
        return optimum.value

    lowest = -_BOUND if has_whole_gaps(request.series_gaps) else _LOWEST
    try:
        found = minimize_scalar(profile, bounds=(lowest, _BOUND), method="bounded", options={"xatol": _ACCURACY})
    except np.linalg.LinAlgError as error:
        raise FitError(f"rho cannot be estimated: {request.formula} is singular. Leave out a term.") from error
    return _argument(found)


def _argument(found: Any) -> float:
    """Return where the search ended."""
    return float(found.x)
