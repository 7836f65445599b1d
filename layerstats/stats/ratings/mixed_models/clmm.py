"""Cumulative link mixed models of ratings in ordered categories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from layerstats.checks import check_choice
from layerstats.stats.ratings.mixed_models.category_thresholds import THRESHOLDS, Thresholds
from layerstats.stats.ratings.mixed_models.clmm_optimum import ClmmOptimum, find_optimum
from layerstats.stats.ratings.mixed_models.clmm_result import ClmmResult
from layerstats.stats.ratings.mixed_models.coded_columns import INTERCEPT, CodedColumns, code_columns
from layerstats.stats.ratings.mixed_models.laplace_likelihood import LaplaceLikelihood
from layerstats.stats.ratings.mixed_models.link_derivatives import LINKS, quantile
from layerstats.stats.ratings.mixed_models.mixed_formula import MixedFormula, parse_mixed_formula
from layerstats.stats.ratings.mixed_models.random_factors import RandomFactor, build_factors
from layerstats.stats.ratings.mixed_models.rated_rows import Levels, RatedRows, rated_rows


def clmm(
    formula: str,
    data: pd.DataFrame,
    *,
    link: str = "logit",
    threshold: str = "flexible",
    scale: str | None = None,
    levels: Levels | None = None,
    na: str = "error",
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
    written = parse_mixed_formula(formula, data.columns if isinstance(data, pd.DataFrame) else None, scale)
    rows = rated_rows(written, data, levels, na)
    designs = [_without_intercept(code_columns(part, rows.frame)) for part in (written.fixed, written.scale)]
    factors = build_factors(written.random, rows.frame)
    columns = [design.matrix(rows.frame) for design in designs]
    thresholds = Thresholds(threshold, rows.categories)
    likelihood = LaplaceLikelihood(rows.codes, thresholds, columns[0], columns[1], factors, link)
    optimum = find_optimum(likelihood, _start(likelihood))
    return _result(written, rows, designs, likelihood, optimum)


def _without_intercept(design: CodedColumns) -> CodedColumns:
    return design.keep([place for place, name in enumerate(design.names) if name != INTERCEPT])


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


def _result(
    formula: MixedFormula,
    rows: RatedRows,
    designs: Sequence[CodedColumns],
    likelihood: LaplaceLikelihood,
    optimum: ClmmOptimum,
) -> ClmmResult:
    thresholds, factors = likelihood.thresholds, likelihood.factors
    free = optimum.parameters[likelihood.spans[0]]
    design, scale_design = designs
    scale_names = [f"scale {name}" for name in scale_design.names]
    root_names = [name for factor in factors for name in factor.parameter_names()]
    names = [*thresholds.names, *design.names, *scale_names, *root_names]
    jacobian = np.eye(likelihood.size)
    jacobian[likelihood.spans[0], likelihood.spans[0]] = thresholds.reported_jacobian(free)
    values = optimum.parameters.copy()
    values[likelihood.spans[0]] = thresholds.reported(free)
    inverse = np.linalg.pinv(optimum.information)
    spread = np.sqrt(np.diag(inverse))
    covariance = jacobian @ inverse @ jacobian.T
    reported = np.linalg.inv(jacobian)
    eigenvalues = np.linalg.eigvalsh(reported.T @ optimum.information @ reported)
    estimates = pd.Series(values, index=names)
    frame = pd.DataFrame(covariance, index=names, columns=names)
    random, correlations = _random_tables(likelihood, optimum.parameters)
    log_lik = optimum.mode.log_likelihood
    glance = pd.DataFrame(
        {
            "log_lik": [log_lik],
            "aic": [2 * likelihood.size - 2 * log_lik],
            "bic": [likelihood.size * np.log(len(rows.codes)) - 2 * log_lik],
            "df": [likelihood.size],
            "nobs": [len(rows.codes)],
            "link": [likelihood.link],
            "threshold": [thresholds.kind],
            "approximation": ["Laplace" if factors else "none"],
            "categories": [len(rows.categories)],
            "max_gradient": [float(np.abs(optimum.gradient * spread).max())],
            "condition_number": [float(eigenvalues[-1] / eigenvalues[0])],
            "iterations": [optimum.steps],
        }
    )
    variables = [*design.variables().values(), *scale_design.variables().values()]
    scale_table = _wald(estimates, frame, scale_names)
    used = [column for column in formula.columns if column != formula.response and column in formula.design_columns]
    return ClmmResult(
        coefficients=_wald(estimates, frame, design.names),
        thresholds=_wald(estimates, frame, thresholds.names),
        scale=scale_table.assign(term=list(scale_design.names)),
        random=random,
        correlations=correlations,
        glance=glance,
        notes=rows.notes,
        covariance=frame,
        estimates=estimates,
        modes=_modes(likelihood, optimum),
        formula=str(formula),
        link=likelihood.link,
        categories=rows.categories,
        levels={str(own.expression): own.levels for own in variables if own.levels is not None},
        frame=pd.DataFrame(rows.frame[used]),
        fixed_design=design,
        scale_design=scale_design,
        factors=tuple(factors),
        threshold_parameters=thresholds,
    )


def _wald(estimates: pd.Series, covariance: pd.DataFrame, terms: Sequence[str]) -> pd.DataFrame:
    places = list(terms)
    estimate = np.array([estimates[place] for place in places], dtype=float)
    error = np.sqrt(np.diag(covariance.loc[places, places].to_numpy(dtype=float)))
    statistic = estimate / error
    return pd.DataFrame(
        {
            "term": pd.Series(places, dtype=str),
            "estimate": estimate,
            "std_error": error,
            "statistic": statistic,
            "p_value": 2 * special.ndtr(-np.abs(statistic)),
        }
    )


def _random_tables(likelihood: LaplaceLikelihood, parameters: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, pairs = [], []
    for factor, root in zip(likelihood.factors, likelihood.roots(parameters), strict=True):
        covariance = root @ root.T
        deviations = np.sqrt(np.diag(covariance))
        for effect, deviation in zip(factor.effects, deviations, strict=True):
            rows.append((factor.name, effect, float(deviation), len(factor.levels)))
        for first, second in factor.free:
            if first != second:
                size = deviations[first] * deviations[second]
                value = covariance[first, second] / size if size > 0 else np.nan
                pairs.append((factor.name, factor.effects[second], factor.effects[first], float(value)))
    random = pd.DataFrame(rows, columns=["group", "term", "std_dev", "levels"])
    return random, pd.DataFrame(pairs, columns=["group", "term_1", "term_2", "correlation"])


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
        parts.append(_mode_rows(factor, effects @ root.T, np.sqrt(spread)))
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["group", "level", "term", "mode", "std_error"])
    )


def _mode_rows(factor: RandomFactor, modes: np.ndarray, errors: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": factor.name,
            "level": np.repeat(np.array(factor.levels, dtype=object), factor.width),
            "term": np.tile(np.array(factor.effects, dtype=object), len(factor.levels)),
            "mode": modes.ravel(),
            "std_error": errors.ravel(),
        }
    )
