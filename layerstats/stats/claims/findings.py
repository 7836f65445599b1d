"""What a result found, one thing at a time: measured, tested, and said in a sentence for either answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from layerstats.tables.readable_names import readable_name

ALPHA = 0.05
LARGEST = "those with the largest effects"
HOLDS, FAILS, NOT_SHOWN = "holds", "fails a check", "not shown"
MISSING = math.nan
_ADJUSTED = {"holm": "Holm", "fdr_bh": "Benjamini-Hochberg", "bonferroni": "Bonferroni", "none": "not adjusted"}
_ADJUSTED |= {"max_t": "by the largest statistic", "max-T": "by the largest statistic"}


@dataclass(frozen=True)
class ClaimFinding:
    """One thing that may be claimed; numbers are those of a table of the result.

    Attributes
    ----------
    key
        Identifier, the same in results of other choices.
    shown, not_shown, not_learned
        The sentence where the test found it, where it did not, and where it did but its null has as much.
    effect, estimate, conf_low, conf_high, conf_level
        What is measured, in words, and how large it is.
    p_value, p_adjusted, family
        Of the test, over what it is adjusted.
    sources
        Names of the tables and figures that show it.
    null, null_low, null_high, null_p_adjusted
        What it is held against where that has a spread of its own: in words, the range of its effects, and the rank
        among them.
    learned
        Whether the sentence says that more was found than in the null, so that its rank counts.
    failed_checks
        Sentences.
    """

    key: str
    shown: str
    not_shown: str
    effect: str
    estimate: float
    conf_low: float
    conf_high: float
    conf_level: float
    p_value: float
    p_adjusted: float
    family: str
    sources: tuple[str, ...]
    null: str = ""
    null_low: float = MISSING
    null_high: float = MISSING
    null_p_adjusted: float = MISSING
    learned: bool = False
    not_learned: str = ""
    failed_checks: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What is said of it."""
        if not self.significant:
            return self.not_shown
        return self.not_learned if self.not_learned and not self.null_p_adjusted < ALPHA else self.shown

    @property
    def significant(self) -> bool:
        """Whether the test found it."""
        return self.p_adjusted < ALPHA

    @property
    def verdict(self) -> str:
        """What is made of it: holds, fails a check, or not shown."""
        if not self.significant:
            return NOT_SHOWN
        if self.failed_checks:
            return FAILS
        return NOT_SHOWN if self.learned and not self.null_p_adjusted < ALPHA else HOLDS

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of claims."""
        return {
            "claim": self.sentence,
            "claim_key": self.key,
            "verdict": self.verdict,
            "effect": self.effect,
            "estimate": self.estimate,
            "conf_low": self.conf_low,
            "conf_high": self.conf_high,
            "conf_level": self.conf_level,
            "p_adjusted": self.p_adjusted,
            "family": self.family,
            "null": self.null,
            "null_low": self.null_low,
            "null_high": self.null_high,
            "null_p_adjusted": self.null_p_adjusted,
            "failed_checks": "; ".join(self.failed_checks),
            "sources": ",".join(self.sources),
        }


@dataclass(frozen=True)
class OtherChoice:
    """The same analysis after one other defensible choice.

    Attributes
    ----------
    choice, option
        What was chosen otherwise, and how: "sign", "absolute".
    reported
        The option that the reported analysis has.
    result
        Of the same kind as the reported one, or a list of its findings, of which the choice may concern a few; or,
        where there is none, a sentence that says why.

    Examples
    --------
    >>> OtherChoice("sign", "absolute", "sign", "Maps of one sign only.").result
    'Maps of one sign only.'
    """

    choice: str
    option: str
    reported: str
    result: Any


def other_choices(
    findings: Sequence[ClaimFinding], others: Iterable[OtherChoice], find: Callable[[Any], Sequence[ClaimFinding]]
) -> list[dict[str, Any]]:
    """Return rows of sensitivity: every finding under each choice, the reported ones first.

    Parameters
    ----------
    findings
        Those that are claimed.
    others
        Other analyses.
    find
        Makes findings of a result; those of the same key are set beside each other.
    """
    rows: list[dict[str, Any]] = []
    reported: set[tuple[str, str]] = set()
    for other in others:
        if isinstance(other.result, str):
            found, note = {}, other.result
        elif isinstance(other.result, list):
            found, note = {one.key: one for one in other.result}, ""
        else:
            found, note = {one.key: one for one in find(other.result)}, "this analysis has no such test"
        for one in findings:
            if not note and one.key not in found:
                continue
            if (one.key, other.choice) not in reported:
                reported.add((one.key, other.choice))
                rows.append(sensitivity_row(one, one.key, other.choice, other.reported, reported=True))
            rows.append(sensitivity_row(found.get(one.key), one.key, other.choice, other.option, note=note))
    return rows


def sensitivity_row(
    found: ClaimFinding | None, key: str, choice: str, option: str, *, reported: bool = False, note: str = ""
) -> dict[str, Any]:
    """Return one claim under one choice; without a finding the note says why."""
    names = ("estimate", "conf_low", "conf_high", "conf_level", "p_value")
    numbers = {name: MISSING if found is None else getattr(found, name) for name in names}
    about = {"claim_key": key, "choice": choice, "option": option, "reported": reported}
    return {**about, **numbers, "note": note if found is None else ""}


def told(
    findings: Iterable[ClaimFinding],
    most: int,
    rule: str,
    needed: Sequence[str] = ("estimate", "conf_low", "conf_high", "p_adjusted"),
) -> tuple[list[ClaimFinding], list[str]]:
    """Return the first so many findings that have an interval and a test, and notes on the others.

    Parameters
    ----------
    findings
        In the order of the rule.
    most
        How many are claimed.
    rule
        Which come first, in words; those of `LARGEST` are found here, in the order in which they stand.
    needed
        The numbers without which nothing is claimed.
    """
    whole, without = [], []
    for one in findings:
        known = all(math.isfinite(getattr(one, name)) for name in needed)
        (whole if known else without).append(one)
    if rule == LARGEST:
        # In the order of the table, such as that of layers, in which they are read.
        largest = sorted(whole, key=lambda one: -abs(one.estimate))[:most]
        first = {one.key for one in largest}
        whole = [one for one in whole if one.key in first] + [one for one in whole if one.key not in first]
    notes = []
    if len(whole) > most:
        notes.append(
            f"Claimed: {most} of {len(whole)} findings, {rule}. p is adjusted over the family that the row names."
        )
    if without:
        notes.append(f"Nothing is claimed of {listing(one.key for one in without)}: no interval or no test.")
    return whole[:most], notes


def listing(names: Iterable[str], most: int = 5) -> str:
    """Return names in a row, of many the first and how many more there are.

    Examples
    --------
    >>> listing(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    names = list(names)
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def untrained_check(recordings: float) -> tuple[str, ...]:
    """Return the failed check of too few untrained networks: however large the effect, their rank says nothing.

    Examples
    --------
    >>> untrained_check(5)
    ('5 untrained networks are too few to show learning: the smallest p-value they can give is 0.17',)
    >>> untrained_check(20)
    ()
    """
    if not recordings > 0 or 1 / (recordings + 1) < ALPHA:
        return ()
    count = f"{recordings:.0f} untrained network{'s are' if recordings > 1 else ' is'}"
    least = 1 / (recordings + 1)
    return (f"{count} too few to show learning: the smallest p-value they can give is {least:.2g}",)


def interval_check(row: Any, value: float = 0.0) -> tuple[str, ...]:
    """Return the failed check of an interval that includes what the test is against, where test and interval differ.

    Examples
    --------
    >>> interval_check({"conf_low": -0.7, "conf_high": 0.1, "p_value": 0.01})
    ('the interval includes 0: it is about speakers or raters in general, the test only about these',)
    """
    found = row.get("p_adjusted", row["p_value"]) < ALPHA
    if found and row["conf_low"] <= value <= row["conf_high"]:
        return (
            f"the interval includes {value:g}: it is about speakers or raters in general, the test only about these",
        )
    return ()


def effect_check(p_adjusted: float, conf_low: float, conf_high: float) -> tuple[str, ...]:
    """Return the failed check of an interval in which an effect of zero lies although the test found one.

    Test and interval ask different things of the same model, and near the edge one can find what the other cannot.

    Examples
    --------
    >>> effect_check(0.02, 0.0, 0.9)
    ('the interval of the effect includes 0, although the test found an effect',)
    >>> effect_check(0.02, 0.1, 0.9), effect_check(0.4, 0.0, 0.9)
    ((), ())
    """
    if p_adjusted < ALPHA and conf_low <= 0 <= conf_high:
        return ("the interval of the effect includes 0, although the test found an effect",)
    return ()


def family_of(row: Any) -> str:
    """Return the family of a row of tests in words: what it is over, how many tests, and how they are adjusted.

    Examples
    --------
    >>> family_of({"family": "shares over groups", "tests": 8, "adjust_method": "holm"})
    'shares over groups: 8 tests, Holm'
    """
    count = int(row["tests"])
    return f"{readable_name(row['family'])}: {count} test{'s' if count != 1 else ''}, {adjusted_by(row)}"


def adjusted_by(row: Any) -> str:
    """Return how the p-value of a row of tests is adjusted, in words.

    Examples
    --------
    >>> adjusted_by({"adjust_method": "max_t"})
    'by the largest statistic'
    """
    method = str(row["adjust_method"])
    return _ADJUSTED.get(method, method)
