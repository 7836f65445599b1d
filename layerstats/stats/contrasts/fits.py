"""Fit the models of several layers side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from layerstats.checks import check_choice
from layerstats.parallel import Progress, RunOptions
from layerstats.stats.contrasts.models import SeriesModel

if TYPE_CHECKING:
    from layerstats.stats.gamm import FitTask, GammResult

# Groups of rows by their fitted value, the least variance of one in units of the largest, and fits with weights.
_GROUPS, _LEAST_VARIANCE, _REPEATS = 12, 1e-4, 2
Rho = float | Literal["auto", "residuals", "reml"] | None


@dataclass(frozen=True)
class FitOptions:
    """How the models of a contrast are fitted.

    Attributes
    ----------
    engine, method, discrete
        As for `layerstats.stats.gamm.fit`.
    rho
        AR(1) parameter of the residuals: a number; None; "residuals": the lag-1 autocorrelation of the residuals of the
        same model without AR(1), as published; "auto": that, where it fits better than no AR(1) by the criterion that
        smoothing parameters are chosen by, else none, since curves of tokens that take up most of a series leave
        residuals that alternate whatever the errors do; or "reml": estimated jointly with the smoothing parameters.
    variance
        "equal", or "fitted": rows are weighted by the inverse of a residual variance that depends on the fitted value,
        estimated from the residuals in twelve groups of these and the fit repeated twice. For models whose check of
        equal variance fails; how often its tests err was not simulated.
    workers, client, progress, keep
        Models that are fitted side by side, and where: as for `layerstats.stats.gamm.fit_many`.

    Examples
    --------
    >>> FitOptions(engine="structured", workers=1).rho
    'auto'
    """

    engine: str = "auto"
    method: str = "fREML"
    discrete: bool = False
    rho: Rho = "auto"
    workers: int = 2
    variance: Literal["equal", "fitted"] = "equal"
    client: Any = field(default=None, repr=False)
    progress: Progress | None = field(default=None, repr=False)
    keep: str | os.PathLike[str] | None = field(default=None, repr=False)


def fit_models(models: Sequence[SeriesModel], options: FitOptions) -> list[GammResult]:
    """Fit models, at most ``options.workers`` at a time.

    Parameters
    ----------
    models
        From `level_and_shape_model`.
    options
        For all models.
    """
    check_choice("variance", options.variance, ("equal", "fitted"))
    run = RunOptions(options.workers, options.client, progress=options.progress, keep=options.keep)
    rounds = 1 + (_REPEATS if options.variance == "fitted" else 0)
    results = _fitted(models, options, [None] * len(models), run.share(0, rounds))
    for number in range(1, rounds):
        results = _fitted(models, options, [_weights(result) for result in results], run.share(number, rounds))
    return results


def _weights(result: GammResult) -> list[float]:
    """Return the inverse residual variance of each row of the data as it depends on the fitted value; mean one."""
    fitted, request = result.engine_fit.fitted, result.request
    used = np.ones(len(fitted)) if request.weights is None else request.weights
    squares = result.engine_fit.whitened_residuals**2 / used
    groups = np.array_split(np.argsort(fitted, kind="stable"), _GROUPS)
    variances = np.array([squares[group].mean() for group in groups])
    # A stretch of silence hardly varies: it is not to outweigh all else.
    variances = np.maximum(variances, variances.max() * _LEAST_VARIANCE)
    places = [float(fitted[group].mean()) for group in groups]
    weights = np.exp(-np.interp(fitted, places, np.log(variances)))
    in_order = np.empty(len(weights))
    in_order[result.positions] = weights / weights.mean()
    return in_order.tolist()


def _fitted(
    models: Sequence[SeriesModel], options: FitOptions, weights: Sequence[list[float] | None], run: RunOptions
) -> list[GammResult]:
    tasks = [_task(model, options, options.rho, own) for model, own in zip(models, weights, strict=True)]
    if options.rho != "auto":
        return _side_by_side(tasks, run)
    results = _side_by_side(tasks, run.share(0, 2))
    doubtful = [number for number, result in enumerate(results) if result.rho]
    without_rho = [_task(models[number], options, None, weights[number]) for number in doubtful]
    plain = _side_by_side(without_rho, run.share(1, 2))
    for number, without in zip(doubtful, plain, strict=True):
        results[number] = _better(results[number], without)
    return results


def _side_by_side(tasks: Sequence[FitTask], run: RunOptions) -> list[GammResult]:
    from layerstats.stats.gamm import fit_many

    return fit_many(tasks, run.workers, client=run.client, progress=run.progress, keep=run.keep)


def _better(autoregressive: GammResult, plain: GammResult) -> GammResult:
    """Return the result whose criterion is lower, and say which; an engine may have none for one of them."""
    score, other = (float(result.glance["score"].iloc[0]) for result in (autoregressive, plain))
    if autoregressive.engine != plain.engine or not other < score:
        return autoregressive
    note = (
        f"Residuals are independent: with AR(1) and rho = {autoregressive.rho:.3g}, the lag-1 autocorrelation of the "
        f"residuals, the criterion is higher by {score - other:.3g}. Curves of tokens take the autocorrelation up."
    )
    return replace(plain, notes=(*plain.notes, note))


def _task(model: SeriesModel, options: FitOptions, rho: Rho, weights: list[float] | None) -> FitTask:
    return model.task(
        engine=options.engine,
        method=options.method,
        discrete=options.discrete,
        rho="auto" if rho == "residuals" else rho,
        weights=weights,
    )
