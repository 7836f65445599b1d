"""The only builder of what an engine is asked, whoever asks: Python, the shell, stored models, channels, resampling."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.stats.gamm.data.prepare import PreparedData, prepare_data
from layerstats.stats.gamm.data.series_rows import GAPS, has_whole_gaps
from layerstats.stats.gamm.engine_interface import FitRequest, ModelRequest
from layerstats.stats.gamm.families import check_response, read_family
from layerstats.stats.gamm.formula.parser import parse_formula
from layerstats.stats.gamm.formula.terms import Formula
from layerstats.stats.gamm.request.saturation import check_saturation, check_variance
from layerstats.stats.gamm.request.task import FitTask

METHODS = ("fREML", "REML", "ML")
FUNCTIONS = ("bam", "gam")
ESTIMATED = ("auto", "reml")


def build_request(task: FitTask) -> tuple[FitRequest, PreparedData]:
    """Return what an engine is asked for a task, and its data: all that can be checked before a fit is.

    Parameters
    ----------
    task
        The arguments of `layerstats.stats.gamm.fit`; `engine` and `verify` say nothing about the question.

    Raises
    ------
    LayerstatsError
        As `layerstats.stats.gamm.fit`.

    Examples
    --------
    >>> data = pd.DataFrame({"x": np.arange(9.0), "y": np.arange(9.0) ** 2, "word": list("abcabcabc")})
    >>> request, prepared = build_request(FitTask("y ~ word + s(x, k = 4)", data))
    >>> request.response, list(request.frame["word"].cat.categories), request.rho
    ('y', ['a', 'b', 'c'], 0.0)
    """
    formula = _parsed(task)
    prepared = _prepared(task, formula)
    assert prepared.response_values is not None  # the formula has a response
    check_response(read_family(task.family), prepared.response_values, str(formula.response))
    request = _model_request(task, formula, prepared).with_response(prepared.response_values)
    check_variance(request)
    check_saturation(request)
    return request, prepared


def build_model_request(task: FitTask) -> tuple[ModelRequest, PreparedData]:
    """Return the same without the response, which need not be a column: many responses share the model.

    Raises
    ------
    LayerstatsError
        As `build_request`.
    """
    formula = _parsed(task)
    prepared = _prepared(task, formula.one_sided())
    request = _model_request(task, formula, prepared)
    check_saturation(request)
    return request, prepared


def check_rho(rho: object) -> bool:
    """Return whether there are AR(1) residuals.

    Raises
    ------
    ArgumentError
        `rho` is nothing that `fit` takes.
    """
    if rho is None or rho in ESTIMATED:
        return rho is not None
    if isinstance(rho, (int, float, np.number)) and -1 < float(rho) < 1:
        return float(rho) != 0
    raise ArgumentError(
        "Invalid value for the 'rho' parameter. Allowed values are None, 'auto', 'reml' and numbers between -1 and 1, "
        f"but got {rho!r} instead."
    )


def _parsed(task: FitTask) -> Formula:
    check_choice("method", task.method, METHODS)
    check_choice("function", task.function, FUNCTIONS)
    read_family(task.family)
    check_choice("gaps", task.gaps, GAPS)
    check_rho(task.rho)
    columns = [*map(str, task.data.columns), *(task.ordered or {})] if isinstance(task.data, pd.DataFrame) else None
    return parse_formula(task.formula, columns)


def _prepared(task: FitTask, formula: Formula) -> PreparedData:
    autoregressive = check_rho(task.rho)
    return prepare_data(
        formula,
        task.data,
        factors=task.factors,
        ordered=task.ordered,
        series=task.series,
        order=task.order,
        autoregressive=autoregressive,
        gaps=task.gaps if autoregressive else "adjacent",
        weights=task.weights,
        na=task.na,
    )


def _model_request(task: FitTask, formula: Formula, prepared: PreparedData) -> ModelRequest:
    request = ModelRequest(
        formula=formula,
        frame=prepared.frame,
        method=task.method,
        rho=float("nan") if task.rho in ESTIMATED else float(task.rho or 0),
        series_start=prepared.series_start,
        series_gaps=prepared.series_gaps,
        weights=prepared.weights,
        knots=_knots(task, formula),
        family=read_family(task.family),
        function=task.function,
        discrete=task.discrete,
        progress=task.progress,
    )
    if request.rho < 0 and not has_whole_gaps(request.series_gaps):
        raise ArgumentError(
            f"With gaps='time' and rows that are not whole steps apart, 'rho' must be between 0 and 1, but got "
            f"{task.rho!r} instead."
        )
    return request


def _knots(task: FitTask, formula: Formula) -> dict[str, list[float]] | None:
    if not task.knots:
        return None
    if not isinstance(task.knots, Mapping):
        raise ArgumentError(f"'knots' must be like {{'phase': [0, 1]}}, but got {task.knots!r} instead.")
    for column, places in task.knots.items():
        check_choice("knots", column, formula.predictor_columns)
        try:
            values = np.asarray(places, dtype=float)
        except (TypeError, ValueError):
            values = np.array(np.nan)
        if values.ndim != 1 or not np.all(np.isfinite(values)):
            raise ArgumentError(f"The knots of {column!r} must be finite numbers, but got {places!r} instead.")
    return {column: [float(place) for place in places] for column, places in task.knots.items()}
