"""A row a start and judge: what the statistics of success begin with, checked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import ArgumentError, DataError

# What an outcome set can be a null of; "" is none.
NULLS = ("untrained", "shuffled", "zero_steps", "random_direction", "natural")
ATTEMPT_COLUMNS = (
    "set_up", "network", "target", "start", "number", "seed", "token", "judge", "response", "score",
    "response_before", "null", "labels", "trained",
)  # fmt: skip
WHAT = "the table of attempts"
_NEEDED = ("network", "target", "start", "judge", "response")
_TEXT = ("set_up", "network", "target", "start", "token", "judge", "response", "response_before", "null", "labels")
_MAY_BE_EMPTY = ("token", "null")
_DEFAULTS = {"set_up": "maximized", "token": "", "null": "", "labels": "true", "trained": True}


def attempts_from_frame(
    frame: pd.DataFrame, *, targets: Sequence[str] | None = None, set_ups: Sequence[str] | None = None
) -> pd.DataFrame:
    """Make a table of one's own fit for the statistics of success, or say what is wrong with it.

    Parameters
    ----------
    frame : columns `network, target, start, judge, response`
        A row a start and judge: which network's class was maximized, from which start, and what a judge heard. The
        target network itself is a judge of its own name. Optional: `set_up`, `number`, `seed` and `token` of the
        start, `score` (that the judge gives the target), `response_before` (what the target network heard before),
        `null` (see `NULLS`; "" for none), `labels`, `trained`, and `rater` where several people are one judge.
    targets
        The classes that are to be analysed; by default all there are.
    set_ups
        The set-ups that are to be analysed; by default all there are.

    Returns
    -------
    pandas.DataFrame
        `ATTEMPT_COLUMNS`, and `rater` where it was given; text as categories.

    Raises
    ------
    ArgumentError
        Targets or set-ups are one text rather than a list.
    DataError
        A column is missing or incomplete, a score is infinite or no number, a judge is asked twice about a start,
        nobody attempted a class, there is no such set-up, or there are fewer than two judges.

    Examples
    --------
    >>> rows = [("a", "yes", "yes_00000", judge, "yes") for judge in ("a", "b")]
    >>> frame = pd.DataFrame(rows, columns=["network", "target", "start", "judge", "response"])
    >>> attempts_from_frame(frame)[["set_up", "judge", "response", "null"]].values.tolist()
    [['maximized', 'a', 'yes', ''], ['maximized', 'b', 'yes', '']]
    """
    check_columns(frame, _NEEDED, WHAT)
    if frame.empty:
        raise DataError(f"Nothing was attempted: {WHAT} has no rows.")
    table = frame.copy()
    for name, value in _DEFAULTS.items():
        if name not in table:
            table[name] = value
    for name, kind in (("number", "Int64"), ("seed", "Int64"), ("response_before", "str"), ("score", "float64")):
        if name not in table:
            table[name] = pd.Series(pd.NA if kind != "float64" else np.nan, index=table.index, dtype=kind)
    # Files of tables do not tell empty text from nothing.
    table = table.assign(**{name: table[name].astype(object).where(table[name].notna(), "") for name in _MAY_BE_EMPTY})
    check_complete(table, [*_NEEDED, *_DEFAULTS], WHAT, "Leave starts out that were not judged.")
    table = _chosen(table, "set_up", set_ups, "set-up")
    table = _chosen(table, "target", targets, "class")
    _check_scores(table)
    strange = sorted(set(map(str, table["null"].unique())) - {"", *NULLS})
    if strange:
        raise DataError(f"The null {strange[0]!r} is not known: it is one of {', '.join(map(repr, NULLS))}, or ''.")
    extra = ["rater"] if "rater" in table else []
    table = table.loc[:, [*ATTEMPT_COLUMNS, *extra]]
    table = table.assign(**{name: _names(table[name]) for name in [*_TEXT, *extra]}).reset_index(drop=True)
    _check_once(table)
    _check_judges(table)
    return table


def checked_attempts(attempts: pd.DataFrame) -> pd.DataFrame:
    """Return attempts as `attempts_from_frame` makes them; a table that it has not seen goes through it first."""
    seen = set(ATTEMPT_COLUMNS) <= set(attempts) and all(
        isinstance(attempts[name].dtype, pd.CategoricalDtype) for name in _TEXT
    )
    return attempts if seen else attempts_from_frame(attempts)


def _names(column: pd.Series) -> pd.Series:
    """Return names as categories of text; a whole number is the same name as an integer, a float and text."""
    values = column.astype("category")
    written = [
        str(int(one)) if isinstance(one, float | np.floating) and one == int(one) else str(one)
        for one in values.cat.categories
    ]
    if len(set(written)) == len(written):
        return values.cat.rename_categories(written)
    return values.map(dict(zip(values.cat.categories, written, strict=True)), na_action="ignore").astype("category")


def _chosen(table: pd.DataFrame, column: str, wanted: Sequence[str] | None, what: str) -> pd.DataFrame:
    if wanted is None:
        return table
    if isinstance(wanted, str):
        raise ArgumentError(f"'{column}s' must be a list of names, such as [{wanted!r}], not the text {wanted!r}.")
    there = sorted(map(str, table[column].unique()))
    missing = [name for name in wanted if name not in there]
    if missing:
        raise DataError(f"Nobody attempted the {what} {missing[0]!r}. Attempted were: {', '.join(there[:40])}.")
    return pd.DataFrame(table.loc[table[column].isin(list(wanted))])


def _check_scores(table: pd.DataFrame) -> None:
    """Raise where a judge that scores starts gives some no score, or none that is a number."""
    try:
        scores = pd.Series(table["score"]).astype("float64")
    except (TypeError, ValueError) as error:
        raise DataError(f"The column 'score' of {WHAT} has values that are no numbers ({error}).") from error
    missing = scores.isna()
    by = [table[name] for name in ("set_up", "network", "judge")]
    scoring = ~missing.groupby(by, observed=True).transform("all")
    bad = (scoring & missing).to_numpy() | np.isinf(scores.to_numpy())
    if bad.any():
        first = table.loc[bad].iloc[0]
        raise DataError(
            f"The judge {first['judge']!r} gives the start {first['start']!r} of the network {first['network']!r} the "
            f"score {float(first['score'])}, which is no number ({int(bad.sum())} of {len(table)} rows). Judge again."
        )


def _check_once(table: pd.DataFrame) -> None:
    identity = [name for name in ("set_up", "null", "network", "target", "start", "judge", "rater") if name in table]
    twice = table.duplicated(identity)
    if twice.any():
        first = table.loc[twice].iloc[0]
        raise DataError(
            f"The judge {first['judge']!r} was asked twice about the start {first['start']!r} of the network "
            f"{first['network']!r} ({int(twice.sum())} of {len(table)} rows). Where several people are one judge, say "
            "who in a column 'rater'."
        )


def _check_judges(table: pd.DataFrame) -> None:
    for set_up, rows in table.groupby("set_up", observed=True):
        judges = rows["judge"].unique()
        # Networks that each judge only what was made for themselves are one judge of each start.
        if int(rows.groupby("network", observed=True)["judge"].nunique().to_numpy().max()) < 2:
            raise DataError(
                f"The set-up {set_up!r} has one judge only, {judges[0]!r}: success is what others hear too, so that "
                "two or more are needed. Let others judge it: layerstats judge STORE --judges FILE,FILE,pocketsphinx"
            )
