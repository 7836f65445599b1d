"""Generalised additive mixed models behind one `fit()`, and what is inferred from them."""

from layerstats.stats.gamm.compare import compare
from layerstats.stats.gamm.curves import curves
from layerstats.stats.gamm.derivatives import DerivativesResult, derivatives
from layerstats.stats.gamm.difference import DifferenceResult, difference
from layerstats.stats.gamm.engines.base import Design, Engine, EngineFit, FitRequest, SmoothPart
from layerstats.stats.gamm.fit import FitTask, fit, fit_many
from layerstats.stats.gamm.formula import Formula, ParametricTerm, SmoothTerm
from layerstats.stats.gamm.formula_parser import parse_formula
from layerstats.stats.gamm.posterior import posterior_draws
from layerstats.stats.gamm.result import GammResult

__all__ = [
    "DerivativesResult",
    "Design",
    "DifferenceResult",
    "Engine",
    "EngineFit",
    "FitRequest",
    "FitTask",
    "Formula",
    "GammResult",
    "ParametricTerm",
    "SmoothPart",
    "SmoothTerm",
    "compare",
    "curves",
    "derivatives",
    "difference",
    "fit",
    "fit_many",
    "parse_formula",
    "posterior_draws",
]
