"""Fit the models of several layers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from layerstats.stats.contrasts.models import SeriesModel

if TYPE_CHECKING:
    from layerstats.stats.gamm import FitTask, GammResult

Rho = float | Literal["auto"] | None


@dataclass(frozen=True)
class FitOptions:
    """How the models of a contrast are fitted.

    Attributes
    ----------
    engine, method, discrete
        As for `layerstats.stats.gamm.fit`.
    rho
        AR(1) parameter of the residuals: a number, None, or "auto": the lag-1 autocorrelation of the residuals of the
        same model without AR(1).
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

    return fit_many([_task(model, options) for model in models], workers=options.workers)


def _task(model: SeriesModel, options: FitOptions) -> FitTask:
    from layerstats.stats.gamm import FitTask

    return FitTask(
        model.formula,
        model.data,
        engine=options.engine,
        method=options.method,
        discrete=options.discrete,
        rho=options.rho,
        series=model.identifier,
        order=model.covariate,
        factors=model.factors,
        ordered=model.ordered,
    )
