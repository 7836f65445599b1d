"""Penalised quasi-likelihood: smoothing parameters and coefficients in turn, each working model by its own REML.

The method of Breslow and Clayton (1993, J. Am. Statist. Ass. 88, 9-25), with the smoothing parameters of every working
model optimised afresh, as `bam` does (Wood, Goude and Shaw 2015, J. R. Statist. Soc. C 64, 139-155). The scale is
known, so that the criterion has no parameter for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.smoothing_selection import warm_start
from layerstats.stats.gamm.structured import binomial
from layerstats.stats.gamm.structured.criterion import Criterion
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.offsets import offset_of
from layerstats.stats.gamm.structured.optimum import Optimum, minimise, minimise_from_starts, starting_point
from layerstats.stats.gamm.structured.penalties import Penalties
from layerstats.stats.gamm.structured.system_building import build_system

_MOST_ITERATIONS = 200
_MOST_HALVINGS = 6
# Of the deviance, from one working model to the next.
_TOLERANCE = 1e-11
# Below this the smoothing parameters of the last working model are near those of the next.
_NEARLY = 1e-3


@dataclass(frozen=True, eq=False)
class WorkingFit:
    """The last working model.

    Attributes
    ----------
    optimum
        Of its criterion.
    coefficients, level_coefficients
        Of the dense corner, (column,), and of the random blocks, (level, function).
    predictor
        (row,) the linear predictor.
    offset
        What it holds beside the coefficients: (row,) or 0.
    change
        The relative change of the deviance in the last step.
    iterations
        Working models solved.
    """

    optimum: Optimum
    coefficients: np.ndarray
    level_coefficients: np.ndarray
    predictor: np.ndarray
    offset: np.ndarray | float = 0.0
    change: float = np.inf
    iterations: int = 0

    @property
    def converged(self) -> bool:
        """Whether the deviance has stopped to change."""
        return self.change < _TOLERANCE

    def halfway(self, other: WorkingFit, model: Model) -> WorkingFit:
        """Return the fit between this one and `other`, with the smoothing parameters of this."""
        coefficients = (self.coefficients + other.coefficients) / 2
        levels = (self.level_coefficients + other.level_coefficients) / 2
        predictor = model.predictor(coefficients, levels) + self.offset
        return WorkingFit(self.optimum, coefficients, levels, predictor, self.offset)


def fit_working_models(request: FitRequest, model: Model) -> WorkingFit:
    """Fit a binomial model.

    Raises
    ------
    numpy.linalg.LinAlgError
        A working model is singular.
    """
    response = request.response_values
    trials = np.ones(len(response)) if request.weights is None else request.weights
    predictor, deviance, change = binomial.starting_predictor(response, trials), np.inf, np.inf
    known = offset_of(request.formula, request.frame)
    offset = 0.0 if known is None else known
    last: WorkingFit | None = None
    while last is None or (last.iterations < _MOST_ITERATIONS and not last.converged):
        criterion = _working_criterion(request, model, predictor, trials, offset)
        fit = _solve(criterion, model, offset, last if change < _NEARLY else None)
        if last is not None:
            fit = _shortened(fit, last, model, response, trials)
        now = float(binomial.deviance_parts(fit.predictor, response, trials).sum())
        change = abs(now - deviance) / (0.1 + now)
        predictor, deviance = fit.predictor, now
        last = replace(fit, change=float(change), iterations=1 if last is None else last.iterations + 1)
    return last


def _working_criterion(
    request: FitRequest, model: Model, predictor: np.ndarray, trials: np.ndarray, offset: np.ndarray | float
) -> Criterion:
    response, weights = binomial.working_model(predictor, request.response_values, trials)
    system = build_system(model, response - offset, np.ones(len(response), dtype=bool), 0.0, weights)
    penalties = Penalties.of(model, int(system.block_count.sum()))
    return Criterion(system, penalties, request.method, known_scale=1.0)


def _solve(criterion: Criterion, model: Model, offset: np.ndarray | float, last: WorkingFit | None) -> WorkingFit:
    """Optimise one working model, from the smoothing parameters of the last where they are near."""
    if last is None:
        optimum = minimise_from_starts(criterion)
    else:
        optimum = minimise(criterion, warm_start(last.optimum.solution.log_smoothing, starting_point(criterion)))
    coefficients = optimum.solution.coefficients.copy()
    if model.parametric.has_intercept:
        coefficients[0] += criterion.system.offset
    levels = optimum.solution.level_coefficients()
    return WorkingFit(optimum, coefficients, levels, model.predictor(coefficients, levels) + offset, offset)


def _shortened(fit: WorkingFit, last: WorkingFit, model: Model, response: np.ndarray, trials: np.ndarray) -> WorkingFit:
    """Go back half the way to the last fit where the penalised deviance has grown, a few times if need be."""
    before = _penalised_deviance(last, fit.optimum, response, trials)
    for _ in range(_MOST_HALVINGS):
        if _penalised_deviance(fit, fit.optimum, response, trials) <= before:
            break
        fit = fit.halfway(last, model)
    return fit


def _penalised_deviance(fit: WorkingFit, optimum: Optimum, response: np.ndarray, trials: np.ndarray) -> float:
    """Return the deviance plus the penalties of `fit`, with the smoothing parameters of `optimum`."""
    solution = optimum.solution
    penalties = solution.penalties
    dense = penalties.dense_sum(solution.smoothing) @ penalties.along_axes(fit.coefficients) ** 2
    block = np.sum(fit.level_coefficients**2 @ penalties.block_sum(solution.smoothing))
    return float(binomial.deviance_parts(fit.predictor, response, trials).sum() + dense + block)
