"""Names of rules for cleaning, their options and defaults, and the hash of a list of them."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from typing import Any, cast

import pandas as pd

from layerstats.checks import read_as
from layerstats.errors import ArgumentError
from layerstats.stats.ratings.cleaning.conduct_rules import (
    HeadphonesFailed,
    NativeLanguage,
    RatedTwice,
    SessionCap,
    SessionIncomplete,
)
from layerstats.stats.ratings.cleaning.known_answer_rules import (
    CatchMissed,
    ReferencesMissed,
    StraightLining,
    TooFast,
)
from layerstats.stats.ratings.cleaning.outcome_rules import OutcomeFilter, OutlyingRatings
from layerstats.stats.ratings.cleaning.rule_protocol import CleaningRule

# A new rule is a line here.
RULES: dict[str, Any] = {
    kind.name: kind
    for kind in (
        CatchMissed,
        ReferencesMissed,
        HeadphonesFailed,
        TooFast,
        StraightLining,
        NativeLanguage,
        SessionIncomplete,
        SessionCap,
        RatedTwice,
        OutcomeFilter,
        OutlyingRatings,
    )
}


def check_rules(rules: Sequence[Mapping[str, Any] | str]) -> tuple[dict[str, Any], ...]:
    """Check rules for cleaning and return them in full: every option, defaults too.

    Parameters
    ----------
    rules : sequence
        Each a mapping with `rule`, its name, and its options; or only the name. `cleaning_rules` lists them.

    Returns
    -------
    tuple of dict
        As they are written into a design: text, numbers and lists of text.

    Raises
    ------
    ArgumentError
        There is no such rule or option, a value is not allowed, an option that is needed is missing, or a rule is
        named twice.

    Examples
    --------
    >>> check_rules(["catch_missed", {"rule": "too_fast", "least_seconds": 2}])
    ({'rule': 'catch_missed', 'most_share': 0.25}, {'rule': 'too_fast', 'least_seconds': 2.0})
    """
    return tuple(written_rule(rule) for rule in open_rules(rules))


def open_rules(rules: Sequence[Mapping[str, Any] | str]) -> tuple[CleaningRule, ...]:
    """Make the rules that `check_rules` checks."""
    if isinstance(rules, str | Mapping):
        raise ArgumentError(f"'rules' must be a list of rules, such as [{rules!r}], not {rules!r}.")
    opened = tuple(_open(rule) for rule in rules)
    names = [rule.name for rule in opened]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ArgumentError(f"The rule {twice[0]!r} is named twice; what it removes could not be told apart.")
    return opened


def written_rule(rule: CleaningRule) -> dict[str, Any]:
    """Return a rule as it is written into a design."""
    options = {
        name: list(value) if isinstance(value, tuple) else value for name, value in asdict(cast(Any, rule)).items()
    }
    return {"rule": rule.name, **options}


def rules_sha256(rules: Sequence[Mapping[str, Any] | str]) -> str:
    """Hash rules: the same for the same rules in the same order, however their defaults are said.

    Examples
    --------
    >>> rules_sha256(["catch_missed"]) == rules_sha256([{"rule": "catch_missed", "most_share": 0.25}])
    True
    """
    text = json.dumps(check_rules(rules), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def cleaning_rules() -> pd.DataFrame:
    """List the rules for cleaning.

    Returns
    -------
    DataFrame
        ``rule, sees, options, description``: its name; what it is judged on ("known answers" of catch and reference
        trials, "conduct", or the "outcome" itself, which selects); options with their defaults; what it does.

    Examples
    --------
    >>> cleaning_rules().set_index("rule").loc["too_fast", ["sees", "options"]].tolist()
    ['known answers', 'least_seconds=1.0']
    """
    rows = [
        {
            "rule": name,
            "sees": kind.sees,
            "options": ", ".join(_option(one) for one in fields(kind)),
            "description": str(inspect.getdoc(kind)).partition("\n")[0],
        }
        for name, kind in RULES.items()
    ]
    return pd.DataFrame(rows)


def _option(option: Any) -> str:
    return option.name if option.default is MISSING else f"{option.name}={option.default!r}"


def _open(rule: Mapping[str, Any] | str) -> CleaningRule:
    given = {"rule": rule} if isinstance(rule, str) else rule
    if not isinstance(given, Mapping) or not isinstance(given.get("rule"), str):
        raise ArgumentError(f"A rule is a mapping with 'rule', its name, and its options, but got {rule!r}.")
    name = given["rule"]
    if name not in RULES:
        raise ArgumentError(f"There is no rule {name!r} for cleaning. The rules are: {', '.join(RULES)}.")
    kind = RULES[name]
    options = {key: value for key, value in given.items() if key != "rule"}
    known = {one.name: one for one in fields(kind)}
    strange = [key for key in options if key not in known]
    if strange:
        options_there = ", ".join(map(_option, known.values()))
        raise ArgumentError(f"The rule {name!r} has no option {strange[0]!r}. Its options are: {options_there}.")
    missing = [key for key, one in known.items() if one.default is MISSING and key not in options]
    if missing:
        raise ArgumentError(f"The rule {name!r} needs its option {missing[0]!r}.")
    return cast(CleaningRule, read_as(kind, options, f"rule {name!r}"))
