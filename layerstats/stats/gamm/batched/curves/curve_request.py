"""What resampling refits: a task of `layerstats.stats.gamm`, checked for what refits can do."""

from __future__ import annotations

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.stats.gamm.data.prepare import PreparedData, prepare_data
from layerstats.stats.gamm.data.series_rows import GAPS, has_whole_gaps
from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.fit import check_rho
from layerstats.stats.gamm.formula.parser import parse_formula
from layerstats.stats.gamm.request.saturation import check_saturation
from layerstats.stats.gamm.request.task import FitTask


def checked_request(task: FitTask) -> tuple[PreparedData, FitRequest]:
    """Return the checked data and the request, as `layerstats.stats.gamm.fit` makes them.

    Raises
    ------
    ArgumentError
        Refits cannot do what the task asks for.
    """
    _check(task)
    formula = parse_formula(task.formula, list(map(str, task.data.columns)))
    rho = 0.0 if task.rho is None else float(task.rho)
    prepared = prepare_data(
        formula,
        task.data,
        factors=task.factors,
        ordered=task.ordered,
        series=task.series,
        order=task.order,
        autoregressive=rho != 0,
        gaps=task.gaps,
        na=task.na,
    )
    request = FitRequest(
        formula=formula,
        frame=prepared.frame,
        response=str(formula.response),
        response_values=prepared.response_values,
        method=task.method,
        rho=rho,
        series_start=prepared.series_start,
        series_gaps=prepared.series_gaps,
    )
    if rho < 0 and not has_whole_gaps(request.series_gaps):
        raise ArgumentError(
            f"With gaps='time' and rows that are not whole steps apart, 'rho' must be between 0 and 1, but got {rho}."
        )
    check_saturation(request)
    return prepared, request


def _check(task: FitTask) -> None:
    if task.series is None or task.order is None:
        raise ArgumentError("Resampling needs to know what a token is: give 'series' and 'order' in the FitTask.")
    check_rho(task.rho)
    if task.rho in ("auto", "reml"):
        raise ArgumentError(
            f"Resampling holds rho at one value, but got rho={task.rho!r}: fit first, and give the result's 'rho' in "
            "the FitTask."
        )
    if task.function != "bam" or task.discrete:
        raise ArgumentError("Resampling refits models as bam() does, without discretised covariates.")
    if task.method not in ("fREML", "REML") or task.weights is not None or task.family != "gaussian" or task.knots:
        raise ArgumentError("Resampling refits Gaussian models by fREML or REML without prior weights and knots.")
    check_choice("gaps", task.gaps, GAPS)
    if any(term.is_offset for term in parse_formula(task.formula).parametric):
        raise ArgumentError(
            f"Resampling refits curves, and {task.formula} has offset(), which is none: subtract it from the response."
        )
