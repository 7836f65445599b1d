"""Ratings and other answers of listeners: cleaning, means, agreement, mixed models of categories, tests."""

from layerstats.stats.ratings.agreement import icc, krippendorff_alpha
from layerstats.stats.ratings.calibration.answer_calibration import calibrate_answers
from layerstats.stats.ratings.calibration.rating_calibration import calibrate_ratings
from layerstats.stats.ratings.choices import (
    IdentificationRates,
    PreferenceShares,
    identification_rates,
    preference_shares,
)
from layerstats.stats.ratings.cleaning import (
    CleanedAnswers,
    bonus_payments,
    check_rules,
    clean,
    cleaning_rules,
    clips_to_extend,
    review_assignments,
    rules_sha256,
)
from layerstats.stats.ratings.means import (
    RatingComparison,
    RatingMeans,
    compare_conditions,
    rating_distribution,
    rating_means,
)
from layerstats.stats.ratings.mixed_models import ClmmResult, clmm, compare_clmm
from layerstats.stats.ratings.outcome_filter_study import OpinionWorld, calibrate_outcome_filter
from layerstats.stats.ratings.people_and_judges import judge_agreement
from layerstats.stats.ratings.planning import RatingVariances, rating_power, smallest_plans

__all__ = [
    "CleanedAnswers",
    "ClmmResult",
    "IdentificationRates",
    "OpinionWorld",
    "PreferenceShares",
    "RatingComparison",
    "RatingMeans",
    "RatingVariances",
    "bonus_payments",
    "calibrate_answers",
    "calibrate_outcome_filter",
    "calibrate_ratings",
    "check_rules",
    "clean",
    "cleaning_rules",
    "clips_to_extend",
    "clmm",
    "compare_clmm",
    "compare_conditions",
    "icc",
    "identification_rates",
    "judge_agreement",
    "krippendorff_alpha",
    "preference_shares",
    "rating_distribution",
    "rating_means",
    "rating_power",
    "review_assignments",
    "rules_sha256",
    "smallest_plans",
]
