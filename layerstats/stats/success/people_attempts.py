"""People as one more judge of attempts: what a listening test's raters heard in outcomes of maximizations."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import DataError
from layerstats.stats.success.attempt_frames import attempts_from_frame, checked_attempts

# What says which start an answer is about, as far as the answers have it.
_PLACES = ("set_up", "network", "null", "start")
_OF_START = ("number", "seed", "token", "response_before", "labels", "trained")
WHAT = "the answers"


def with_people(attempts: pd.DataFrame, answers: pd.DataFrame, *, name: str = "people") -> pd.DataFrame:
    """Add what people heard to attempts: a row a rater and start, of one judge who is several people.

    Parameters
    ----------
    attempts : DataFrame
        As from `attempts` or `attempts_from_frame`.
    answers : DataFrame
        Identifications of a listening test: `rater, start, response`, and `set_up, network, null` where the attempts
        have several. Rows of another role than "test" and rows without a start (natural clips) are left out, and so
        are answers that were not given.
    name : str
        What people are called as a judge.

    Returns
    -------
    DataFrame
        The attempts with these rows, and the column `rater` (empty for machines): `success_rates` and
        `success_matrix` give people intervals for other people too.

    Raises
    ------
    DataError
        A column is missing or incomplete, an answer is about no start of the attempts, or about several.

    Examples
    --------
    >>> rows = [("a", "yes", "yes_00000", judge, "yes") for judge in ("a", "b")]
    >>> table = attempts_from_frame(pd.DataFrame(rows, columns=["network", "target", "start", "judge", "response"]))
    >>> heard = pd.DataFrame({"rater": ["r1", "r2"], "start": "yes_00000", "response": ["yes", "no"]})
    >>> with_people(table, heard)[["judge", "rater", "response"]].values.tolist()
    [['a', '', 'yes'], ['b', '', 'yes'], ['people', 'r1', 'yes'], ['people', 'r2', 'no']]
    """
    attempts = checked_attempts(attempts)
    heard = _heard(answers)
    places = [place for place in _PLACES if place in heard]
    text = [*_PLACES, "target"]
    starts = pd.DataFrame(attempts.drop_duplicates(text).astype(dict.fromkeys(text, "str"))[[*text, *_OF_START]])
    if "null" not in places:
        starts = pd.DataFrame(starts.loc[starts["null"] == ""])
    several = np.asarray(starts.duplicated(places))
    if several.any():
        first = starts.loc[several, "start"].tolist()[0]
        lacking = ", ".join(repr(place) for place in _PLACES if place not in places) or "a name of its own"
        raise DataError(f"The start {first!r} is there several times: the answers need {lacking} to say which.")
    # An identification may have targets of its own; those of the starts count.
    found = heard.merge(starts, on=places, how="left")
    strange = np.asarray(found["target"].isna())
    if strange.any():
        first = ", ".join(f"{place} {found.loc[strange, place].tolist()[0]!r}" for place in places)
        raise DataError(
            f"{int(strange.sum())} of {len(found)} answers are about no start of the attempts, first {first}. "
            "What people heard must be called as the starts and outcomes are."
        )
    said = found.assign(judge=name, score=np.nan)
    machines = attempts if "rater" in attempts else attempts.assign(rater="")
    return attempts_from_frame(pd.concat([_as_objects(machines), _as_objects(said)], ignore_index=True))


def _heard(answers: pd.DataFrame) -> pd.DataFrame:
    check_columns(answers, ["rater", "start", "response"], WHAT)
    rows = answers
    for column, value in (("role", "test"), ("task", "identification")):
        if column in rows:
            rows = rows.loc[np.asarray(rows[column] == value, dtype=bool)]
    rows = rows.loc[rows["start"].notna().to_numpy() & rows["response"].notna().to_numpy()]
    if rows.empty:
        raise DataError("Nobody said what they heard in a start: there is no answer with a start and a response.")
    places = [place for place in _PLACES if place in rows]
    rows = pd.DataFrame(rows[["rater", "response", *places]])
    if "null" in rows:
        rows = rows.assign(null=rows["null"].astype(object).where(rows["null"].notna(), ""))
    check_complete(rows, ["rater", *places], WHAT)
    rows = rows.astype("str")
    return rows.assign(response=rows["response"].str.strip())


def _as_objects(table: pd.DataFrame) -> pd.DataFrame:
    """Return categories as text, so that tables can be put below each other."""
    names = [name for name in table if isinstance(table[name].dtype, pd.CategoricalDtype)]
    return table.assign(**{str(name): table[name].astype(object) for name in names})
