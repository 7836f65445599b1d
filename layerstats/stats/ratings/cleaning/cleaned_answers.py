"""Answers cleaned by rules that were fixed before looking: what each removes, and what would be without it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.ratings.cleaning.rule_protocol import (
    ANSWERED,
    KNOWN_ROLES,
    CleaningRule,
    Verdict,
    as_numbers,
    as_words,
    is_right,
)
from layerstats.stats.ratings.cleaning.rule_registry import check_rules, open_rules, rules_sha256, written_rule
from layerstats.tables import PrintedResult, check_frame
from layerstats.tables.answers import Answers

WHAT = "the answers"
EVERY, NONE = "every rule", "no rule"
RULE_COLUMNS = ("rule", "judged_on", "options", "fixed_before", "raters", "answers", "raters_after", "answers_after")


@dataclass(frozen=True, eq=False, repr=False)
class CleanedAnswers(PrintedResult):
    """What rules leave of answers.

    Attributes
    ----------
    table
        The answers that are kept, with all their columns.
    removed
        The others; `removed_by` names the rules, joined by commas.
    masks
        A row a rule, in their order: ``rule, judged_on, options, fixed_before`` (whether it stood so in the design;
        missing where that is not known), ``raters, answers`` (how many raters lose test answers by it alone, and how
        many answers these are), ``raters_after, answers_after`` (of what the rules before it leave).
    raters
        A row a rule and rater that it could judge: ``rule, rater, trials, measured, allowed, removed``.
    without
        What would be concluded with every rule, with none, and with all but one: ``rules, measure``, the columns of
        conditions, ``raters, clips, answers, estimate, change`` (from that with every rule). Plain means of answers.
    rules
        The rules with all their options, as `check_rules` gives them.
    rules_hash
        Their `rules_sha256`.
    notes
        What the reader should know, in sentences.
    """

    main_tables = ("masks",)
    table: pd.DataFrame
    removed: pd.DataFrame
    masks: pd.DataFrame
    raters: pd.DataFrame
    without: pd.DataFrame
    rules: tuple[Mapping[str, Any], ...]
    rules_hash: str
    notes: tuple[str, ...] = ()


def clean(
    answers: Answers | pd.DataFrame,
    rules: Sequence[Mapping[str, Any] | str],
    *,
    by: Sequence[str] | None = None,
    fixed: Sequence[Mapping[str, Any] | str] | None = None,
) -> CleanedAnswers:
    """Clean answers by rules, each a mask over all of them, so that their order does not matter.

    Rules on "known answers" are shown catch and reference trials only, and rules on "conduct" nothing of what was
    answered: what the test is about cannot select who counts. Rules on the "outcome" see everything, and warn.

    Parameters
    ----------
    answers : Answers or DataFrame
        ``rater, clip``, `role` ("test" where it is missing), and what the rules need: `rating` or `response`,
        `expected`, `seconds`, `session`, ...
    rules : sequence
        As `check_rules` takes them.
    by : sequence of str, optional
        Columns of conditions in `without`; by default `condition`, where there is one.
    fixed : sequence, optional
        The rules that were fixed before anyone listened (`ListeningDesign.rules`). What differs is said.

    Returns
    -------
    CleanedAnswers
        What is kept, what is removed by which rule, and what that does.

    Raises
    ------
    ArgumentError
        A rule is wrong (see `check_rules`).
    DataError
        A column is missing or incomplete, or nothing is left.

    Examples
    --------
    >>> rows = [("ann", "a", "test", 4, None), ("ann", "four", "catch", 4, 4),
    ...         ("bob", "a", "test", 1, None), ("bob", "four", "catch", 1, 4)]
    >>> given = pd.DataFrame(rows, columns=["rater", "clip", "role", "rating", "expected"])
    >>> cleaned = clean(given, ["catch_missed"])
    >>> cleaned.table["rater"].unique().tolist(), cleaned.removed["removed_by"].unique().tolist()
    (['ann'], ['catch_missed'])
    >>> cleaned.without.set_index("rules")["estimate"].to_dict()
    {'every rule': 4.0, 'no rule': 2.5, 'all but catch_missed': 2.5}
    """
    given = answers.table if isinstance(answers, Answers) else answers
    opened = open_rules(rules)
    table = _checked(given)
    columns = ["condition"] if by is None and "condition" in table else list(by or ())
    check_columns(table, columns, WHAT)
    verdicts = [rule.verdict(_seen(table, rule)) for rule in opened]
    masks = [_mask(table, rule, verdict) for rule, verdict in zip(opened, verdicts, strict=True)]
    removed = np.any([*masks, np.zeros(len(table), dtype=bool)], axis=0)
    test = (table["role"] == "test").to_numpy()
    summary = _summary(opened, masks, table["rater"].to_numpy(), test, fixed)
    if test.any() and not (test & ~removed).any():
        counts = ", ".join(f"{rule.name} {n}" for rule, n in zip(opened, summary["answers"], strict=True))
        raise DataError(
            f"The rules leave no answer of {int(test.sum())}: removed are by {counts}. Ask more raters; other rules "
            "than those that were fixed beforehand are a change that has to be reported."
        )
    names = np.array([rule.name for rule in opened], dtype=object)
    by_rules = [", ".join(names[list(hit)]) for hit in zip(*[mask[removed] for mask in masks], strict=True)]
    notes = [*_fixed_notes(rules, fixed), *_outcome_notes(opened), *_reference_notes(table, opened, columns)]
    notes += [f"{rule.name}: {note}" for rule, verdict in zip(opened, verdicts, strict=True) for note in verdict.notes]
    return CleanedAnswers(
        table=table.loc[~removed],
        removed=table.loc[removed].assign(removed_by=np.array(by_rules, dtype=object)),
        masks=check_frame(summary),
        raters=check_frame(_raters(opened, verdicts)),
        without=check_frame(_without(table, opened, masks, columns), user_columns=columns),
        rules=check_rules(rules),
        rules_hash=rules_sha256(rules),
        notes=tuple(notes),
    )


def _checked(given: pd.DataFrame) -> pd.DataFrame:
    check_columns(given, ["rater", "clip"], WHAT)
    check_complete(given, ["rater", "clip"], WHAT)
    if given.empty:
        raise DataError("The answers have no rows: nobody answered.")
    role = given["role"].astype("str").fillna("test") if "role" in given else "test"
    return given.assign(rater=given["rater"].astype(str), clip=given["clip"].astype(str), role=role)


def _seen(table: pd.DataFrame, rule: CleaningRule) -> pd.DataFrame:
    """Return what a rule may see."""
    if rule.sees == "known answers":
        return pd.DataFrame(table.loc[np.isin(table["role"], KNOWN_ROLES)])
    return table if rule.sees == "outcome" else table.drop(columns=[*ANSWERED, "expected"], errors="ignore")


def _mask(table: pd.DataFrame, rule: CleaningRule, verdict: Verdict) -> np.ndarray:
    """Return which answers a rule removes, (answer,)."""
    if verdict.rows is not None:
        if len(verdict.rows) != len(table):
            raise ArgumentError(f"The rule {rule.name!r} removes rows, so that it must see all of them.")
        return verdict.rows
    return table["rater"].isin(verdict.raters.loc[verdict.raters["removed"], "rater"]).to_numpy()


def _summary(
    rules: Sequence[CleaningRule],
    masks: Sequence[np.ndarray],
    rater: np.ndarray,
    test: np.ndarray,
    fixed: Sequence[Mapping[str, Any] | str] | None,
) -> pd.DataFrame:
    known = None if fixed is None else check_rules(fixed)
    rows, before = [], np.zeros(len(test), dtype=bool)
    for rule, mask in zip(rules, masks, strict=True):
        alone, after = mask & test, mask & test & ~before
        before = before | mask
        written = written_rule(rule)
        options = {name: value for name, value in written.items() if name != "rule"}
        values = (
            rule.name, rule.sees, json.dumps(options, ensure_ascii=False), pd.NA if known is None else written in known,
            len(set(rater[alone])), int(alone.sum()), len(set(rater[after])), int(after.sum()),
        )  # fmt: skip
        rows.append(dict(zip(RULE_COLUMNS, values, strict=True)))
    return pd.DataFrame(rows, columns=pd.Index(RULE_COLUMNS)).astype({"fixed_before": "boolean"})


def _raters(rules: Sequence[CleaningRule], verdicts: Sequence[Verdict]) -> pd.DataFrame:
    parts = [
        verdict.raters.rename(columns={"value": "measured", "limit": "allowed"}).assign(rule=rule.name)
        for rule, verdict in zip(rules, verdicts, strict=True)
    ]
    columns = ["rule", "rater", "trials", "measured", "allowed", "removed"]
    return pd.concat(parts, ignore_index=True).loc[:, columns] if parts else pd.DataFrame(columns=pd.Index(columns))


def _without(
    table: pd.DataFrame, rules: Sequence[CleaningRule], masks: Sequence[np.ndarray], by: list[str]
) -> pd.DataFrame:
    """Return means with every rule, with none, and without each."""
    valued = _valued(table)
    kept = {EVERY: ~np.any([*masks, np.zeros(len(table), dtype=bool)], axis=0), NONE: np.ones(len(table), dtype=bool)}
    for number, rule in enumerate(rules):
        others = [mask for place, mask in enumerate(masks) if place != number]
        kept[f"all but {rule.name}"] = ~np.any([*others, np.zeros(len(table), dtype=bool)], axis=0)
    parts = []
    for name, rows in kept.items():
        own = valued.loc[rows].dropna(subset=["worth"])
        means = own.groupby(["measure", *by], sort=True).agg(
            raters=("rater", "nunique"),
            clips=("clip", "nunique"),
            answers=("worth", "size"),
            estimate=("worth", "mean"),
        )
        parts.append(means.reset_index().assign(rules=name))
    found = pd.concat(parts, ignore_index=True)
    every = found.loc[found["rules"] == EVERY, ["measure", *by, "estimate"]].rename(columns={"estimate": "with_every"})
    found = found.merge(every, on=["measure", *by], how="left")
    found["change"] = found["estimate"] - found["with_every"]
    return found.loc[:, ["rules", "measure", *by, "raters", "clips", "answers", "estimate", "change"]]


def _valued(table: pd.DataFrame) -> pd.DataFrame:
    """Return the test answers as numbers in `worth` (missing of other rows), and which `measure` their mean is."""
    worth, measure = np.full(len(table), np.nan), np.full(len(table), "mean rating", dtype=object)
    if "response" in table:
        answered = table["response"].notna().to_numpy()
        known = answered & (table["expected"].notna().to_numpy() if "expected" in table else False)
        if known.any():
            worth = np.where(known, is_right(table), worth)
        measure[known] = "share right"
        pairs = answered & ~known & np.isin(as_words(table["response"]), ("a", "b", "same"))
        worth = np.where(pairs, as_words(table["response"]) == "a", worth)
        measure[pairs] = "share preferring a"
    if "rating" in table:
        rating = as_numbers(table["rating"])
        rated = np.isfinite(rating)
        worth, measure = np.where(rated, rating, worth), np.where(rated, "mean rating", measure)
    return table.assign(worth=np.where((table["role"] == "test").to_numpy(), worth, np.nan), measure=measure)


def _fixed_notes(
    rules: Sequence[Mapping[str, Any] | str], fixed: Sequence[Mapping[str, Any] | str] | None
) -> list[str]:
    """Say how the rules differ from those that were fixed."""
    if fixed is None:
        return ["Whether these rules were fixed before looking is not known: no design says which were."]
    if rules_sha256(rules) == rules_sha256(fixed):
        return [f"The rules are those of the design, fixed before looking (sha256 {rules_sha256(rules)[:12]})."]
    now, then = ({rule["rule"]: rule for rule in check_rules(each)} for each in (rules, fixed))
    changes = [f"{name} was added" for name in now if name not in then]
    changes += [f"{name} was left out" for name in then if name not in now]
    changes += [
        f"{option} of {name} was {then[name][option]!r} and is {value!r}"
        for name in now
        if name in then
        for option, value in now[name].items()
        if value != then[name][option]
    ]
    if not changes:
        return ["The rules are those of the design in another order, which changes only what is counted after which."]
    return [
        f"The rules are not those that the design fixed before looking (sha256 {rules_sha256(fixed)[:12]}, now "
        f"{rules_sha256(rules)[:12]}): {'; '.join(changes)}."
    ]


def _outcome_notes(rules: Sequence[CleaningRule]) -> list[str]:
    """Warn of rules that look at what is compared."""
    names = [rule.name for rule in rules if rule.sees == "outcome"]
    if not names:
        return []
    note = (
        f"{' and '.join(names)}: selects by the very answers that are compared, which builds differences where there "
        "are none. Compare with the result without it, and do not report it alone."
    )
    warnings.warn(note, UserWarning, stacklevel=3)
    return [note]


def _reference_notes(table: pd.DataFrame, rules: Sequence[CleaningRule], by: list[str]) -> list[str]:
    """Say where hidden references are clips of a condition that is compared."""
    if not by or not any(rule.name in ("references_missed", "straight_lining") for rule in rules):
        return []
    places = [
        set(map(tuple, table.loc[table["role"] == role, by].dropna().to_numpy())) for role in ("reference", "test")
    ]
    shared = sorted(", ".join(map(str, place)) for place in places[0] & places[1])
    if not shared:
        return []
    return [
        f"Hidden references have the condition {shared[0]!r}, which is compared too: raters who hear less of it are "
        "removed for that. References should be of no condition that is compared."
    ]
