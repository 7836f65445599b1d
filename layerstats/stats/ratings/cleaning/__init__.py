"""Cleaning of answers by rules that are fixed before looking."""

from layerstats.stats.ratings.cleaning.cleaned_answers import CleanedAnswers, clean
from layerstats.stats.ratings.cleaning.rule_registry import check_rules, cleaning_rules, rules_sha256

__all__ = ["CleanedAnswers", "check_rules", "clean", "cleaning_rules", "rules_sha256"]
