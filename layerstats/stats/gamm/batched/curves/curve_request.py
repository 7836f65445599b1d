"""What resampling refits: a task of `layerstats.stats.gamm`, checked for what refits can do."""

from __future__ import annotations

from dataclasses import replace

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.data.prepare import PreparedData
from layerstats.stats.gamm.engine_interface import ModelRequest
from layerstats.stats.gamm.formula.parser import parse_formula
from layerstats.stats.gamm.request.builder import build_model_request, build_request, check_rho
from layerstats.stats.gamm.request.task import FitTask


def refit_request(task: FitTask, *, response: bool = True) -> tuple[ModelRequest, PreparedData]:
    """Return the request of a task as `layerstats.stats.gamm.fit` makes it, and its data.

    With ``rho="auto"`` residuals are independent, until they were seen.

    Parameters
    ----------
    task
        The model.
    response
        Whether the response is read; where it is not, it need not be a column.

    Raises
    ------
    ArgumentError
        Refits cannot do what the task asks for.
    """
    _check(task)
    request, prepared = build_request(task) if response else build_model_request(task)
    return replace(request, rho=0.0) if task.rho == "auto" else request, prepared


def _check(task: FitTask) -> None:
    if task.series is None or task.order is None:
        raise ArgumentError("Resampling needs to know what a token is: give 'series' and 'order' in the FitTask.")
    check_rho(task.rho)
    if task.rho == "reml":
        raise ArgumentError(
            f"Resampling holds rho at one value, but got rho={task.rho!r}: fit first, and give the result's 'rho' in "
            "the FitTask."
        )
    if task.function != "bam" or task.discrete:
        raise ArgumentError("Resampling refits models as bam() does, without discretised covariates.")
    if task.method not in ("fREML", "REML") or task.weights is not None or task.family != "gaussian" or task.knots:
        raise ArgumentError("Resampling refits Gaussian models by fREML or REML without prior weights and knots.")
    if any(term.is_offset for term in parse_formula(task.formula).parametric):
        raise ArgumentError(
            f"Resampling refits curves, and {task.formula} has offset(), which is none: subtract it from the response."
        )
