"""Rules for cleaning with what a design knows: how many trials a whole session has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from layerstats.stats.ratings.cleaning import check_rules


def rules_of_sessions(
    rules: Sequence[Mapping[str, Any] | str], trials: pd.DataFrame, clips: pd.DataFrame
) -> tuple[dict[str, Any], ...]:
    """Return rules in full; where `session_incomplete` does not say of how many trials, those of the shortest session.

    Parameters
    ----------
    rules : sequence
        As `check_rules` takes them.
    trials, clips : DataFrame
        Of the design. Training is no trial that counts.

    Examples
    --------
    >>> clips = pd.DataFrame({"clip": ["a", "b", "t"], "role": ["test", "catch", "training"]})
    >>> trials = pd.DataFrame({"session": 1, "clip": ["t", "a", "b"]})
    >>> rules_of_sessions(["session_incomplete"], trials, clips)[0]["trials"]
    2
    """
    names = pd.Series(clips["clip"]).astype(str)[clips["role"] != "training"].tolist()
    counted = trials.loc[trials["clip"].astype(str).isin(names)].drop_duplicates(["session", "clip"])
    shortest = int(counted.groupby("session")["clip"].size().min())
    return tuple(
        {**rule, "trials": shortest} if rule["rule"] == "session_incomplete" and rule["trials"] == 0 else rule
        for rule in check_rules(rules)
    )
