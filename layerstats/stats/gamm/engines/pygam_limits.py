"""What the fallback engine cannot fit, and why."""

from __future__ import annotations

import pandas as pd

from layerstats.stats.gamm.data.factors import copies_of
from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.engines.treatment_coding import cannot_code
from layerstats.stats.gamm.formula.expression import Constant, Name, can_evaluate
from layerstats.stats.gamm.formula.terms import SmoothTerm

# Its only basis is the P-spline, which comes close to these.
_BASES = {"tp", "cr", "ps", "bs"}
_OPTIONS = {"k", "bs"}
_SMALLEST_BASIS = 3


def why_not_pygam(request: FitRequest) -> str | None:
    """Return None where pygam can fit `request`, else the reason why not."""
    if request.family != "gaussian":
        return f"it fits the Gaussian family only here, not {request.family!r}"
    if request.rho != 0:
        return "it has no AR(1) residuals"
    if request.method != "fREML":
        return f"it chooses smoothing by GCV and has no {request.method} score"
    if request.knots is not None:
        return "it places knots itself (knots)"
    if request.weights is not None and (request.weights == 0).any():
        return "it takes no rows of weight zero"
    if request.discrete:
        return "it does not discretise covariates"
    for smooth in request.formula.smooths:
        reason = _why_not_smooth(smooth, request)
        if reason is not None:
            return reason
    return cannot_code(request.formula)


def _why_not_smooth(smooth: SmoothTerm, request: FitRequest) -> str | None:
    if smooth.random:
        return f"it has no random effects or factor smooths ({smooth.label})"
    if smooth.function not in ("s", "te"):
        return f"it has no {smooth.function}() ({smooth.label})"
    if smooth.function == "s" and len(smooth.variables) > 1:
        return f"it has no smooths of several variables on one scale ({smooth.label}); te() it has"
    if smooth.function == "te" and len(smooth.variables) == 1:
        return f"te() needs two variables or more ({smooth.label})"
    if not set(smooth.bases) <= _BASES:
        return f"it has no basis {', '.join(sorted(set(smooth.bases) - _BASES))} ({smooth.label})"
    extra = [name for name, value in smooth.options if name not in _OPTIONS and value != Constant("FALSE")]
    if extra:
        return f"it has no option {', '.join(extra)} ({smooth})"
    if smooth.unread is not None:
        return f"it cannot evaluate {smooth.unread}"
    if any(not can_evaluate(variable) for variable in smooth.variables):
        return f"it cannot evaluate the variables of {smooth.label}; make columns of them first"
    if min(smooth.basis_dimensions or (_SMALLEST_BASIS,)) < _SMALLEST_BASIS:
        return f"it needs k = {_SMALLEST_BASIS} or more ({smooth})"
    return _why_not_by(smooth, request)


def _why_not_by(smooth: SmoothTerm, request: FitRequest) -> str | None:
    if smooth.by is None:
        return None
    if not isinstance(smooth.by, Name):
        return f"'by' must be a column ({smooth})"
    column = smooth.by.name
    if isinstance(request.frame[column].dtype, pd.CategoricalDtype):
        main_effects = {str(term.factors[0]) for term in request.formula.parametric if len(term.factors) == 1}
        if not main_effects & {str(Name(name)) for name in (column, *copies_of(request.frame, column))}:
            return f"smooths by {column!r} need {column!r} among the parametric terms as well"
    return None
