"""What was wrong with the rows, what rules removed, and what was changed after listening began."""

from __future__ import annotations

import pandas as pd

from layerstats.listening import ListeningDesign, reviewer_checklist
from layerstats.report.listeners.listener_output import ListenerOutput
from layerstats.stats import CleanedAnswers

CAPTIONS = {
    "problems": "Rows of the files that were read, and whether they are in the table all the same.",
    "masks": "Each rule by itself, and of what the rules before it leave. Rules see catch trials, hidden references "
    "and conduct only, so that what is compared cannot select who counts; those on the outcome do not keep to that.",
    "without": "Plain means of answers with every rule, with none, and with all but one.",
    "rule_raters": "What each rule measured of each rater, what it allows, and its verdict.",
    "checklist": "What reviewers of listening tests are advised to ask (after Cooper et al. 2025), filled in "
    "as far as design, answers and cleaning tell.",
    "changes": "Parts of the design that are other than they were when it was first written.",
}


def write_problems(output: ListenerOutput, problems: pd.DataFrame) -> list[str]:
    """Write what was wrong with rows that were read; returns notes."""
    if problems.empty:
        return []
    # `value` is text as it stood in a file, and `kept` is yes or no: not what other tables call so.
    output.table(problems, "problems", "Rows with problems", CAPTIONS["problems"], ["value", "kept"])
    left_out = int((~problems["kept"].to_numpy(dtype=bool)).sum())
    return [f"{len(problems)} rows that were read have a problem; {left_out} of them are left out (problems.csv)."]


def write_cleaning(output: ListenerOutput, cleaned: CleanedAnswers, by: list[str]) -> list[str]:
    """Write what every rule removed and what would be without it; returns notes."""
    output.table(cleaned.masks, "cleaning", "What rules removed", CAPTIONS["masks"])
    output.table(cleaned.without, "cleaning_without", "Results without rules", CAPTIONS["without"], by)
    output.table(cleaned.raters, "cleaning_raters", "Verdicts on raters", CAPTIONS["rule_raters"])
    return [*cleaned.notes, f"Rules for cleaning: SHA-256 {cleaned.rules_hash[:12]}."]


def write_checklist(
    output: ListenerOutput, answers: pd.DataFrame, design: ListeningDesign | None, cleaned: CleanedAnswers | None
) -> None:
    """Write the checklist for reviewers."""
    filled = reviewer_checklist(answers, design=design, cleaned=cleaned)
    output.table(filled, "checklist", "Checklist for reviewers", CAPTIONS["checklist"])


def write_changes(output: ListenerOutput, design: ListeningDesign) -> list[str]:
    """Write which parts of a design are other than they were at first; returns notes."""
    changes = design.changes()
    if changes.empty:
        return []
    output.table(changes, "design_changes", "What was changed in the design", CAPTIONS["changes"])
    parts = ", ".join(changes["part"])
    return [f"The design was changed after it was first written: {parts}. What was fixed before is not what was used."]
