"""The tables of a cumulative link mixed model, whoever found its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from layerstats.stats.ratings.mixed_models.category_thresholds import Thresholds
from layerstats.stats.ratings.mixed_models.clmm_result import ClmmResult
from layerstats.stats.ratings.mixed_models.coded_columns import CodedColumns
from layerstats.stats.ratings.mixed_models.mixed_formula import MixedFormula
from layerstats.stats.ratings.mixed_models.random_factors import RandomFactor
from layerstats.stats.ratings.mixed_models.rated_rows import RatedRows

# A standard deviation, or what a correlation lacks of one, that counts as none.
_ZERO = 1e-3


@dataclass(frozen=True, eq=False)
class ClmmParts:
    """A model and its data, before anything is estimated.

    Attributes
    ----------
    formula
        As it was read.
    rows
        The data.
    fixed_design, scale_design
        Columns of the fixed part and of the logarithm of the scale, without intercepts.
    factors
        Random factors, the one with most levels first.
    thresholds
        Of the categories.
    link
        ``"logit"`` or ``"probit"``.
    """

    formula: MixedFormula
    rows: RatedRows
    fixed_design: CodedColumns
    scale_design: CodedColumns
    factors: tuple[RandomFactor, ...]
    thresholds: Thresholds
    link: str

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of all parameters, in order."""
        scale = [f"scale {name}" for name in self.scale_design.names]
        roots = [name for factor in self.factors for name in factor.parameter_names()]
        return (*self.thresholds.names, *self.fixed_design.names, *scale, *roots)


@dataclass(frozen=True, eq=False)
class ClmmEstimates:
    """What an engine found.

    Attributes
    ----------
    parameters
        Thresholds as reported, fixed effects, scale effects, and the free elements of each factor's root.
    covariance
        Of these.
    modes
        `group, level, term, mode, std_error`.
    log_likelihood
        At the maximum.
    approximation
        How random effects were integrated out.
    max_gradient
        The largest derivative, each times the standard error of its parameter.
    condition_number
        Of the second derivatives.
    iterations
        Of the optimiser.
    engine
        Who fitted.
    notes
        What to know of this engine's fit.
    """

    parameters: np.ndarray
    covariance: np.ndarray
    modes: pd.DataFrame
    log_likelihood: float
    approximation: str
    max_gradient: float
    condition_number: float
    iterations: int
    engine: str
    notes: tuple[str, ...] = ()


def tabulate(model: ClmmParts, found: ClmmEstimates) -> ClmmResult:
    """Return the result of a fit."""
    thresholds, factors, rows = model.thresholds, model.factors, model.rows
    scale_names = [f"scale {name}" for name in model.scale_design.names]
    names = list(model.parameter_names)
    estimates = pd.Series(found.parameters, index=names)
    covariance = pd.DataFrame(found.covariance, index=names, columns=names)
    random, correlations = _random_tables(factors, found.parameters)
    variables = [*model.fixed_design.variables().values(), *model.scale_design.variables().values()]
    formula = model.formula
    used = [column for column in formula.columns if column != formula.response and column in formula.design_columns]
    return ClmmResult(
        coefficients=_wald(estimates, covariance, model.fixed_design.names),
        thresholds=_wald(estimates, covariance, thresholds.names),
        scale=_wald(estimates, covariance, scale_names).assign(term=list(model.scale_design.names)),
        random=random,
        correlations=correlations,
        glance=_glance(model, found),
        notes=(*rows.notes, *found.notes, *_edge_notes(factors, random, correlations)),
        covariance=covariance,
        estimates=estimates,
        modes=found.modes,
        formula=str(formula),
        link=model.link,
        categories=rows.categories,
        levels={str(own.expression): own.levels for own in variables if own.levels is not None},
        frame=pd.DataFrame(rows.frame[used]),
        response=rows.codes,
        fixed_design=model.fixed_design,
        scale_design=model.scale_design,
        factors=factors,
        threshold_parameters=thresholds,
    )


def _glance(model: ClmmParts, found: ClmmEstimates) -> pd.DataFrame:
    size, log_lik = len(found.parameters), found.log_likelihood
    return pd.DataFrame(
        {
            "log_lik": [log_lik],
            "aic": [2 * size - 2 * log_lik],
            "bic": [size * np.log(len(model.rows.codes)) - 2 * log_lik],
            "df": [size],
            "nobs": [len(model.rows.codes)],
            "link": [model.link],
            "threshold": [model.thresholds.kind],
            "approximation": [found.approximation],
            "categories": [len(model.rows.categories)],
            "max_gradient": [found.max_gradient],
            "condition_number": [found.condition_number],
            "iterations": [found.iterations],
            "engine": [found.engine],
        }
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


def _random_tables(factors: Sequence[RandomFactor], parameters: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, pairs = [], []
    start = len(parameters) - sum(len(factor.free) for factor in factors)
    for factor in factors:
        root = factor.root(parameters[start : start + len(factor.free)])
        start += len(factor.free)
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


def join_modes(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the modes of all factors as one table."""
    if parts:
        return pd.concat(parts, ignore_index=True)
    return pd.DataFrame(columns=pd.Index(["group", "level", "term", "mode", "std_error"]))


def mode_rows(factor: RandomFactor, modes: np.ndarray, errors: np.ndarray) -> pd.DataFrame:
    """Return modes and their standard deviations, (level, effect), a row an effect."""
    return pd.DataFrame(
        {
            "group": factor.name,
            "level": np.repeat(np.array(factor.levels, dtype=object), factor.width),
            "term": np.tile(np.array(factor.effects, dtype=object), len(factor.levels)),
            "mode": modes.ravel(),
            "std_error": errors.ravel(),
        }
    )


def _edge_notes(factors: Sequence[RandomFactor], random: pd.DataFrame, correlations: pd.DataFrame) -> list[str]:
    """Return notes on standard deviations of zero and correlations of one."""
    notes = []
    # In units of the link, whatever those of a slope's column are.
    largest = np.concatenate([np.abs(factor.columns).max(axis=0) for factor in factors] or [np.zeros(0)])
    moved = random["std_dev"] * largest
    for group, term, deviation in zip(random["group"], random["term"], moved, strict=True):
        if deviation < _ZERO:
            notes.append(f"The standard deviation of {term} of {group} is zero: the term changes nothing.")
    for group, first, second, value in correlations.itertuples(index=False, name=None):
        if abs(value) > 1 - _ZERO:
            notes.append(
                f"The correlation of {first} and {second} of {group} is {value:.3f}: the data determine fewer "
                "dimensions than were asked for."
            )
    return notes
