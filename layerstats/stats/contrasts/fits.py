"""Fit the models of several layers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from layerstats.stats.contrasts.models import SeriesModel

if TYPE_CHECKING:
    from layerstats.stats.gamm import FitTask, GammResult

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
    workers
        Models that are fitted side by side.
    """

    engine: str = "auto"
    method: str = "fREML"
    discrete: bool = False
    rho: Rho = "auto"
    workers: int = 2


def fit_models(models: Sequence[SeriesModel], options: FitOptions) -> list[GammResult]:
    """Fit models, at most ``options.workers`` at a time.

    Parameters
    ----------
    models
        From `level_and_shape_model`.
    options
        For all models.
    """
    from layerstats.stats.gamm import fit_many

    results = fit_many([_task(model, options, options.rho) for model in models], workers=options.workers)
    if options.rho != "auto":
        return results
    doubtful = [number for number, result in enumerate(results) if result.rho]
    plain = fit_many([_task(models[number], options, None) for number in doubtful], workers=options.workers)
    for number, without in zip(doubtful, plain, strict=True):
        results[number] = _better(results[number], without)
    return results


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


def _task(model: SeriesModel, options: FitOptions, rho: Rho) -> FitTask:
    from layerstats.stats.gamm import FitTask

    return FitTask(
        model.formula,
        model.data,
        engine=options.engine,
        method=options.method,
        discrete=options.discrete,
        rho="auto" if rho == "residuals" else rho,
        series=model.identifier,
        order=model.covariate,
        factors=model.factors,
        ordered=model.ordered,
    )
