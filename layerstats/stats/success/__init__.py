"""Who hears the target: success of activation maximization, over networks, judges and classes."""

from layerstats.stats.success.as_published import success_as_published
from layerstats.stats.success.attempt_frames import ATTEMPT_COLUMNS, NULLS, attempts_from_frame
from layerstats.stats.success.confused_pairs import NaturalConfusions, natural_confusions
from layerstats.stats.success.ladder import Ladder, ladder_attempts, success_ladder
from layerstats.stats.success.marginal_and_joint import Success, success_rates
from layerstats.stats.success.people_attempts import with_people
from layerstats.stats.success.set_ups import compare_set_ups
from layerstats.stats.success.stored_attempts import attempts, heard_scores
from layerstats.stats.success.success_calibration import calibrate_success
from layerstats.stats.success.success_matrices import SuccessMatrix, success_matrix
from layerstats.stats.success.variance import VarianceShares, variance_shares
from layerstats.stats.success.variance_study import calibrate_variance, simulated_attempts

__all__ = [
    "ATTEMPT_COLUMNS",
    "NULLS",
    "Ladder",
    "NaturalConfusions",
    "Success",
    "SuccessMatrix",
    "VarianceShares",
    "attempts",
    "attempts_from_frame",
    "calibrate_success",
    "calibrate_variance",
    "compare_set_ups",
    "heard_scores",
    "ladder_attempts",
    "natural_confusions",
    "simulated_attempts",
    "success_as_published",
    "success_ladder",
    "success_matrix",
    "success_rates",
    "variance_shares",
    "with_people",
]
