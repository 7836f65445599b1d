"""Permutation, bootstrap and simulation of additive models, as thousands of refits a minute.

===================  =========================================================================================
``request``          a model as refits take it
``design``           a model taken apart: bases on one grid of time, who has which label, which terms are random
``rows``             the same where tokens differ in their times, row by row
``summaries``        data under many assignments of labels, as sums
``criterion``        the restricted likelihood of many replicates at once, with derivatives
``refit``            its minimum, replicate by replicate
``statistics``       tests and difference curves of refits
``exchange``         which labels can be exchanged
``permutation``      tests, adjusted over layers and contrasts
``bootstrap``        bands and effect sizes
``simulation``       data from a fitted model
``power``            planned studies
``calibration``      how often all this errs, with known truth
===================  =========================================================================================
"""

from layerstats.stats.resampling.bootstrap import BootstrapResult, bootstrap
from layerstats.stats.resampling.permutation import PermutationResult, permutation_test
from layerstats.stats.resampling.power import power

__all__ = ["BootstrapResult", "PermutationResult", "bootstrap", "permutation_test", "power"]
