"""Differences of ratings after other defensible choices: rules for cleaning, interval, mixed model, link, engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from layerstats.errors import LayerstatsError
from layerstats.report.listeners.answer_settings import AnswerSettings, levels
from layerstats.stats import OtherChoice, RatingComparison, clmm, compare_conditions
from layerstats.tables.answers import check_ratings

MEANS = "means of ratings"


def compared_ratings(
    ratings: pd.DataFrame, settings: AnswerSettings, scale: tuple[int, int], **other: Any
) -> RatingComparison:
    """Return the differences that are asked for; `other` options take the place of those reported."""
    options: dict[str, Any] = {"margin": settings.margin, "draws": settings.draws, "seed": settings.seed}
    pairs = settings.pairs(levels(ratings, settings.by))
    return compare_conditions(ratings, settings.by, pairs=pairs, scale=scale, **options | other)


def rating_choices(
    ratings: pd.DataFrame,
    settings: AnswerSettings,
    scale: tuple[int, int],
    *,
    contrasts: pd.DataFrame | str,
    formula: str = "",
    cleaned: Mapping[str, pd.DataFrame] | None = None,
) -> list[OtherChoice]:
    """Return the differences of ratings after other choices.

    Parameters
    ----------
    ratings : DataFrame
        Those that count.
    settings : AnswerSettings
        What is asked. With `sensitivity` the mixed model is fitted with another link and by R too.
    scale : tuple of int
        Lowest and highest rating.
    contrasts : DataFrame or str
        Differences of the mixed model on the scale of ratings, or why there are none.
    formula : str
        Of the mixed model.
    cleaned : mapping, optional
        What other rules for cleaning leave.
    """
    by_t = compared_ratings(ratings, settings, scale, interval="t", permutations=0)
    found = [
        OtherChoice("interval", "t", "bootstrap", by_t),
        OtherChoice("method", "cumulative link mixed model", MEANS, contrasts),
    ]
    for rules, table in (cleaned or {}).items():
        found.append(OtherChoice("cleaning rules", rules, "every rule", _or_why(_of_rules, table, settings, scale)))
    if settings.sensitivity and not isinstance(contrasts, str):
        for option, how in {"probit": {"link": "probit"}, "by R": {"engine": "ordinal"}}.items():
            refitted = _or_why(_refitted, formula, ratings, settings, how)
            found.append(OtherChoice("method", f"cumulative link mixed model, {option}", MEANS, refitted))
    return found


def _of_rules(table: pd.DataFrame, settings: AnswerSettings, scale: tuple[int, int]) -> RatingComparison:
    return compared_ratings(check_ratings(table, scale, [settings.by]), settings, scale, permutations=0)


def _refitted(formula: str, ratings: pd.DataFrame, settings: AnswerSettings, how: dict[str, Any]) -> pd.DataFrame:
    pairs = settings.pairs(levels(ratings, settings.by))
    return clmm(formula, ratings, **how).contrasts(settings.by, pairs=pairs, at="mean", distribution="t")


def _or_why(make: Callable[..., Any], *given: Any) -> Any:
    """Return what is made, or in a sentence why it cannot be."""
    try:
        return make(*given)
    except LayerstatsError as error:
        return str(error)
