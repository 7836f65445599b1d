"""Fit the models of several layers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

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
        same model without AR(1), fitted with discretised covariates.
    workers
        Models that are fitted side by side.
    """

    engine: str = "auto"
    method: str = "fREML"
    discrete: bool = False
    rho: Rho = "auto"
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
    from layerstats.stats.gamm import fit_many

    if rhos is None and options.rho == "auto":
        # Discretised, the same fit takes a fifth of the time, and its residuals have the same autocorrelation.
        quick = replace(options, discrete=options.method == "fREML", rho=None)
        rhos = [_lag_one(result) for result in fit_models(models, quick)]
    tasks = [
        _task(model, options, options.rho if rhos is None else rhos[number]) for number, model in enumerate(models)
    ]
    return fit_many(tasks, workers=options.workers)


def _task(model: SeriesModel, options: FitOptions, rho: Rho) -> FitTask:
    from layerstats.stats.gamm import FitTask

    return FitTask(
        model.formula,
        model.data,
        engine=options.engine,
        method=options.method,
        discrete=options.discrete,
        rho=rho,
        series=model.identifier,
        order=model.covariate,
        factors=model.factors,
        ordered=model.ordered,
    )


def _lag_one(result: GammResult) -> float:
    """Return the lag-1 autocorrelation of residuals within series; 0 where no series has two points."""
    table = result.autocorrelation(max_lag=1)
    value = table.loc[table["lag"] == 1, "autocorrelation"].to_numpy()
    return float(np.clip(value[0], -0.99, 0.99)) if len(value) and np.isfinite(value[0]) else 0.0
