"""From a request to a fitted model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from layerstats.errors import FitError
from layerstats.stats.gamm.engines.base import FitRequest
from layerstats.stats.gamm.structured.criterion import Criterion
from layerstats.stats.gamm.structured.inference.freedom import Freedom
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.newton import Optimum, minimise_from_several
from layerstats.stats.gamm.structured.penalties import Penalties
from layerstats.stats.gamm.structured.system import build_system
from layerstats.stats.gamm.structured.whitening import log_determinant, whiten


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
    """

    request: FitRequest
    model: Model
    optimum: Optimum
    coefficients: np.ndarray
    level_coefficients: np.ndarray

    @cached_property
    def freedom(self) -> Freedom:
        """Degrees of freedom and covariances."""
        return Freedom(self.optimum, self.request.method)

    @property
    def start(self) -> np.ndarray:
        """(row,) True where a series begins."""
        return series_start(self.request)

    def fitted(self) -> np.ndarray:
        """Return the fitted values, (row,)."""
        rows = self.model.rows
        values = (self.model.dense_columns(rows.frame) @ self.coefficients)[rows.place]
        if self.model.blocks:
            functions = self.model.block_columns(rows.frame)[rows.place]
            values = values + np.einsum("rf,rf->r", functions, self.level_coefficients[self.model.level])
        return values

    def residuals(self, fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the residuals, times the root of the prior weights, and the same whitened; (row,) each."""
        residuals = self.request.response_values - fitted
        if self.request.weights is not None:
            residuals = residuals * np.sqrt(self.request.weights)
        return residuals, whiten(residuals, self.request.rho, self.start)


def series_start(request: FitRequest) -> np.ndarray:
    """Return where series begin, (row,): every row by itself where residuals are independent."""
    if request.rho == 0:
        return np.ones(len(request.frame), dtype=bool)
    if request.series_start is None:
        return np.arange(len(request.frame)) == 0
    return request.series_start


def criterion_of(request: FitRequest, model: Model, rho: float) -> Criterion:
    """Return the criterion of a model for AR(1) parameter `rho`."""
    start = series_start(request)
    system = build_system(model, request.response_values, start, rho, request.weights)
    # As in mgcv's scores, prior weights scale the rows and add no constant.
    penalties = Penalties.of(model, int(system.block_count.sum()))
    return Criterion(system, penalties, request.method, -log_determinant(rho, start))


def fit_structured(request: FitRequest, model: Model) -> StructuredFit:
    """Fit `model` to the data of `request`.

    Raises
    ------
    FitError
        The penalised least squares problem is singular.
    """
    criterion = criterion_of(request, model, request.rho)
    try:
        optimum = minimise_from_several(criterion)
    except np.linalg.LinAlgError as error:
        raise FitError(
            f"The structured engine cannot solve {request.formula}: the data do not determine its coefficients. "
            "Leave out a term, or use engine='mgcv'."
        ) from error
    coefficients = optimum.solution.coefficients.copy()
    if model.parametric.has_intercept:
        coefficients[0] += criterion.system.offset
    return StructuredFit(request, model, optimum, coefficients, optimum.solution.level_coefficients())
