"""Generalised additive mixed models behind one `fit()`, and what is inferred from them.

Rooms, each of which uses those above it only:

=======================  ============================================================================
``formula``              mgcv's formula language
``families``             responses: their links, and what their values may be
``data``                 a user's table: checked, rows in order of series, factors coded
``engine_interface``     what an engine is asked and gives back
``written_terms``        which terms of the formula fitted ones are
``request``              the only builder of what an engine is asked
``smoothing_selection``  where to start and when to stop, for every engine of ours
``structured``           our own engine for models with a random part for each token
``batched``              many responses or refits of one design
``engines``              mgcv, structured, pygam, and which of them fits a request
``checks``               residuals, autocorrelation, bases, and mgcv's answer to the same question
``inference``            a fitted model: differences, derivatives, curves, posterior draws, comparisons
``fit``                  `fit()` and `fit_many()`
=======================  ============================================================================

Words that are not mgcv's, or not only:

- A *task* (`FitTask`) is the arguments of a fit; a *request* (`FitRequest`) is what an engine is asked: the parsed
  formula and the coded frame. A *plan* (`FitPlan`) is a request that an engine can fit, with what it built to know so.
- A *series* is a run of rows with AR(1) residuals (what `AR.start` begins in mgcv), ordered by a column; a *gap* is
  how many usual steps a row is from the one before.
- An *ordered copy* is a factor as ``ordered()`` with treatment contrasts: smooths ``by`` it are difference smooths.
- A *design* (`Design`) is ``predict(type = "lpmatrix")`` with the coefficients and their covariance (``Vp``, or with
  ``unconditional=True`` ``Vc``).
- A *smooth part* (`SmoothPart`) is one fitted smooth, a row of the table of smooths; ``s(x, by = word)`` has one
  for each level.
- *New data* are rows as in ``predict(newdata = )``; a *reference grid* is emmeans': rows along one covariate for each
  level, other columns *held* at one value. *Dependent* columns are functions of the compared factor in the data
  (indicators, ordered copies) and are not held.
- *Posterior draws* are gratia's ``posterior_samples()`` of fitted values; random numbers are R's (``r_random``).
"""

from layerstats.stats.gamm.engine_interface import (
    CannotFit,
    Design,
    Engine,
    EngineFit,
    FitPlan,
    FitRequest,
    ModelRequest,
    SmoothPart,
)
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
    "CannotFit",
    "DerivativesResult",
    "Design",
    "DifferenceResult",
    "Engine",
    "EngineFit",
    "FitPlan",
    "FitRequest",
    "FitTask",
    "Formula",
    "GammResult",
    "ModelRequest",
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
