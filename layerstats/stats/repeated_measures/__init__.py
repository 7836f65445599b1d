"""Subjects who are measured in several conditions: analysis of variance, means, and differences within subjects."""

from layerstats.stats.repeated_measures.condition_agreement import agreement_over_conditions
from layerstats.stats.repeated_measures.condition_means import condition_means
from layerstats.stats.repeated_measures.repeated_anova import RepeatedAnova, repeated_anova
from layerstats.stats.repeated_measures.within_subjects import paired_differences

__all__ = ["RepeatedAnova", "agreement_over_conditions", "condition_means", "paired_differences", "repeated_anova"]
