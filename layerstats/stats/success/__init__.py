"""Who hears the target: success of activation maximization, over networks, judges and classes."""

from layerstats.stats.success.attempt_frames import ATTEMPT_COLUMNS, NULLS, attempts_from_frame
from layerstats.stats.success.marginal_and_joint import Success, success_rates
from layerstats.stats.success.set_ups import compare_set_ups
from layerstats.stats.success.stored_attempts import attempts, heard_scores
from layerstats.stats.success.variance import VarianceShares, variance_shares
from layerstats.stats.success.variance_study import calibrate_variance, simulated_attempts

__all__ = [
    "ATTEMPT_COLUMNS",
    "NULLS",
    "Success",
    "VarianceShares",
    "attempts",
    "attempts_from_frame",
    "calibrate_variance",
    "compare_set_ups",
    "heard_scores",
    "simulated_attempts",
    "success_rates",
    "variance_shares",
]
