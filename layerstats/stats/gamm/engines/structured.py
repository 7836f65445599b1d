"""The engine of this package: Gaussian models with a random part for each token, by their structure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from importlib.metadata import version

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.engine_interface import Design, EngineFit, FitRequest
from layerstats.stats.gamm.structured.autoregression import estimate_rho
from layerstats.stats.gamm.structured.cost import note_on_cost
from layerstats.stats.gamm.structured.fitting import StructuredFit, fit_structured
from layerstats.stats.gamm.structured.full_crossproduct import MOST_COEFFICIENTS, coefficient_count
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.model_building import build_model
from layerstats.stats.gamm.structured.offsets import with_offset
from layerstats.stats.gamm.structured.results.binomial_glance import binomial_glance_table
from layerstats.stats.gamm.structured.results.lpmatrix import design
from layerstats.stats.gamm.structured.results.nested_lpmatrix import nested_design
from layerstats.stats.gamm.structured.results.tables import (
    glance_table,
    parametric_table,
    smooth_parts,
    smooth_table,
    smoothing_parameters,
)
from layerstats.stats.gamm.structured.separation import separation_warnings
from layerstats.stats.gamm.structured.setup_rows import sample_notes
from layerstats.stats.gamm.structured.unsupported import Unsupported
from layerstats.stats.gamm.written_terms import parametric_columns_used
from layerstats.stats.one_thread import one_blas_thread

# Columns of the dense corner from which threads of BLAS gain more than they cost.
_LARGE = 300
# Families whose reason says more than that they are not there.
_UNFITTED = {
    "ocat": (
        "working weights do not give what mgcv's gam() gives for ordered categories: with curves of tokens, estimates "
        "are up to a fifth of a standard error away and thresholds 4 percent nearer to each other (see "
        "docs/ordered-categories.md)"
    )
}


class StructuredEngine:
    """Fits Gaussian models in milliseconds that take mgcv minutes, with the same results.

    Examples
    --------
    >>> StructuredEngine().name
    'structured'
    """

    name = "structured"

    def __init__(self) -> None:
        # `cannot` has to build the model; the fit that follows need not do so again.
        self._last: tuple[FitRequest, Model] | None = None

    def available(self) -> str | None:
        """Return None: the engine needs nothing beyond this package."""
        return None

    def cannot(self, request: FitRequest) -> str | None:
        """Return None where the engine expresses the request, else the reason why not."""
        if request.family not in ("gaussian", "binomial"):
            return _UNFITTED.get(
                request.family, f"it fits the families 'gaussian' and 'binomial', not {request.family!r}"
            )
        if request.family != "gaussian" and request.rho != 0:
            return (
                f"AR(1) residuals need a Gaussian response: those of family {request.family!r} have no common variance "
                "that a lag could be scaled by"
            )
        if request.knots is not None:
            return "it places knots itself (knots)"
        if request.weights is not None and np.any(request.weights == 0):
            return "it takes no rows of weight zero"
        if request.discrete:
            return "it does not discretise covariates (discrete=True)"
        if request.function != "bam":
            return f"it parameterises smooths as bam() does, not as {request.function}()"
        try:
            self._model(request)
        except Unsupported as error:
            return f"it does not express {error}"
        return None

    def estimate_rho(self, request: FitRequest) -> float:
        """Return the AR(1) parameter by REML (or ML), jointly with the smoothing parameters."""
        with self._threads(request):
            return estimate_rho(request)

    def fit(self, request: FitRequest) -> EngineFit:
        """Fit one model.

        Raises
        ------
        ArgumentError
            The engine does not express it; `cannot` says why.
        FitError
            The data do not determine its coefficients.
        """
        begin = time.perf_counter()
        with self._threads(request):
            return _engine_fit(self._fit(request), begin)

    def residuals(self, request: FitRequest) -> np.ndarray:
        """Fit one model for its residuals alone, (row,).

        Raises
        ------
        ArgumentError, FitError
            As `fit`.
        """
        with self._threads(request):
            fitted = self._fit(request)
            return fitted.residuals(fitted.fitted())[0]

    def fit_many(self, requests: Sequence[FitRequest], workers: int) -> list[EngineFit]:
        """Fit several models one after another; `workers` changes nothing."""
        return [self.fit(request) for request in requests]

    def _fit(self, request: FitRequest) -> StructuredFit:
        reason = self.cannot(request)
        if reason is not None:
            raise ArgumentError(f"The engine {self.name!r} cannot fit this model: {reason}")
        return fit_structured(request, self._model(request))

    def _threads(self, request: FitRequest) -> AbstractContextManager[None]:
        return one_blas_thread(self.cannot(request) is not None or self._model(request).dense_count < _LARGE)

    def _model(self, request: FitRequest) -> Model:
        if self._last is None or self._last[0] is not request:
            self._last = request, build_model(request)
        return self._last[1]


def _engine_fit(fit: StructuredFit, begin: float) -> EngineFit:
    found = _tables(fit, begin)
    if fit.meter is not None:
        fit.meter.finish()
    return found


def _tables(fit: StructuredFit, begin: float) -> EngineFit:
    freedom = fit.freedom
    values = fit.fitted()
    residuals, whitened = fit.residuals(values)
    if fit.working is None:
        glance = glance_table(fit, freedom, residuals, whitened)
    else:
        glance = binomial_glance_table(fit, fit.working.predictor, freedom)
    return EngineFit(
        parametric=parametric_table(fit, freedom),
        smooths=smooth_table(fit, freedom),
        glance=glance,
        smooth_parts=smooth_parts(fit, freedom),
        parametric_terms=parametric_columns_used(fit.request),
        smoothing_parameters=smoothing_parameters(fit),
        fitted=values,
        residuals=residuals,
        whitened_residuals=whitened,
        design=partial(_design, fit),
        corrected_design=partial(_corrected_design, fit),
        warnings=(*_warnings(fit), *_binomial_warnings(fit, values)),
        notes=_notes(fit),
        versions={"numpy": np.__version__, "scipy": version("scipy")},
        seconds=time.perf_counter() - begin,
    )


def _design(fit: StructuredFit, new_data: pd.DataFrame, exclude: Sequence[str] = ()) -> Design:
    """Return the linear predictor of `new_data` without the terms in `exclude`."""
    estimated = (nested_design if fit.model.outer else design)(fit, new_data, exclude)
    return with_offset(estimated, fit.request.formula, new_data, exclude)


def _corrected_design(fit: StructuredFit, new_data: pd.DataFrame, exclude: Sequence[str] = ()) -> Design:
    """Return `_design` with the uncertainty of the smoothing parameters in its covariance.

    Raises
    ------
    ArgumentError
        A term with coefficients for each level of a random factor is not excluded.
    """
    kept_blocks = [term.label for term in (*fit.model.blocks, *fit.model.outer) if term.label not in exclude]
    if kept_blocks:
        raise ArgumentError(
            "The engine 'structured' corrects the covariance of the other terms only (unconditional=True): exclude "
            f"{', '.join(map(repr, kept_blocks))}, or use unconditional=False."
        )
    conditional = (nested_design if fit.model.outer else design)(fit, new_data, exclude)
    terms = [coefficient.term for coefficient in fit.model.parametric.coefficients]
    terms += [term.label for term in fit.model.dense for _ in range(term.size)]
    kept = np.flatnonzero([term not in exclude for term in terms])
    corrected = replace(conditional, covariance=fit.freedom.corrected[np.ix_(kept, kept)])
    return with_offset(corrected, fit.request.formula, new_data, exclude)


def _notes(fit: StructuredFit) -> tuple[str, ...]:
    """Say what was left out, and where mgcv's own answer depends on rounding errors, so that ours is another."""
    aliased, smooths = fit.model.aliased, fit.request.formula.smooths
    choice = "as in mgcv"
    if aliased.arbitrary:
        of_smooths = any(term.aliased for term in fit.model.dense)
        choice = "mgcv may leave out others in their place, with the same fit" + (
            ", but other degrees of freedom and tests of these smooths" if of_smooths else ""
        )
    notes = (
        f"The data cannot tell {', '.join(aliased.names)} from the other terms: left out, with an estimate of zero and "
        f"no standard error ({choice}).",
    )
    shrunk = tuple(
        f"{smooth.label} shrinks two straight lines to different degrees, and rounding errors decide in mgcv which of "
        "them more. bs = 'ts' shrinks them alike."
        for smooth in smooths
        if smooth.bases[0] == "cs"
    )
    null_spaces = tuple(
        f"{smooth.label} penalises {penalties - 1} functions of the null space of its basis one by one, along the axes "
        "that mgcv has without rounding errors. In mgcv they can hang on those: its score can then change with the "
        "unit of the covariate. With m = 1 and thin plates there is only the constant."
        for smooth, penalties in fit.model.factor_smooths
        if penalties > 2
    )
    first_order = (
        "df and AIC leave out the second-order uncertainty of the smoothing parameters, which mgcv adds with method "
        f"{fit.request.method!r}: it is computed for up to {MOST_COEFFICIENTS} coefficients (here "
        f"{coefficient_count(fit.model)}), and where smooths have all their coefficients: else rounding errors decide "
        "whether mgcv adds it. With method 'fREML' mgcv leaves it out too.",
    )
    tied = tuple(
        f"{term.label} contains a smaller smooth and loses columns, of which several tie: here the last of them; in "
        "mgcv rounding errors choose, and scores differ by up to a few units. ti() contains no smaller smooth."
        for term in fit.model.dense
        if term.arbitrary
    )
    noted = first_order if fit.freedom.leaves_out_second_order else ()
    cost = note_on_cost(fit.model, fit.optimum.solution.penalties.count, fit.meter.expected) if fit.meter else ()
    sampled = sample_notes(fit.request)
    return (*(notes if aliased.names else ()), *shrunk, *null_spaces, *tied, *noted, *sampled, *cost)


def _warnings(fit: StructuredFit) -> tuple[str, ...]:
    if fit.optimum.converged:
        return ()
    gradient = np.abs(fit.optimum.derivatives.gradient).max()
    return (
        f"The smoothing parameters did not converge: the largest element of the gradient is {gradient:.3g} after "
        f"{fit.optimum.iterations} steps. The numbers are those of the last step.",
    )


def _binomial_warnings(fit: StructuredFit, fitted: np.ndarray) -> tuple[str, ...]:
    if fit.working is None:
        return ()
    found = separation_warnings(fit.request, fitted)
    if not fit.working.converged:
        found += (
            f"The working models did not converge: the deviance still changed by {fit.working.change:.3g} of its size "
            f"in the last of {fit.working.iterations} steps. The numbers are those of the last step.",
        )
    return found
