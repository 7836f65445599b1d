"""What was preferred, told apart or identified: shares with intervals, differences, and what was heard as what."""

from __future__ import annotations

import pandas as pd

from layerstats.errors import FitError
from layerstats.plots import heard_classes, listener_means, rating_contrasts
from layerstats.report.listeners.answer_settings import AnswerSettings, levels
from layerstats.report.listeners.listener_output import ListenerOutput
from layerstats.stats import identification_rates, preference_shares

CAPTIONS = {
    "preference": "Share of a new rater and a new clip that prefers the first, half of those who heard no difference "
    "counted; mixed model with raters, clips and the order of playing. Naive: answers taken for independent.",
    "order": "Share that prefers what is heard first.",
    "rates": "Share of right answers of a new rater about a new clip, by a mixed logistic model; tested against chance "
    "where it is known. Naive: answers taken for independent.",
    "contrasts": "Differences in the share of right answers; p is adjusted (Holm).",
    "heard": "Of all answers to clips of a class, the share in which each was heard.",
}


def write_choices(output: ListenerOutput, answers: pd.DataFrame, task: str, settings: AnswerSettings) -> list[str]:
    """Write what was preferred or identified; returns notes in sentences.

    Parameters
    ----------
    output : ListenerOutput
        Where tables and figures go.
    answers : DataFrame
        ``rater, clip, response``; of preference the two columns of conditions, `condition_a` and `condition_b`, else
        `expected` and the column of conditions, where there is one.
    task : {"preference", "abx", "identification"}
        What was asked of raters.
    settings : AnswerSettings
        What is asked of the answers.
    """
    try:
        if task == "preference":
            return _write_preference(output, answers, settings.by)
        return _write_identification(output, answers, task, settings)
    except FitError as error:
        return [f"No mixed model of {task}: {error}"]


def _write_preference(output: ListenerOutput, answers: pd.DataFrame, by: str) -> list[str]:
    found = preference_shares(answers, (f"{by}_a", f"{by}_b"), distribution="t")
    title = "Which condition is preferred"
    if bool(found.table["estimate"].notna().to_numpy().any()):
        figure = listener_means(
            found.table, "contrast", limits=(0, 1), title="Share that prefers the first", chance=0.5
        )
        output.figure(figure, "preference_figure", title, CAPTIONS["preference"])
    output.table(found.table, "preference", title, CAPTIONS["preference"])
    output.claims(found)
    output.table(found.order, "preference_order", "Is what is heard first preferred?", CAPTIONS["order"])
    return list(found.notes)


def _write_identification(
    output: ListenerOutput, answers: pd.DataFrame, task: str, settings: AnswerSettings
) -> list[str]:
    by = [settings.by] if settings.by in answers else []
    conditions = levels(answers, settings.by) if by else []
    # Of ABX a condition is a pair already: what its contrasts name are the sides.
    pairs = None if task == "abx" else settings.pairs(conditions) or None
    found = identification_rates(answers, by, alternatives=settings.alternatives, pairs=pairs, distribution="t")
    title = "Right answers" if task == "identification" else "Right answers of ABX"
    if by and bool(found.table["estimate"].notna().to_numpy().any()):
        known = found.table["chance"].dropna()
        chance = None if known.empty else float(known.iloc[0])
        figure = listener_means(found.table, settings.by, limits=(0, 1), title="Share of right answers", chance=chance)
        output.figure(figure, f"{task}_figure", title, CAPTIONS["rates"])
    output.table(found.table, task, title, CAPTIONS["rates"], by)
    output.claims(found, task=task)
    if len(found.contrasts):
        title = f"{title}: differences"
        figure = rating_contrasts(found.contrasts, title="Difference in the share of right answers")
        output.figure(figure, f"{task}_contrasts_figure", title, CAPTIONS["contrasts"])
        output.table(found.contrasts, f"{task}_contrasts", title, CAPTIONS["contrasts"], by)
    if task == "identification":
        _write_heard(output, answers, settings.by)
    return list(found.notes)


def _write_heard(output: ListenerOutput, answers: pd.DataFrame, by: str) -> None:
    """Write what was heard as what, by condition."""
    rows = answers.loc[answers["role"] == "test"] if "role" in answers else answers
    network = rows[by].astype(str) if by in rows else pd.Series("clips", index=rows.index)
    said = pd.DataFrame({"network": network, "target": rows["expected"], "response": rows["response"]}).astype("str")
    crossed = pd.crosstab([said["network"], said["target"]], said["response"])
    counts = crossed.reset_index().melt(["network", "target"], value_name="count")
    asked = counts.groupby(["network", "target"])["count"].transform("sum")
    heard = counts.assign(set_up="", judge="people", rate=counts["count"] / asked)
    title = "What was heard as what"
    output.figure(heard_classes(heard, counted="answers"), "heard_figure", title, CAPTIONS["heard"])
    table = heard.loc[:, ["network", "target", "response", "count", "rate"]].rename(columns={"network": by})
    output.table(table, "heard", title, CAPTIONS["heard"], [by])
