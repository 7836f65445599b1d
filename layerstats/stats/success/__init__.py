"""Who hears the target: success of activation maximization, over networks, judges and classes."""

from layerstats.stats.success.attempt_frames import ATTEMPT_COLUMNS, NULLS, attempts_from_frame
from layerstats.stats.success.marginal_and_joint import Success, success_rates
from layerstats.stats.success.set_ups import compare_set_ups

__all__ = ["ATTEMPT_COLUMNS", "NULLS", "Success", "attempts_from_frame", "compare_set_ups", "success_rates"]
