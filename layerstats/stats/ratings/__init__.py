"""Ratings and other answers of listeners: cleaning, means, agreement, mixed models of categories, tests."""

from layerstats.stats.ratings.cleaning import check_rules, cleaning_rules, rules_sha256
from layerstats.stats.ratings.mixed_models import ClmmResult, clmm

__all__ = ["ClmmResult", "check_rules", "cleaning_rules", "clmm", "rules_sha256"]
