"""A fit as the tables of `EngineFit`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from layerstats.stats.gamm.engine_interface import SmoothPart
from layerstats.stats.gamm.structured.fitting import StructuredFit
from layerstats.stats.gamm.structured.inference.block_test import block_random_test
from layerstats.stats.gamm.structured.edf import EffectiveDf
from layerstats.stats.gamm.structured.inference.random_test import dense_random_test
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest, smooth_test
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.nested import NestedEffectiveDf
from layerstats.stats.gamm.structured.nested.nested_block_test import nested_block_test
from layerstats.stats.gamm.structured.nested.group_test import dense_random_test as nested_dense_test
from layerstats.stats.gamm.structured.nested.group_test import group_random_test
from layerstats.stats.gamm.structured.whitening import log_determinant
from layerstats.stats.gamm.written_terms import written_smooths


def parametric_table(fit: StructuredFit, effective_df: EffectiveDf) -> pd.DataFrame:
    """Return ``term, estimate, std_error, statistic, p_value, conf_low, conf_high`` of the parametric coefficients."""
    part = fit.model.parametric
    names = [coefficient.name for coefficient in part.coefficients]
    estimate = fit.coefficients[: len(names)]
    error = np.sqrt(np.diag(effective_df.bayesian)[: len(names)])
    statistic = estimate / error
    p_value = 2 * special.stdtr(fit.residual_freedom, -np.abs(statistic))
    margin = error * special.stdtrit(fit.residual_freedom, 0.975)
    table = pd.DataFrame(
        {
            "term": names,
            "estimate": estimate,
            "std_error": error,
            "statistic": statistic,
            "p_value": p_value,
            "conf_low": estimate - margin,
            "conf_high": estimate + margin,
        }
    )
    if not part.aliased:
        return table
    # As in mgcv: zero, without a test.
    table = table.set_index("term").reindex([coefficient.name for coefficient in part.written])
    return table.fillna({"estimate": 0.0, "std_error": 0.0}).reset_index()


def smooth_table(fit: StructuredFit, effective_df: EffectiveDf) -> pd.DataFrame:
    """Return ``term, edf, ref_df, statistic, p_value`` of the smooths, in the order of the formula."""
    rows = []
    for part in smooth_parts(fit, effective_df):
        test = _test(fit, effective_df, part)
        # F where the scale is estimated, chi-square where it is known.
        statistic = test.statistic if fit.known_scale is None else test.statistic * test.reference_df
        rows.append((part.label, part.edf, test.reference_df, statistic, test.p_value))
    return pd.DataFrame(rows, columns=["term", "edf", "ref_df", "statistic", "p_value"])


def smooth_parts(fit: StructuredFit, effective_df: EffectiveDf) -> tuple[SmoothPart, ...]:
    """Return what inference needs of each smooth, in the order of the formula."""
    parts = {}
    written = written_smooths(fit.request)
    for term in fit.model.dense:
        edf = float(effective_df.dense[fit.model.dense_spans[term.label]].sum())
        parts[term.label] = SmoothPart(
            term.label, term.size + term.aliased, term.null_dimension, edf, written[term.label]
        )
    for term in fit.model.blocks:
        edf = float(effective_df.block[fit.model.block_spans[term.label]].sum())
        parts[term.label] = SmoothPart(term.label, term.size, 0, edf, written[term.label])
    if isinstance(effective_df, NestedEffectiveDf):
        for term in fit.model.outer:
            edf = float(effective_df.outer[fit.model.outer_spans[term.label]].sum())
            parts[term.label] = SmoothPart(term.label, term.size, 0, edf, written[term.label])
    return tuple(parts[label] for label in fit.model.labels)


def _test(fit: StructuredFit, effective_df: EffectiveDf, part: SmoothPart) -> TermTest:
    residual = fit.residual_freedom
    if isinstance(effective_df, NestedEffectiveDf) and part.null_dimension == 0:
        return _nested_test(fit.model, effective_df, part.label, residual)
    if part.label in fit.model.block_spans:
        return block_random_test(fit.model, effective_df, part.label, residual)
    if part.null_dimension == 0:
        return dense_random_test(fit.model, effective_df, part.label, residual)
    span = fit.model.dense_spans[part.label]
    return smooth_test(
        fit.coefficients[span],
        fit.optimum.solution.system.dense_gram[span, span],
        effective_df.bayesian[span, span],
        float(effective_df.dense_edf1[span].sum()),
        residual,
        next(term for term in fit.model.dense if term.label == part.label).written,
    )


def _nested_test(model: Model, effective_df: NestedEffectiveDf, label: str, residual: float) -> TermTest:
    if label in model.block_spans:
        return nested_block_test(effective_df, residual)
    if label in model.outer_spans:
        return group_random_test(effective_df, model.outer_spans[label], residual)
    return nested_dense_test(effective_df, model.dense_spans[label], residual)


def glance_table(fit: StructuredFit, effective_df: EffectiveDf, residuals: np.ndarray, whitened: np.ndarray) -> pd.DataFrame:
    """Return one row about the model, defined as mgcv's `summary` and `logLik` define them."""
    request = fit.request
    observations = len(request.frame)
    weights = np.ones(observations) if request.weights is None else request.weights
    mean = float(weights @ request.response_values / weights.sum())
    about = request.response_values - mean
    deviance = float(np.sum(residuals**2))
    # About the mean with an intercept or without, as in mgcv.
    null_deviance = float(weights @ about**2)
    df_residual = observations - effective_df.total
    unexplained = np.var(residuals) / np.var(np.sqrt(weights) * about) * (observations - 1) / df_residual
    log_likelihood = -0.5 * float(
        observations * (np.log(2 * np.pi * np.sum(whitened**2) / observations) + 1) - np.sum(np.log(weights))
    ) + log_determinant(fit.correlation, fit.start)
    df = effective_df.total_edf2 + 1
    return pd.DataFrame(
        {
            "nobs": [observations],
            "df": [df],
            "df_residual": [df_residual],
            "log_lik": [log_likelihood],
            "aic": [2 * df - 2 * log_likelihood],
            "bic": [np.log(observations) * df - 2 * log_likelihood],
            "deviance": [deviance],
            "deviance_explained": [1 - deviance / null_deviance],
            "adj_r_squared": [1 - unexplained],
            "scale": [effective_df.scale],
            "score": [fit.optimum.value],
            "method": [request.method],
            "rho": [request.rho],
        }
    )


def smoothing_parameters(fit: StructuredFit) -> np.ndarray:
    """Return the smoothing parameters in the order of the formula, (penalty,)."""
    solution = fit.optimum.solution
    owners = np.array(solution.penalties.labels)
    return np.concatenate([np.zeros(0), *(solution.smoothing[owners == label] for label in fit.model.labels)])
