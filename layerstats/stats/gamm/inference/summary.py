"""A fitted model in words and numbers, laid out as R's summary.gam."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerstats.stats.gamm.engine_interface import EngineFit, FitRequest
from layerstats.tables import check_frame
from layerstats.tables.printing import text_table

_KNOWN_SCALE = ("binomial", "poisson", "nb", "negbin", "ocat")
# More coefficients than this are seldom read at a console.
_MOST_TERMS = 60


def model_summary(request: FitRequest, fit: EngineFit, engine: str, notes: Sequence[str]) -> str:
    """Return the text that a fitted model prints as.

    Parameters
    ----------
    request, fit
        What was fitted, and what the engine reported.
    engine
        Its name.
    notes
        On the fit.

    Returns
    -------
    str
        Family, formula, coefficients with 95 % intervals, smooth terms, a few numbers on the whole model, and notes. No
        stars: p-values are numbers.
    """
    known = request.family.partition("(")[0] in _KNOWN_SCALE
    glance = check_frame(fit.glance.copy(), "glance").iloc[0]
    parametric = check_frame(fit.parametric.copy(), "parametric")
    smooths = check_frame(fit.smooths.copy(), "smooths")
    parts = [
        f"Family: {request.family}" + (f", AR(1) residuals with rho = {request.rho:.4g}" if request.rho else ""),
        f"Formula: {request.formula}",
    ]
    if len(parametric):
        names = {"statistic": "z value" if known else "t value", "conf_low": "95 % from", "conf_high": "to"}
        columns = ["term", "estimate", "std_error", "conf_low", "conf_high", "statistic", "p_value"]
        shown = text_table(parametric, columns, names, _MOST_TERMS)
        parts.append(f"Parametric coefficients:\n{shown}")
    if len(smooths):
        names = {"statistic": "Chi-sq." if known else "F"}
        shown = text_table(smooths, labels=names, most_rows=_MOST_TERMS)
        parts.append(f"Smooth terms:\n{shown}")
    parts.append(_whole_model(glance))
    versions = ", ".join(f"{name} {number}" for name, number in fit.versions.items())
    parts.append(f"Fitted by {engine} ({versions}) in {fit.seconds:.2f} s")
    parts += [f"Note: {note}" for note in notes]
    parts += [f"Warning: {warning}" for warning in fit.warnings]
    return "\n\n".join(parts)


def _whole_model(glance: object) -> str:
    explained, adjusted = glance["deviance_explained"], glance["adj_r_squared"]  # type: ignore[index]
    words = [f"R-sq.(adj) = {adjusted:.3g}"] if not np.isnan(adjusted) else []
    words.append(f"Deviance explained = {100 * explained:.3g} %")
    score, scale = glance["score"], glance["scale"]  # type: ignore[index]
    words.append(f"{glance['method']} = {score:.5g}")  # type: ignore[index]
    words.append(f"Scale est. = {scale:.5g}")
    words.append(f"n = {int(glance['nobs'])}")  # type: ignore[index]
    return "   ".join(words)
