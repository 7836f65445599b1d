"""What the structured engine builds to find out whether it can fit a request, and fits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from layerstats.stats.gamm.engine_interface import CannotFit, FitPlan, FitRequest
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.model_building import (
    ModelTerms,
    arrange_model,
    build_terms,
    same_blocks,
    with_rho,
)
from layerstats.stats.gamm.structured.unsupported import Unsupported

# Families whose reason says more than that they are not there.
_UNFITTED = {
    "ocat": (
        "working weights do not give what mgcv's gam() gives for ordered categories: with curves of tokens, estimates "
        "are up to a fifth of a standard error away and thresholds 4 percent nearer to each other (see "
        "docs/how-to/ordered-categories.md)"
    )
}


@dataclass(frozen=True, eq=False)
class StructuredPlan(FitPlan):
    """A request whose terms are built.

    Attributes
    ----------
    terms
        The bases; they serve every AR(1) parameter.
    model
        The model of the request. Where rho is yet to be estimated, also that without AR(1), if both have one.
    """

    terms: ModelTerms
    model: Model

    def with_rho(self, rho: float) -> StructuredPlan | CannotFit:
        """Return the plan of the same model with another AR(1) parameter; bases are not built again."""
        request = replace(self.request, rho=rho)
        try:
            return replace(self, request=request, model=with_rho(self.model, self.terms, self.request, request))
        except Unsupported as error:
            return _not_expressed(error)


def plan_structured(request: FitRequest) -> StructuredPlan | CannotFit:
    """Return what the engine fits of a request, or why it cannot: the quick reasons first."""
    reason = _why_not(request)
    if reason is not None:
        return CannotFit(reason)
    try:
        terms = build_terms(request)
        without = replace(request, rho=0.0)
        # The data of a large table are then summed up for the fit without AR(1), which comes first.
        plain = np.isnan(request.rho) and same_blocks(terms, without, request)
        return StructuredPlan(request, terms, arrange_model(terms, without if plain else request))
    except Unsupported as error:
        return _not_expressed(error)


def _not_expressed(error: Unsupported) -> CannotFit:
    return CannotFit(f"it does not express {error}")


def _why_not(request: FitRequest) -> str | None:
    """Return why the engine fits no such request whatever its terms, or None."""
    if request.family not in ("gaussian", "binomial"):
        return _UNFITTED.get(request.family, f"it fits the families 'gaussian' and 'binomial', not {request.family!r}")
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
    return None
