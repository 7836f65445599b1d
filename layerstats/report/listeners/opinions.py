"""Opinion scores: means with intervals, distribution, raters, agreement, differences, and the mixed model."""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

import pandas as pd

from layerstats.errors import DataError, LayerstatsError
from layerstats.plots import listener_means, rater_means, rating_contrasts, rating_shares
from layerstats.report.listeners.answer_settings import AnswerSettings, levels
from layerstats.report.listeners.listener_output import ListenerOutput
from layerstats.report.listeners.rating_choices import compared_ratings, rating_choices
from layerstats.stats import ClmmResult, RatingComparison, clmm, icc, krippendorff_alpha, rating_distribution
from layerstats.stats import rating_means as means_of
from layerstats.stats.ratings.means.mean_ratings import NOT_COMPARABLE
from layerstats.tables.answers import check_ratings

CAPTIONS = {
    "means": "Mean of all ratings. 95 % intervals are for other raters and other clips: both are drawn again, crossed.",
    "classes": "Mean rating of every class; 95 % intervals for other raters and other clips, each by itself.",
    "distribution": "Share of ratings at each point of the scale.",
    "raters": "Mean rating of every rater, with 95 % intervals for other clips of the test. Raters heard different "
    "clips: some of how they differ is what they heard.",
    "differences": "The first condition minus the second. Intervals by drawing raters and clips again; p is adjusted "
    "(Holm) for the family that the table names. Beside it the null: labels of clips exchanged.",
    "agreement": "Agreement of raters about clips, with 95 % intervals.",
    "coefficients": "{formula}, on the logit: how much higher ratings are than with {reference}, the level that is not "
    "named; p-values are not adjusted (those of differences below are).",
    "thresholds": "Between points of the scale, on the logit, for a rater and a clip in the middle.",
    "random": "How much raters and clips differ, on the logit.",
    "glance": "A gradient near zero says that the maximum was reached.",
    "clmm": "Cumulative-link mixed model, {formula}: means on the scale of ratings for a new rater and a new clip "
    "(random effects integrated out), with 95 % intervals (t, counting raters and clips) that stay inside the scale.",
    "contrasts": "Differences of the mixed model's means on the scale of ratings (t, counting raters and clips); p is "
    "adjusted (Holm).",
}


def write_opinions(
    output: ListenerOutput,
    answers: pd.DataFrame,
    settings: AnswerSettings,
    cleaned: Mapping[str, pd.DataFrame] | None = None,
) -> list[str]:
    """Write what ratings say of conditions; returns notes in sentences.

    Parameters
    ----------
    output : ListenerOutput
        Where tables and figures go.
    answers : DataFrame
        ``rater, clip, rating``, the column of conditions and that of classes.
    settings : AnswerSettings
        What is asked.
    cleaned : mapping, optional
        Answers that other rules for cleaning leave, under which differences are claimed too.

    Raises
    ------
    DataError
        See `layerstats.tables.answers.check_ratings`.
    """
    by = settings.by
    ratings = check_ratings(answers, settings.scale, [by, *([settings.classes] if settings.classes else [])])
    given = ratings["rating"].to_numpy()
    # Where nobody said the scale it is what was given, and at least two points.
    scale = settings.scale or (int(given.min()), max(int(given.max()), int(given.min()) + 1))
    output.text("comparable", "Before you compare", NOT_COMPARABLE)
    notes = _write_means(output, ratings, settings, scale)
    notes += _write_agreement(output, ratings, settings)
    conditions = levels(ratings, by)
    found = None
    if settings.pairs(conditions):
        found = _write_differences(output, ratings, settings, scale)
        notes += found.notes
    else:
        notes.append(settings.note(conditions))
    contrasts: pd.DataFrame | str = "No mixed model was fitted."
    formula = ""
    if settings.model:
        contrasts, formula, told = _write_model(output, ratings, settings, scale)
        notes += told
    if found is not None:
        others = rating_choices(ratings, settings, scale, contrasts=contrasts, formula=formula, cleaned=cleaned)
        output.claims(found, others=others)
    return [note for note in dict.fromkeys(notes) if note != NOT_COMPARABLE]


def _write_means(
    output: ListenerOutput, ratings: pd.DataFrame, settings: AnswerSettings, scale: tuple[int, int]
) -> list[str]:
    """Write means by condition, by class and condition, by rater and by clip, and the distribution."""
    by, options = settings.by, {"scale": scale, "draws": settings.draws, "seed": settings.seed}
    means = means_of(ratings, by, **options)
    title = f"Mean rating by {by}"
    output.figure(listener_means(means.table, by, limits=scale), "means_figure", title, CAPTIONS["means"])
    output.table(means.table, "means", title, CAPTIONS["means"], [by])
    notes = list(means.notes)
    if settings.classes:
        both = means_of(ratings, [settings.classes, by], **options)
        title = f"Mean rating by {settings.classes} and {by}"
        # Eight conditions can be told apart by colour.
        group, panel = (by, None) if len(levels(ratings, by)) <= 8 else (None, by)
        figure = listener_means(both.table, settings.classes, group, panel, limits=scale)
        output.figure(figure, "classes_figure", title, CAPTIONS["classes"])
        output.table(both.table, "classes", title, CAPTIONS["classes"], [settings.classes, by])
        notes += both.notes
    shares = rating_distribution(ratings, by, scale=scale)
    title = f"Distribution of ratings by {by}"
    output.figure(rating_shares(shares, by), "distribution_figure", title, CAPTIONS["distribution"])
    output.table(shares, "distribution", title, CAPTIONS["distribution"], [by])
    raters = means_of(ratings, "rater", interval="t", scale=scale)
    output.figure(rater_means(raters.table, limits=scale), "raters_figure", "Raters", CAPTIONS["raters"])
    output.table(raters.table, "raters", "Mean rating by rater", CAPTIONS["raters"])
    clips = means_of(ratings, "clip", interval="t", scale=scale)
    output.table(clips.table, "clips", "Mean rating by clip", "With 95 % intervals for other raters.")
    return [*notes, *raters.notes, *clips.notes]


def _write_agreement(output: ListenerOutput, ratings: pd.DataFrame, settings: AnswerSettings) -> list[str]:
    """Write Krippendorff's alpha and the intra-class correlations; what cannot be told is a note."""
    draws: dict[str, Any] = {"draws": settings.draws, "seed": settings.seed}
    measures = {
        "Krippendorff's alpha, ordinal": lambda: krippendorff_alpha(ratings, "ordinal", **draws),
        "Krippendorff's alpha, interval": lambda: krippendorff_alpha(ratings, "interval", **draws),
        "ICC(2), one rating": lambda: icc(ratings, "ICC(2)"),
        "ICC(2,k), mean of a clip": lambda: icc(ratings, "ICC(2,k)"),
    }
    rows, notes = [], []
    for name, measure in measures.items():
        try:
            found = measure()
        except DataError as error:
            notes.append(f"No {name}: {error}")
            continue
        rows.append(found.table.assign(measure=name))
        notes += [f"{name}: {note}" for note in found.notes]
    if rows:
        table = pd.concat(rows, ignore_index=True)
        first = ["measure", *(column for column in table if column != "measure")]
        output.table(table.loc[:, first], "agreement", "Agreement of raters", CAPTIONS["agreement"])
    return notes


def _write_differences(
    output: ListenerOutput, ratings: pd.DataFrame, settings: AnswerSettings, scale: tuple[int, int]
) -> RatingComparison:
    found = compared_ratings(ratings, settings, scale)
    title = f"Differences in mean rating by {settings.by}"
    figure = rating_contrasts(found.table, margin=settings.margin)
    output.figure(figure, "differences_figure", title, CAPTIONS["differences"])
    output.table(found.table, "differences", title, CAPTIONS["differences"])
    return found


def _write_model(
    output: ListenerOutput, ratings: pd.DataFrame, settings: AnswerSettings, scale: tuple[int, int]
) -> tuple[pd.DataFrame | str, str, list[str]]:
    """Write the mixed model, its means and differences; where it cannot be fitted the reason is a note.

    Returns its differences (or why there are none), its formula, and notes.
    """
    by = settings.by
    names = levels(ratings, by)
    try:
        model, formula, reasons = _fit(ratings, by, several=len(names) > 1)
    except LayerstatsError as error:
        return f"No mixed model: {error}", "", [f"No mixed model: {error}"]
    said = CAPTIONS["coefficients"].format(formula=formula, reference=names[0])
    output.table(model.coefficients, "clmm_coefficients", "Mixed model: coefficients", said)
    output.table(model.thresholds, "clmm_thresholds", "Mixed model: thresholds", CAPTIONS["thresholds"])
    title = "Mixed model: standard deviations of raters and clips"
    output.table(model.random, "clmm_random", title, CAPTIONS["random"])
    output.table(model.glance, "clmm_glance", "Mixed model: fit", CAPTIONS["glance"])
    notes = [*reasons, *model.notes]
    if len(names) < 2:
        return "There is one condition.", formula, notes
    means = model.means(by=by, distribution="t")
    title, caption = "Means of the mixed model", CAPTIONS["clmm"].format(formula=formula)
    output.figure(listener_means(means, by, limits=scale), "clmm_means_figure", title, caption)
    output.table(means, "clmm_means", title, caption, [by])
    pairs, contrasts = settings.pairs(names), None
    if pairs:
        contrasts = model.contrasts(by, pairs=pairs, at="mean", margin=settings.margin, distribution="t")
        title = "Differences of the mixed model's means"
        figure = rating_contrasts(contrasts, margin=settings.margin)
        output.figure(figure, "clmm_contrasts_figure", title, CAPTIONS["contrasts"])
        output.table(contrasts, "clmm_contrasts", title, CAPTIONS["contrasts"], [by])
    return "No pair is compared." if contrasts is None else contrasts, formula, notes


def _fit(ratings: pd.DataFrame, by: str, several: bool) -> tuple[ClmmResult, str, list[str]]:
    """Fit the model in which raters differ in what they think of conditions, or where that cannot be, one without.

    Without it a difference that some raters see is taken for one that all see: tests find too many.
    """
    simple = "(1 | rater) + (1 | clip)"
    if not several:
        formula = f"rating ~ 1 + {simple}"
        return clmm(formula, ratings), formula, []
    # A name that a formula cannot have stands in backticks.
    named = by if by.isidentifier() and not iskeyword(by) else f"`{by}`"
    cells = len(ratings[["rater", by]].drop_duplicates())
    reason = "few raters heard several clips of several conditions"
    if 1.5 * len(set(ratings["rater"])) <= cells <= 0.5 * len(ratings):
        formula = f"rating ~ {named} + (1 | rater/{named}) + (1 | clip)"
        try:
            return clmm(formula, ratings), formula, []
        except LayerstatsError as error:
            reason = str(error)
    formula = f"rating ~ {named} + {simple}"
    note = f"The mixed model has raters and clips, but not how raters differ in conditions: {reason}."
    return clmm(formula, ratings), formula, [note.replace("..", ".")]
