"""From answers to one folder of tables and figures, whatever was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from layerstats.errors import DataError
from layerstats.listening import ListeningDesign, has_simulated_raters
from layerstats.report.listeners.answer_settings import AnswerSettings
from layerstats.report.listeners.choices import write_choices
from layerstats.report.listeners.cleaned import write_changes, write_checklist, write_cleaning, write_problems
from layerstats.report.listeners.listener_output import ListenerOutput
from layerstats.report.listeners.opinions import write_opinions
from layerstats.report.output import Output
from layerstats.stats import CleanedAnswers, clean
from layerstats.tables.answers import Answers


def write_answers(
    output: Output,
    answers: Answers,
    *,
    settings: AnswerSettings | None = None,
    design: ListeningDesign | None = None,
    rules: Sequence[Mapping[str, Any] | str] | None = None,
) -> pd.DataFrame:
    r"""Write what listeners answered: cleaning, means, differences, mixed models, agreement.

    Parameters
    ----------
    output : Output
        Where tables and figures go. Where raters are simulated each of them says so.
    answers : Answers
        As from `layerstats.listening.read_answers`.
    settings : AnswerSettings, optional
        What is asked; contrasts, margin and alternatives are the design's where nothing else is said.
    design : ListeningDesign, optional
        Its rules, contrasts and margin are used where nothing else is said, and what was changed in it is written.
    rules : sequence, optional
        Rules for cleaning, instead of the design's.

    Returns
    -------
    DataFrame
        The answers that count.

    Raises
    ------
    DataError
        There are no answers, or they lack a column.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from layerstats.listening import read_answers
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "ratings.csv")
    ...     _ = file.write_text("rater,clip,condition,rating\nann,a,x,4\nann,b,y,2\nbob,a,x,5\nbob,b,y,3\n")
    ...     counted = write_answers(Output(f"{folder}/out", title="Ratings"), read_answers(file, scale=(1, 5)))
    ...     len(counted), Path(folder, "out", "manifest.json").exists()
    (4, True)
    """
    if answers.table.empty:
        raise DataError("There are no answers.")
    listeners = ListenerOutput(output, simulated=has_simulated_raters(answers.table))
    settings = _settings(settings or AnswerSettings(), answers, design)
    notes = [*answers.notes, *write_problems(listeners, answers.problems)]
    if design is not None:
        notes += write_changes(listeners, design)
    table, cleaned, others = answers.table, None, {}
    used = rules if rules is not None else (design.rules if design is not None else ())
    if used:
        used = used if design is None else design.complete_rules(used)
        by = [settings.by] if settings.by in table else []
        # What the design fixed is completed from it too: how long a session is was no change.
        fixed = None if design is None else design.complete_rules(design.rules)
        cleaned = clean(answers, used, by=by, fixed=fixed)
        notes += write_cleaning(listeners, cleaned, by)
        table, others = cleaned.table, _by_other_rules(cleaned)
    if "task" not in table:
        table = table.assign(task="opinion" if "rating" in table else "identification")
    for task, rows in table.groupby("task", sort=True):
        own = pd.DataFrame(rows)
        if task == "opinion":
            opinions = {rules: _opinions(one) for rules, one in others.items()}
            notes += write_opinions(listeners, own, settings, opinions)
        else:
            notes += write_choices(listeners, own, str(task), settings)
    write_checklist(listeners, answers.table, design, cleaned)
    listeners.text("notes", "Notes", "\n\n".join(dict.fromkeys(notes)))
    return table


def _by_other_rules(cleaned: CleanedAnswers) -> dict[str, pd.DataFrame]:
    """Return what is left without any rule, and without each of several: rules do not depend on each other."""
    removed = cleaned.removed
    left = {"no rule": pd.concat([cleaned.table, removed])}
    for name in cleaned.masks["rule"] if len(cleaned.masks) > 1 else ():
        left[f"all but {name}"] = pd.concat([cleaned.table, removed.loc[removed["removed_by"] == name]])
    return left


def _opinions(answers: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(answers.loc[answers["task"] == "opinion"]) if "task" in answers else answers


def _settings(settings: AnswerSettings, answers: Answers, design: ListeningDesign | None) -> AnswerSettings:
    """Take the scale of the answers, and what the design fixed, where nothing else was said."""
    settings = replace(settings, scale=settings.scale or answers.scale)
    if design is None:
        return settings
    asked = bool(settings.contrasts) or settings.reference is not None
    chosen = len(design.alternatives) if design.task == "identification" and design.alternatives else None
    return replace(
        settings,
        contrasts=settings.contrasts if asked else tuple(design.contrasts),
        margin=settings.margin if settings.margin is not None else design.equivalence_margin,
        alternatives=settings.alternatives or chosen,
    )
