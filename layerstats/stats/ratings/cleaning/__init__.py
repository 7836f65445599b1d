"""Cleaning of answers by rules that are fixed before looking."""

from layerstats.stats.ratings.cleaning.cleaned_answers import CleanedAnswers, clean
from layerstats.stats.ratings.cleaning.rule_registry import check_rules, cleaning_rules, rules_sha256
from layerstats.stats.ratings.cleaning.work_lists import bonus_payments, clips_to_extend, review_assignments

__all__ = [
    "CleanedAnswers",
    "bonus_payments",
    "check_rules",
    "clean",
    "cleaning_rules",
    "clips_to_extend",
    "review_assignments",
    "rules_sha256",
]
