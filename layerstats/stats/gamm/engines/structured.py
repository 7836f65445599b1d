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
from layerstats.stats.gamm.engine_interface import CannotFit, Design, EngineFit, FitPlan, FitRequest
from layerstats.stats.gamm.engines.structured_plan import StructuredPlan, plan_structured
from layerstats.stats.gamm.structured.autoregression import estimate_rho
from layerstats.stats.gamm.structured.cost import note_on_cost
from layerstats.stats.gamm.structured.fitting import StructuredFit, fit_structured
from layerstats.stats.gamm.structured.full_crossproduct import MOST_COEFFICIENTS, coefficient_count
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
from layerstats.stats.gamm.written_terms import parametric_columns_used
from layerstats.stats.one_thread import one_blas_thread

# Columns of the dense corner from which threads of BLAS gain more than they cost.
_LARGE = 300


class StructuredEngine:
    """Fits Gaussian models in milliseconds that take mgcv minutes, with the same results.

    Examples
    --------
    >>> StructuredEngine().name
    'structured'
    """

    name = "structured"

    def available(self) -> str | None:
        """Return None: the engine needs nothing beyond this package."""
        return None

    def plan(self, request: FitRequest) -> StructuredPlan | CannotFit:
        """Return the request with its model, or why the engine does not express it."""
        return plan_structured(request)

    def estimate_rho(self, plan: FitPlan) -> float:
        """Return the AR(1) parameter by REML (or ML), jointly with the smoothing parameters."""
        own = _own(plan)
        with _threads(own):
            return estimate_rho(own.request, own.model)

    def fit(self, plan: FitPlan) -> EngineFit:
        """Fit one model.

        Raises
        ------
        FitError
            The data do not determine its coefficients.
        """
        begin, own = time.perf_counter(), _own(plan)
        with _threads(own):
            return _engine_fit(fit_structured(own.request, own.model), begin)

    def residuals(self, plan: FitPlan) -> np.ndarray:
        """Fit one model for its residuals alone, (row,).

        Raises
        ------
        FitError
            As `fit`.
        """
        own = _own(plan)
        with _threads(own):
            fitted = fit_structured(own.request, own.model)
            return fitted.residuals(fitted.fitted())[0]

    def is_large(self, plan: FitPlan) -> bool:
        """Return whether a fit gains from the threads of BLAS."""
        return _own(plan).model.dense_count >= _LARGE


def _own(plan: FitPlan) -> StructuredPlan:
    if not isinstance(plan, StructuredPlan):
        raise ArgumentError(f"The engine 'structured' fits what its own plan() returned, but got {plan!r} instead.")
    return plan


def _threads(plan: StructuredPlan) -> AbstractContextManager[None]:
    return one_blas_thread(plan.model.dense_count < _LARGE)


def _engine_fit(fit: StructuredFit, begin: float) -> EngineFit:
    found = _tables(fit, begin)
    if fit.meter is not None:
        fit.meter.finish()
    return found


def _tables(fit: StructuredFit, begin: float) -> EngineFit:
    edf = fit.edf
    values = fit.fitted()
    residuals, whitened = fit.residuals(values)
    if fit.working is None:
        glance = glance_table(fit, edf, residuals, whitened)
    else:
        glance = binomial_glance_table(fit, fit.working.predictor, edf)
    return EngineFit(
        parametric=parametric_table(fit, edf),
        smooths=smooth_table(fit, edf),
        glance=glance,
        smooth_parts=smooth_parts(fit, edf),
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
    corrected = replace(conditional, covariance=fit.edf.corrected[np.ix_(kept, kept)])
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
    noted = first_order if fit.edf.leaves_out_second_order else ()
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
