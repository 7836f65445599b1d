"""From a request to a fitted model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from layerstats.errors import FitError
from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.structured import binomial
from layerstats.stats.gamm.structured.cost import Meter
from layerstats.stats.gamm.structured.criterion import Criterion, check_inexact
from layerstats.stats.gamm.structured.edf import EffectiveDf
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.nested import NestedCriterion, NestedEffectiveDf, build_nested_system
from layerstats.stats.gamm.structured.nested.nested_solution import NestedSolution
from layerstats.stats.gamm.structured.offsets import offset_of, response_of
from layerstats.stats.gamm.structured.optimum import Optimum, minimise_from_starts
from layerstats.stats.gamm.structured.penalties import Penalties
from layerstats.stats.gamm.structured.quasi_likelihood import WorkingFit, fit_working_models
from layerstats.stats.gamm.structured.row_patterns import Patterns
from layerstats.stats.gamm.structured.system_building import build_system
from layerstats.stats.gamm.structured.whitening import (
    log_determinant,
    neighbour_correlation,
    series_start,
    whiten,
)


@dataclass(frozen=True, eq=False)
class StructuredFit:
    """A fitted model with what every inference starts from.

    Attributes
    ----------
    request
        What was asked for.
    model
        Its terms.
    optimum
        Where the criterion is smallest.
    coefficients
        (column,) of the dense corner, the intercept on the scale of the response.
    level_coefficients
        (level, function) of the random blocks.
    working
        The last working model of a response that is not Gaussian.
    group_coefficients
        (group, function) of the outer terms, where there are any.
    meter
        How long the fit was expected to take; None for a response that is not Gaussian.
    """

    request: FitRequest
    model: Model
    optimum: Optimum
    coefficients: np.ndarray
    level_coefficients: np.ndarray
    working: WorkingFit | None = None
    group_coefficients: np.ndarray | None = None
    meter: Meter | None = None

    @cached_property
    def edf(self) -> EffectiveDf:
        """Degrees of freedom and covariances."""
        kind = NestedEffectiveDf if self.model.outer else EffectiveDf
        return kind(self.model, self.optimum, self.request.method, self.known_scale)

    @property
    def known_scale(self) -> float | None:
        """The scale where the family says it: 1 for binomial responses."""
        return None if self.working is None else 1.0

    @property
    def residual_freedom(self) -> float:
        """Degrees of freedom of the estimate of the scale; infinite where the scale is known."""
        return len(self.request.frame) - self.edf.total if self.working is None else np.inf

    @property
    def weights(self) -> np.ndarray:
        """(row,) prior weights."""
        return np.ones(len(self.request.frame)) if self.request.weights is None else self.request.weights

    @property
    def start(self) -> np.ndarray:
        """(row,) True where a series begins."""
        return series_start(self.request)

    @property
    def correlation(self) -> float | np.ndarray:
        """Of the residuals of a row and the row before; see `neighbour_correlation`."""
        return neighbour_correlation(self.request, self.request.rho)

    def fitted(self) -> np.ndarray:
        """Return the fitted values on the scale of the response, (row,)."""
        if self.working is not None:
            return binomial.probability(self.working.predictor)
        values = self.model.predictor(self.coefficients, self.level_coefficients, self.group_coefficients)
        offset = offset_of(self.request.formula, self.request.frame)
        return values if offset is None else values + offset

    def residuals(self, fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the residuals, times the root of the prior weights, and the same whitened; (row,) each.

        Those of binomial responses are deviance residuals.
        """
        if self.working is not None:
            residuals = binomial.deviance_residuals(self.working.predictor, self.request.response_values, self.weights)
            return residuals, residuals
        residuals = self.request.response_values - fitted
        if self.request.weights is not None:
            residuals = residuals * np.sqrt(self.request.weights)
        return residuals, whiten(residuals, self.correlation, self.start)


def criterion_of(request: FitRequest, model: Model, rho: float, patterns: Patterns | None = None) -> Criterion:
    """Return the criterion of a model for AR(1) parameter `rho`; see `build_system` for `patterns`."""
    start = series_start(request)
    correlation = neighbour_correlation(request, rho)
    constant = -log_determinant(correlation, start)
    if model.outer:
        nested = build_nested_system(model, response_of(request), start, correlation, request.weights, patterns)
        penalties = Penalties.of(model, int(nested.block_count.sum()), len(nested.used))
        return NestedCriterion(nested, penalties, request.method, constant)
    if model.summed is not None and _has_data_of(model.summed[0], request) and rho == model.summed[0].rho:
        system = model.summed[1]
    else:
        system = build_system(model, response_of(request), start, correlation, request.weights, patterns)
    # As in mgcv's scores, prior weights scale the rows and add no constant.
    penalties = Penalties.of(model, int(system.block_count.sum()))
    return Criterion(system, penalties, request.method, constant)


def _has_data_of(one: FitRequest, other: FitRequest) -> bool:
    """Return whether two requests have the same data, by identity: requests of one plan differ in their rho."""
    return one.frame is other.frame and one.response_values is other.response_values and one.weights is other.weights


def fit_structured(request: FitRequest, model: Model) -> StructuredFit:
    """Fit `model` to the data of `request`.

    Raises
    ------
    FitError
        The penalised least squares problem is singular.
    """
    try:
        return _fit_binomial(request, model) if request.family == "binomial" else _fit_gaussian(request, model)
    except np.linalg.LinAlgError as error:
        raise FitError(
            f"The structured engine cannot solve {request.formula}: the data do not determine its coefficients. "
            "Leave out a term, or use engine='mgcv'."
        ) from error


def _fit_binomial(request: FitRequest, model: Model) -> StructuredFit:
    fit = fit_working_models(request, model)
    return StructuredFit(request, model, fit.optimum, fit.coefficients, fit.level_coefficients, fit)


def _fit_gaussian(request: FitRequest, model: Model) -> StructuredFit:
    criterion = criterion_of(request, model, request.rho)
    meter = Meter(model, criterion.penalties.compete, request.progress)
    optimum = minimise_from_starts(criterion, meter.step)
    check_inexact(optimum.solution.penalised_square, criterion.system.response_square)
    groups = cast(NestedSolution, optimum.solution).group_coefficients if model.outer else None
    coefficients = optimum.solution.coefficients.copy()
    if model.parametric.has_intercept:
        coefficients[0] += criterion.system.offset
    return StructuredFit(
        request,
        model,
        optimum,
        coefficients,
        optimum.solution.level_coefficients(),
        group_coefficients=groups,
        meter=meter,
    )
