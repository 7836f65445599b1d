"""From what files say to answers: task, ratings, responses, and what is wrong, the same for every format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.listening.formats.parsed import Declared, numbers_of
from layerstats.listening.formats.rating_labels import CATEGORY_LABELS, ratings_of
from layerstats.listening.formats.row_problems import RowProblems, problem_notes, told
from layerstats.tables.answers import ANSWER_COLUMNS, ROLES, TASKS, Answers

# How files say which of a pair was chosen.
_CHOSEN = {"a": "a", "b": "b", "same": "same", "s": "same", "equal": "same", "tie": "same", "no preference": "same"}
# A rater with this many answers, all the same, is named.
_CONSTANT_FROM = 5
_MOST_NAMED = 10


def checked_answers(
    frame: pd.DataFrame,
    problems: pd.DataFrame,
    declared: Declared,
    labels: Mapping[str, float],
    points: Sequence[int] = (),
) -> Answers:
    """Return answers of a table of text, and everything that is wrong with its rows.

    Parameters
    ----------
    frame : DataFrame
        Rows of all files: `rater, clip, answer, task, source_file, source_row, ...`.
    problems : DataFrame
        What is known to be wrong already.
    declared : Declared
        What was said of the files.
    labels : mapping
        Ratings by label.
    points : sequence of int
        Points of the scale, where only these could be chosen.
    """
    rows = RowProblems(_complete(frame, declared), problems)
    notes = []
    for column in ("rater", "clip"):
        notes += _trim(rows, column)
        rows.report((rows.table[column] == "").to_numpy(dtype=bool), f"no {column}")
    rows.report((rows.table["answer"].str.strip() == "").to_numpy(dtype=bool), "unanswered")
    notes += _guess_task(rows, labels)
    scale, more = _read_ratings(rows, declared, labels, points)
    _read_responses(rows, declared.alternatives)
    _report_duplicates(rows)
    table = _ordered(rows.table)
    found = rows.all()
    if table.empty:
        reasons = " ".join(problem_notes(found))
        raise DataError(f"There is no answer among {told(len(frame), 'row')}. {reasons}".strip())
    notes += [*more, *problem_notes(found), *_notes_on_raters(table)]
    return Answers(table, found, scale, tuple(notes))


def _complete(frame: pd.DataFrame, declared: Declared) -> pd.DataFrame:
    """Return rows with a task (empty where it must be found out) and a role."""
    table = frame.reset_index(drop=True)
    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    table = table.assign(**{name: table[name].fillna("").astype(str) for name in texts})
    for name, default, allowed in (("task", declared.task or "", TASKS), ("role", "test", ROLES)):
        cells = table[name].str.strip().str.lower() if name in table else pd.Series("", index=table.index)
        cells = cells.where(cells != "", default)
        unknown = [value for value in cells.unique() if value and value not in allowed]
        if unknown:
            raise DataError(
                f"The column {name!r} of the answers must hold one of {', '.join(map(repr, allowed))}, but holds "
                f"{unknown[0]!r}. Call the column something else where it says something else."
            )
        table[name] = cells
    return table


def _trim(rows: RowProblems, column: str) -> list[str]:
    """Take blanks off the ends of names, and say which names were two for that."""
    given = rows.table[column]
    trimmed = given.str.strip()
    rows.table[column] = trimmed
    names = pd.Series(given.unique(), dtype=object)
    same = names.str.strip()
    twice = sorted({name for name in same[same.duplicated()] if name})
    if not twice:
        return []
    shown = ", ".join(twice[:_MOST_NAMED]) + (", ..." if len(twice) > _MOST_NAMED else "")
    return [f"{told(len(twice), column)} stand with and without blanks around the name, and are one each: {shown}."]


def _guess_task(rows: RowProblems, labels: Mapping[str, float]) -> list[str]:
    """Find out what was asked where nothing says so."""
    open_rows = (rows.table["task"] == "").to_numpy(dtype=bool)
    if not open_rows.any():
        return []
    answers = rows.table.loc[open_rows, "answer"]
    ratings, _ = ratings_of(answers, labels)
    if np.mean(~np.isnan(ratings)) > 0.5:
        task, why = "opinion", "most answers are ratings"
    elif answers.str.strip().str.lower().isin(list(_CHOSEN)).mean() > 0.5:
        task, why = "preference", "most answers are a, b or the same"
    else:
        task, why = "identification", "most answers are words"
    rows.table.loc[open_rows, "task"] = task
    return [f"The task is taken to be {task}: {why}. If it is another, say task."]


def _read_ratings(
    rows: RowProblems, declared: Declared, labels: Mapping[str, float], points: Sequence[int]
) -> tuple[tuple[int, int] | None, list[str]]:
    opinion = (rows.table["task"] == "opinion").to_numpy(dtype=bool)
    rows.table["rating"] = np.nan
    if not opinion.any():
        return None, []
    ratings, read = ratings_of(rows.table.loc[opinion, "answer"], labels)
    rows.table.loc[opinion, "rating"] = ratings
    rows.report(opinion & rows.table["rating"].isna().to_numpy(dtype=bool), "not a rating")
    notes = []
    if read:
        shown = ", ".join(f"{label!r} {value:g}" for label, value in sorted(read.items(), key=lambda one: one[1]))
        notes.append(f"Labels were read as ratings: {shown}.")
    given = rows.table["rating"].dropna().to_numpy(dtype=float)
    if not len(given):
        return declared.scale, notes
    scale = declared.scale
    if scale is None:
        scale, more = _scale_of(given, read)
        notes += more
    else:
        values = rows.table["rating"].to_numpy(dtype=float)
        rows.report((values < scale[0]) | (values > scale[1]), "outside the scale")
    if points:
        values = rows.table["rating"].to_numpy(dtype=float)
        rows.report(~np.isnan(values) & ~np.isin(values, list(points)), "between points of the scale")
    return scale, notes


def _scale_of(given: np.ndarray, read: Mapping[str, float]) -> tuple[tuple[int, int] | None, list[str]]:
    """Return the scale of ratings of which nobody said it."""
    low, high = int(np.floor(given.min())), int(np.ceil(given.max()))
    if read and set(read.values()) <= set(CATEGORY_LABELS.values()) and low >= 1 and high <= 5:
        return (1, 5), []
    advice = "ratings outside it cannot be told. Say scale."
    if low == high:
        return None, [f"All ratings are {given[0]:g}, and nobody said the scale: {advice}"]
    return (low, high), [f"The scale is taken to be {low} to {high}, the lowest and highest rating given: {advice}"]


def _read_responses(rows: RowProblems, alternatives: Sequence[str]) -> None:
    """Take what was chosen by its name, and report what could not be chosen."""
    table = rows.table
    answers = table["answer"].str.strip()
    chosen = answers.str.lower().map(_CHOSEN)
    paired = table["task"].isin(["preference", "abx"]).to_numpy(dtype=bool)
    named = {alternative.strip().casefold(): alternative for alternative in alternatives}
    heard = answers.str.casefold().map(named) if named else answers
    identified = (table["task"] == "identification").to_numpy(dtype=bool)
    response = pd.Series(pd.NA, index=table.index, dtype=object)
    response = response.mask(pd.Series(paired, index=table.index), chosen)
    response = response.mask(pd.Series(identified, index=table.index), heard)
    # Whoever hears neither in X has not answered an ABX trial.
    undecided = ((table["task"] == "abx") & (response == "same")).to_numpy(dtype=bool)
    rows.table["response"] = response
    wrong = (paired | identified) & response.isna().to_numpy(dtype=bool)
    rows.report(wrong, "no alternative of this task")
    rows.report(undecided[~wrong], "undecided")


def _report_duplicates(rows: RowProblems) -> None:
    """Leave out the same answer read twice; name, and keep, a clip that somebody answered again."""
    if "key" in rows.table:
        keyed = (rows.table["key"] != "").to_numpy(dtype=bool)
        first = rows.table.loc[keyed].drop_duplicates("key").set_index("key")["answer"]
        again = keyed & rows.table.duplicated("key").to_numpy(dtype=bool)
        other = again & (rows.table["key"].map(first) != rows.table["answer"]).to_numpy(dtype=bool)
        rows.report(again & ~other, "duplicate")
        rows.report(other[~(again & ~other)], "duplicate with another answer")
    table = rows.table
    heard = table.duplicated(["rater", "clip"]) & ~table["role"].isin(["training", "catch"])
    rows.report(heard.to_numpy(dtype=bool), "answered again by the same rater", kept=True)


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Return answers with the columns of the contract first, in its order and its types."""
    table = table.drop(columns=["answer", "key"], errors="ignore")
    for name in table:
        if not pd.api.types.is_numeric_dtype(table[name]):
            text = table[name].str.strip()
            table[name] = text.mask(text == "", None)
    empty = [name for name in ANSWER_COLUMNS[:-2] if name in table and bool(table[name].isna().all())]
    table = table.drop(columns=empty)
    if "swapped" in table and not pd.api.types.is_bool_dtype(table["swapped"]):
        table["swapped"] = table["swapped"].astype(str).str.lower().map({"true": True, "false": False})
    if "position" in table:
        table["position"] = pd.array(numbers_of(table["position"].fillna("").astype(str)), dtype="Int64")
    first = [name for name in ANSWER_COLUMNS[:-2] if name in table]
    last = list(ANSWER_COLUMNS[-2:])
    rest = [name for name in table if name not in (*first, *last)]
    return pd.DataFrame(table[[*first, *rest, *last]]).reset_index(drop=True)


def _notes_on_raters(table: pd.DataFrame) -> list[str]:
    raters = table["rater"].unique()
    notes = [f"All answers are of one rater, {raters[0]}."] if len(raters) == 1 else []
    if "rating" in table:
        own = table.loc[table["role"] == "test"].groupby("rater", sort=False)["rating"].agg(["nunique", "size"])
        constant = list(own.index[(own["nunique"] == 1) & (own["size"] >= _CONSTANT_FROM)])
        if constant:
            shown = ", ".join(constant[:_MOST_NAMED]) + (", ..." if len(constant) > _MOST_NAMED else "")
            notes.append(f"{told(len(constant), 'rater')} rated {_CONSTANT_FROM} or more clips, all alike: {shown}.")
    return notes
