"""Cumulative link mixed models in lme4's language, fitted by Laplace's approximation on an arrow of random effects.

=======================  ==========================================================================================
``mixed_formula``        a formula's text to fixed and random terms
``rated_rows``           a table made ready: complete rows, ordered categories, factors
``coded_columns``        columns of terms as R codes them, frozen for new data
``few_levels``           factors that cannot be random
``random_factors``       random terms by factor, and the roots of their covariances
``category_thresholds``  thresholds and the free parameters that keep them in order
``link_derivatives``     log probabilities of categories and their derivatives
``arrow_curvature``      the curvature in the random effects, blocks and a corner
``laplace_likelihood``   the likelihood and its gradient
``joint_curvature``      first steps, and where the mode goes
``clmm_optimum``         its maximum
``separated_ratings``    whether coefficients have a maximum at all
``clmm_by_laplace``      fits by this package
``clmm_by_r``            fits by R's ordinal and mgcv
``clmm_tables``          the tables of any of these
``clmm``                 `clmm`
``clmm_result``          `ClmmResult`
``clmm_comparison``      the likelihood-ratio test of two of them
=======================  ==========================================================================================
"""

from layerstats.stats.ratings.mixed_models.clmm import clmm
from layerstats.stats.ratings.mixed_models.clmm_comparison import compare_clmm
from layerstats.stats.ratings.mixed_models.clmm_result import ClmmResult

__all__ = ["ClmmResult", "clmm", "compare_clmm"]
