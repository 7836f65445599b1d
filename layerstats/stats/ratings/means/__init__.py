"""Means of ratings and their differences, where raters and clips are samples of others.

===========================  ===============================================================================
``rating_cells``             ratings as sums of group, rater and clip
``two_way_variance``         variances and covariances of means under rater and clip effects
``two_way_bootstrap``        means of raters and clips that are drawn again
``mean_ratings``             means by condition, class, system, clip or rater, with intervals
``rating_distributions``     shares of the ratings that were given
``compared_conditions``      differences, their tests and equivalence
``exchanged_conditions``     the null: labels of clips exchanged
===========================  ===============================================================================
"""

from layerstats.stats.ratings.means.compared_conditions import RatingComparison, compare_conditions
from layerstats.stats.ratings.means.mean_ratings import RatingMeans, rating_means
from layerstats.stats.ratings.means.rating_distributions import rating_distribution

__all__ = ["RatingComparison", "RatingMeans", "compare_conditions", "rating_distribution", "rating_means"]
