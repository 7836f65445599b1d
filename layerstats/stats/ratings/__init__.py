"""Ratings and other answers of listeners: cleaning, means, agreement, mixed models of categories, tests."""

from layerstats.stats.ratings.cleaning import check_rules, cleaning_rules, rules_sha256

__all__ = ["check_rules", "cleaning_rules", "rules_sha256"]
