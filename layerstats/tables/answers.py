"""Answers of a listening test as one table: what every reader gives and every statistic takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns, check_complete
from layerstats.errors import ArgumentError, DataError

TASKS = ("opinion", "preference", "abx", "identification")
ROLES = ("test", "reference", "catch", "training")
# What may stand in a table of answers beside columns of the clips' own (condition, system, target, speaker, ...).
ANSWER_COLUMNS = (
    "rater",
    "clip",
    "task",
    "role",
    "rating",
    "response",
    "expected",
    "session",
    "position",
    "seconds",
    "comment",
    "source_file",
    "source_row",
)
PROBLEM_COLUMNS = ("source_file", "source_row", "rater", "clip", "problem", "value", "kept")


@dataclass(frozen=True, eq=False)
class Answers:
    """What raters answered, and what was wrong with the rows it was read from.

    Attributes
    ----------
    table
        A row an answer: `rater, clip, task, role`; `rating` (a number, of opinions) or `response` (text: "a", "b" or
        "same" of pairs, "a" or "b" of ABX, what was heard in identification); `expected`, the right answer where there
        is one (of a catch trial, a hidden reference, an identification), as text; where known `session`, `position`
        (from 1, in the order in which clips were heard), `seconds`, `comment`, `source_file`, `source_row`; and
        columns that describe clips (`condition`, `system`, `target`, ...).
    problems
        A row a problem: `source_file, source_row, rater, clip, problem` ("duplicate", "unanswered", "outside the
        scale", ...), `value` as it was read, and `kept`, whether the row is in the table all the same.
    scale
        Lowest and highest rating that could be given; None where nobody rated.
    notes
        What was recognised or left out, in sentences.
    """

    table: pd.DataFrame
    problems: pd.DataFrame
    scale: tuple[int, int] | None
    notes: tuple[str, ...] = ()


def check_ratings(
    frame: pd.DataFrame, scale: tuple[int, int] | None = None, by: Sequence[str] = (), what: str = "the ratings"
) -> pd.DataFrame:
    """Check ratings and return them as statistics take them: answers of opinion, of the role "test".

    Parameters
    ----------
    frame : DataFrame
        ``rater, clip, rating``, and the columns `by`. Rows of another task or role are left out.
    scale : tuple of int, optional
        Lowest and highest rating there is; the lowest and highest that were given by default.
    by : sequence of str
        Columns that must be complete too.
    what : str
        What the table is called in messages.

    Returns
    -------
    DataFrame
        The rows that count, with `rater`, `clip` and `by` as text and `rating` as float.

    Raises
    ------
    ArgumentError
        `by` has the rating itself.
    DataError
        A column is missing or incomplete, there are no rows, or a rating is no number or outside the scale.

    Examples
    --------
    >>> given = pd.DataFrame({"rater": ["r1", "r2"], "clip": ["a", "a"], "rating": [4, 5]})
    >>> check_ratings(given, scale=(1, 5))["rating"].tolist()
    [4.0, 5.0]
    """
    if "rating" in by:
        raise ArgumentError(
            f"Ratings cannot be compared by what they are: 'rating' of {what} is no condition. Name another column."
        )
    check_columns(frame, ["rater", "clip", "rating", *by], what)
    rows = np.ones(len(frame), dtype=bool)
    for column, value in (("task", "opinion"), ("role", "test")):
        if column in frame:
            rows &= np.asarray(frame[column] == value, dtype=bool)
    table = pd.DataFrame(frame.loc[rows])
    if table.empty:
        raise DataError(f"There are no rows of opinion and of the role 'test' in {what}: nobody rated a clip.")
    check_complete(table, ["rater", "clip", "rating", *by], what)
    ratings = np.asarray(pd.to_numeric(table["rating"], errors="coerce"), dtype=float)
    bad = np.flatnonzero(np.isnan(ratings))
    if len(bad):
        value = table["rating"].tolist()[bad[0]]
        raise DataError(f"A rating of {what} is no number: {value!r} at row {table.index[bad[0]]}.")
    if scale is not None:
        check_scale(scale)
        outside = np.flatnonzero((ratings < scale[0]) | (ratings > scale[1]))
        if len(outside):
            raise DataError(
                f"{len(outside)} of {len(ratings)} ratings are outside the scale {scale[0]} to {scale[1]}, the first "
                f"{ratings[outside[0]]:g} at row {table.index[outside[0]]}: correct or leave them out, or say another "
                "scale."
            )
    texts = {column: table[column].astype(str) for column in ("rater", "clip", *by)}
    return table.assign(**texts, rating=ratings)


def check_scale(scale: tuple[int, int]) -> None:
    """Raise `ArgumentError` unless `scale` is a lowest and a higher highest rating, whole numbers."""
    whole = len(scale) == 2 and all(float(end).is_integer() for end in scale)
    if not whole or scale[0] >= scale[1]:
        raise ArgumentError(f"scale must be the lowest and the highest rating, such as (1, 5), but got {scale!r}.")


def check_task(task: object) -> None:
    """Raise `ArgumentError` unless `task` is one that a listening test can have."""
    check_choice("task", task, TASKS)
