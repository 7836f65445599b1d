"""Permutation, bootstrap and simulation of additive models, as thousands of refits a minute.

The refits themselves are those of `layerstats.stats.gamm.batched.curves`.

===================  =========================================================================================
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
