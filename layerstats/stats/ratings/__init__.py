"""Ratings and other answers of listeners: cleaning, means, agreement, mixed models of categories, tests."""

from layerstats.stats.ratings.choices import (
    IdentificationRates,
    PreferenceShares,
    identification_rates,
    preference_shares,
)
from layerstats.stats.ratings.cleaning import CleanedAnswers, check_rules, clean, cleaning_rules, rules_sha256
from layerstats.stats.ratings.mixed_models import ClmmResult, clmm

__all__ = [
    "CleanedAnswers",
    "ClmmResult",
    "IdentificationRates",
    "PreferenceShares",
    "check_rules",
    "clean",
    "cleaning_rules",
    "clmm",
    "identification_rates",
    "preference_shares",
    "rules_sha256",
]
