"""Cumulative link mixed models of ratings in ordered categories."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.stats.ratings.mixed_models.category_thresholds import THRESHOLDS, Thresholds
from layerstats.stats.ratings.mixed_models.clmm_by_r import ENGINES, fit_by_r
from layerstats.stats.ratings.mixed_models.clmm_optimum import ClmmOptimum, find_optimum
from layerstats.stats.ratings.mixed_models.clmm_result import ClmmResult
from layerstats.stats.ratings.mixed_models.clmm_tables import ClmmEstimates, ClmmParts, join_modes, mode_rows, tabulate
from layerstats.stats.ratings.mixed_models.coded_columns import INTERCEPT, CodedColumns, code_columns
from layerstats.stats.ratings.mixed_models.laplace_likelihood import LaplaceLikelihood
from layerstats.stats.ratings.mixed_models.link_derivatives import LINKS, quantile
from layerstats.stats.ratings.mixed_models.mixed_formula import parse_mixed_formula
from layerstats.stats.ratings.mixed_models.random_factors import build_factors
from layerstats.stats.ratings.mixed_models.rated_rows import Levels, rated_rows


def clmm(
    formula: str,
    data: pd.DataFrame,
    *,
    link: str = "logit",
    threshold: str = "flexible",
    scale: str | None = None,
    levels: Levels | None = None,
    na: str = "error",
    engine: str = "layerstats",
) -> ClmmResult:
    """Fit a cumulative link mixed model to ratings.

    Random effects are integrated out by Laplace's approximation, as the R packages ordinal and lme4 do; standard errors
    are of the second derivatives of that likelihood (Christensen 2019, cumulative link models with the R package
    ordinal).

    Parameters
    ----------
    formula : str
        In lme4's language: ``"rating ~ temp * contact + (1 + temp | judge) + (1 | clip)"``. Text columns are factors
        with treatment contrasts; ``factor(x)``, ``poly(x, 2)``, ``log(x)`` and arithmetic in ``I()`` are understood.
    data : DataFrame
        A row a rating. The response holds whole numbers, ordered categories, or text with its order in `levels`. Of two
        categories the model is the mixed logistic (or probit) one of the second category.
    link : str
        ``"logit"`` or ``"probit"``.
    threshold : str
        ``"flexible"``, or ``"equidistant"``: the first threshold and one spacing.
    scale : str, optional
        A one-sided formula, ``"~ temp"``: the logarithm of the scale of the latent variable depends on it.
    levels : mapping, optional
        Order of the levels of columns, the reference first, or of the response, lowest first; sorted by default.
    na : str
        ``"error"``, or ``"omit"``: rows with missing values are left out with a note.
    engine : str
        Who fits: ``"layerstats"``, or in R ``"ordinal"`` (`clmm`, the same likelihood) or ``"mgcv"`` (`gam` with the
        family `ocat`: see `fit_by_r` for what differs). Means and contrasts are the same functions of what is found.

    Returns
    -------
    ClmmResult
        Tables of coefficients, thresholds and random effects.

    Raises
    ------
    FormulaError
        The formula cannot be read, or names a column that is not there.
    DataError
        The data do not fit the model.
    FitError
        It did not converge.
    UnsupportedModelError
        The engine does not fit models of this kind.

    Examples
    --------
    >>> ratings = pd.DataFrame({"rater": list("aaaabbbbcccc"), "system": list("xxyy") * 3})
    >>> ratings["rating"] = [int(rating) for rating in "123422451323"]
    >>> model = clmm("rating ~ system + (1 | rater)", ratings)
    >>> print(model.coefficients[["term", "estimate"]].round(2).to_string(index=False))
       term  estimate
    systemy      3.64
    """
    check_choice("link", link, LINKS)
    check_choice("threshold", threshold, THRESHOLDS)
    check_choice("engine", engine, ENGINES)
    written = parse_mixed_formula(formula, data.columns if isinstance(data, pd.DataFrame) else None, scale)
    rows = rated_rows(written, data, levels, na)
    fixed, scale_design = (
        _without_intercept(code_columns(part, rows.frame)) for part in (written.fixed, written.scale)
    )
    thresholds = Thresholds(threshold, rows.categories)
    model = ClmmParts(
        written, rows, fixed, scale_design, tuple(build_factors(written.random, rows.frame)), thresholds, link
    )
    return tabulate(model, _estimates(model) if engine == "layerstats" else fit_by_r(model, engine))


def _without_intercept(design: CodedColumns) -> CodedColumns:
    return design.keep([place for place, name in enumerate(design.names) if name != INTERCEPT])


def _estimates(model: ClmmParts) -> ClmmEstimates:
    """Maximise the Laplace likelihood and take the maximum to parameters as they are reported."""
    fixed, scale = (design.matrix(model.rows.frame) for design in (model.fixed_design, model.scale_design))
    likelihood = LaplaceLikelihood(model.rows.codes, model.thresholds, fixed, scale, model.factors, model.link)
    optimum = find_optimum(likelihood, _start(likelihood))
    free = optimum.parameters[likelihood.spans[0]]
    jacobian = np.eye(likelihood.size)
    jacobian[likelihood.spans[0], likelihood.spans[0]] = model.thresholds.reported_jacobian(free)
    values = optimum.parameters.copy()
    values[likelihood.spans[0]] = model.thresholds.reported(free)
    inverse = np.linalg.pinv(optimum.information)
    reported = np.linalg.inv(jacobian)
    eigenvalues = np.linalg.eigvalsh(reported.T @ optimum.information @ reported)
    return ClmmEstimates(
        parameters=values,
        covariance=jacobian @ inverse @ jacobian.T,
        modes=_modes(likelihood, optimum),
        log_likelihood=optimum.mode.log_likelihood,
        approximation="Laplace" if model.factors else "none",
        max_gradient=float(np.abs(optimum.gradient * np.sqrt(np.diag(inverse))).max()),
        condition_number=float(eigenvalues[-1] / eigenvalues[0]),
        iterations=optimum.steps,
        engine="layerstats",
    )


def _start(likelihood: LaplaceLikelihood) -> np.ndarray:
    """Return thresholds of the shares of the categories, no effects, and random effects of some size."""
    thresholds = likelihood.thresholds
    counts = np.bincount(likelihood.codes, minlength=len(thresholds.categories))
    between = quantile(likelihood.link, np.cumsum(counts)[:-1] / counts.sum())
    if thresholds.kind == "equidistant":
        spacing = (between[-1] - between[0]) / max(len(between) - 1, 1)
        between = np.array([between.mean() - spacing * (len(between) - 1) / 2, spacing])
    start = np.zeros(likelihood.size)
    start[likelihood.spans[0]] = thresholds.free(between)
    for factor, span in zip(likelihood.factors, likelihood.spans[3:], strict=True):
        start[span] = factor.start()
    return start


def _modes(likelihood: LaplaceLikelihood, optimum: ClmmOptimum) -> pd.DataFrame:
    """Return the conditional modes of random effects, with the standard deviation about them."""
    parts = []
    blocks, corner, _ = optimum.mode.curvature.covariances()
    start = 0
    by_level = likelihood.by_level(optimum.mode.effects)
    roots = likelihood.roots(optimum.parameters)
    for number, (factor, root, effects) in enumerate(zip(likelihood.factors, roots, by_level, strict=True)):
        count = len(factor.levels) * factor.width
        if number:
            own = corner[start : start + count, start : start + count]
            own = own.reshape(len(factor.levels), factor.width, len(factor.levels), factor.width)
            variances = own[np.arange(len(factor.levels)), :, np.arange(len(factor.levels)), :]
            start += count
        else:
            variances = blocks
        spread = np.einsum("ab,lbc,ac->la", root, variances, root)
        parts.append(mode_rows(factor, effects @ root.T, np.sqrt(spread)))
    return join_modes(parts)
