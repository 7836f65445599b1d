"""Generalised additive mixed models behind one `fit()`, and what is inferred from them."""

from layerstats.stats.gamm.engine_interface import Design, Engine, EngineFit, FitRequest, SmoothPart
from layerstats.stats.gamm.fit import fit, fit_many
from layerstats.stats.gamm.formula.parser import parse_formula
from layerstats.stats.gamm.formula.terms import Formula, ParametricTerm, SmoothTerm
from layerstats.stats.gamm.inference.compare import compare
from layerstats.stats.gamm.inference.curves import curves
from layerstats.stats.gamm.inference.derivatives import DerivativesResult, derivatives
from layerstats.stats.gamm.inference.difference import DifferenceResult, difference
from layerstats.stats.gamm.inference.posterior import posterior_draws
from layerstats.stats.gamm.inference.result import GammResult
from layerstats.stats.gamm.request.task import FitTask

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
