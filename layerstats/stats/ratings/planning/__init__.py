"""Planning a listening test: who hears what, and how many raters and clips find a difference."""

from layerstats.stats.ratings.planning.dealt_clips import assign_clips
from layerstats.stats.ratings.planning.planned_power import rating_power, smallest_plans
from layerstats.stats.ratings.planning.rating_variances import RatingVariances

__all__ = ["RatingVariances", "assign_clips", "rating_power", "smallest_plans"]
