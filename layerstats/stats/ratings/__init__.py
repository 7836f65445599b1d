"""Ratings and other answers of listeners: cleaning, means, agreement, mixed models of categories, tests."""

from layerstats.stats.ratings.cleaning import CleanedAnswers, check_rules, clean, cleaning_rules, rules_sha256

__all__ = ["CleanedAnswers", "check_rules", "clean", "cleaning_rules", "rules_sha256"]
