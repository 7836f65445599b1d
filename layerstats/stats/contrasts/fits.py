"""Fit the models of several layers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerstats.stats.contrasts.models import SeriesModel

if TYPE_CHECKING:
    from layerstats.stats.gamm.result import GammResult


@dataclass(frozen=True)
class FitOptions:
    """How the models of a contrast are fitted.

    Attributes
    ----------
    engine, method, discrete
        As for `layerstats.stats.gamm.fit`.
    rho
        AR(1) parameter of the residuals: "auto", a number, or None.
    workers
        Models that are fitted side by side.
    """

    engine: str = "auto"
    method: str = "fREML"
    discrete: bool = False
    rho: float | str | None = "auto"
    workers: int = 2


def fit_models(
    models: Sequence[SeriesModel], options: FitOptions, rhos: Sequence[float] | None = None
) -> list[GammResult]:
    """Fit models, at most ``options.workers`` at a time.

    Parameters
    ----------
    models
        From `level_and_shape_model` and `joint_model`.
    options
        For all models.
    rhos
        For each model its AR(1) parameter, instead of that of the options.
    """
    from layerstats.stats.gamm import FitTask, fit_many

    tasks = [
        FitTask(
            model.formula,
            model.data,
            engine=options.engine,
            method=options.method,
            discrete=options.discrete,
            rho=options.rho if rhos is None else rhos[number],
            series=model.identifier,
            order=model.covariate,
            factors=model.factors,
            ordered=model.ordered,
        )
        for number, model in enumerate(models)
    ]
    return fit_many(tasks, workers=options.workers)
