"""A fitted model in words and numbers, laid out as R's summary.gam."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from layerstats.tables.printing import text_table

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult

_KNOWN_SCALE = ("binomial", "poisson", "nb", "negbin", "ocat")
# More coefficients than this are seldom read at a console.
_MOST_TERMS = 60


def model_summary(result: GammResult) -> str:
    """Return the text that a fitted model prints as.

    Parameters
    ----------
    result
        A fitted model of any engine.

    Returns
    -------
    str
        Family, formula, coefficients with 95 % intervals, smooth terms, a few numbers on the whole model, and notes. No
        stars: p-values are numbers.
    """
    known = result.request.family.partition("(")[0] in _KNOWN_SCALE
    glance = result.glance.iloc[0]
    parts = [
        f"Family: {result.request.family}" + (f", AR(1) residuals with rho = {result.rho:.4g}" if result.rho else ""),
        f"Formula: {result.formula}",
    ]
    if len(result.parametric):
        names = {"statistic": "z value" if known else "t value", "conf_low": "95 % from", "conf_high": "to"}
        columns = ["term", "estimate", "std_error", "conf_low", "conf_high", "statistic", "p_value"]
        shown = text_table(result.parametric, columns, names, _MOST_TERMS)
        parts.append(f"Parametric coefficients:\n{shown}")
    if len(result.smooths):
        names = {"statistic": "Chi-sq." if known else "F"}
        shown = text_table(result.smooths, labels=names, most_rows=_MOST_TERMS)
        parts.append(f"Smooth terms:\n{shown}")
    parts.append(_whole_model(glance))
    versions = ", ".join(f"{name} {number}" for name, number in result.versions.items())
    parts.append(f"Fitted by {result.engine} ({versions}) in {result.seconds:.2f} s")
    parts += [f"Note: {note}" for note in result.notes]
    parts += [f"Warning: {warning}" for warning in result.warnings]
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
