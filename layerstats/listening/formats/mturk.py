"""Results of a Mechanical Turk batch: a row an assignment, with one or several clips."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.listening.formats.mapping import IN_A_FILE
from layerstats.listening.formats.parsed import Declared, Parsed, is_sound, scaled_seconds
from layerstats.listening.formats.rating_labels import ratings_of
from layerstats.listening.formats.row_problems import told
from layerstats.listening.formats.source import Source
from layerstats.tables.answers import ANSWER_COLUMNS

# Columns at the end of the header that rows of a downloaded batch do not have.
UPLOAD_COLUMNS = ("Approve", "Reject")
TASK_ANSWERS = "Answer.taskAnswers"
_BOOLEAN = {"true", "false", ""}
_COMMENT = re.compile(r"comment|feedback|suggest|remark", re.IGNORECASE)
# What looks like a rating, but is a fact of the worker or of the browser.
_NO_RATING = re.compile(
    r"time|second|play|age\b|year|birth|browser|screen|width|height|duration|math|num\d|hear|device|setup",
    re.IGNORECASE,
)
_OF_OUR_PAGE = re.compile(r"Input\.(url(_x|_first|_second)?|first|second|prompt)\d+")
_NUMBERED = re.compile(r"(.*?)[_.-]?(\d+)$")


def is_mturk(source: Source) -> bool:
    """Whether a file is the results of a batch."""
    header = set(source.header)
    return "WorkerId" in header and bool(header & {"HITId", "AssignmentId", TASK_ANSWERS})


def parse_mturk(source: Source, declared: Declared) -> Parsed:
    """Take the answers of a batch.

    Raises
    ------
    DataError
        It is not clear which columns are the clips and which the answers; says which there are.
    """
    cells, problems = source.sheet.cells(source.name, optional=UPLOAD_COLUMNS)
    cells, more = expand_task_answers(cells)
    cells = collapse_choices(cells)
    clips = _clip_columns(cells, declared, source.name)
    answers = _answer_columns(cells, declared, len(clips), source.name)
    notes = assignment_notes(cells)
    columns = _columns(cells, clips, answers, declared.mapping.used)
    frame = declared.mapping.long(cells, columns, repr(source.name))
    if clips and not {"clip", "rating", "response"} & set(declared.mapping.columns):
        shown = [f"{clip} with {answer}" for clip, answer in zip(clips, answers, strict=True)]
        notes.append(f"Clips and their answers: {', '.join(shown[:5])}{', ...' if len(shown) > 5 else ''}.")
    return Parsed(with_keys(frame), [*problems, *more], notes=tuple(notes))


def assignment_columns(cells: pd.DataFrame, several: bool) -> dict[str, str]:
    """Return what the columns of every batch hold."""
    sessions = ("Input.session", "AssignmentId", "HITId")
    names = {
        "rater": "WorkerId",
        "session": next((name for name in sessions if name in cells), ""),
        "assignment_id": "AssignmentId",
        "assignment_status": "AssignmentStatus",
        "hit_id": "HITId",
        "session_seconds" if several else "seconds": "WorkTimeInSeconds",
    }
    return {name: column for name, column in names.items() if column in cells}


def with_keys(frame: pd.DataFrame) -> pd.DataFrame:
    """Return answers with a key each: assignment and worker, since an assignment that is returned is used again."""
    for name in ("seconds", "session_seconds"):
        if name in frame:
            frame = frame.assign(**{name: scaled_seconds(frame[name], 1)})
    if "assignment_id" not in frame:
        return frame
    place = frame.get("position", "")
    return frame.assign(key=frame["assignment_id"] + "\t" + frame["rater"] + "\t" + frame["clip"] + "\t" + place)


def assignment_notes(cells: pd.DataFrame) -> list[str]:
    """Return what is to be said of the assignments of a batch."""
    notes = []
    if "AssignmentStatus" in cells:
        rejected = int((cells["AssignmentStatus"].str.strip().str.lower() == "rejected").sum())
        if rejected:
            notes.append(
                f"{told(rejected, 'assignment')} were rejected; their answers are in the table (assignment_status)."
            )
    if "AssignmentId" in cells:
        workers = cells.groupby("AssignmentId")["WorkerId"].nunique()
        shared = int((workers.loc[workers.index != ""] > 1).sum())
        if shared:
            notes.append(f"{told(shared, 'assignment')} had several workers, one after another: they are told apart.")
    return notes


def expand_task_answers(cells: pd.DataFrame) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return cells with a column for every answer in the JSON of `Answer.taskAnswers`, and rows whose JSON is none."""
    if TASK_ANSWERS not in cells:
        return cells, []
    found, problems = [], []
    for row, text, worker in zip(cells.index, cells[TASK_ANSWERS], cells["WorkerId"], strict=True):
        try:
            given = json.loads(text or "[{}]")
            given = given[0] if isinstance(given, list) and given else given
            found.append(flat(given, "Answer") if isinstance(given, dict) else {})
        except (ValueError, RecursionError):
            found.append(None)
            problems.append({"source_row": row, "rater": worker, "problem": "answers are no JSON", "value": text[:200]})
    good = [place for place, one in enumerate(found) if one is not None]
    answers = pd.DataFrame([found[place] for place in good], index=cells.index[good], dtype=object).fillna("")
    rest = cells.iloc[good].drop(columns=[TASK_ANSWERS, *(name for name in answers if name in cells)])
    return pd.concat([rest, answers.astype(str)], axis=1), problems


def flat(given: dict[str, Any], prefix: str) -> dict[str, str]:
    """Return nested values by their path, as text.

    Examples
    --------
    >>> flat({"naturalness": {"label": "4 - Good"}, "loud": True}, "Answer")
    {'Answer.naturalness.label': '4 - Good', 'Answer.loud': 'true'}
    """
    found: dict[str, str] = {}
    for name, value in given.items():
        path = f"{prefix}.{name}"
        if isinstance(value, dict):
            found |= flat(value, path)
        else:
            found[path] = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return found


def collapse_choices(cells: pd.DataFrame) -> pd.DataFrame:
    """Return cells with a column for every group of buttons: `Answer.rating.1` ... `.5`, one of them true."""
    groups: dict[str, list[str]] = {}
    for name in cells:
        group, _, value = name.removeprefix("Answer.").rpartition(".")
        if name.startswith("Answer.") and group and value and set(cells[name].str.strip().str.lower()) <= _BOOLEAN:
            groups.setdefault(f"Answer.{group}", []).append(name)
    for group, names in groups.items():
        if group in cells:
            continue
        chosen = pd.Series("", index=cells.index)
        for name in names:
            true = cells[name].str.strip().str.lower() == "true"
            value = name.rpartition(".")[2]
            chosen = chosen.mask(true, (chosen + "|" + value).str.removeprefix("|"))
        cells = cells.drop(columns=names).assign(**{group: chosen})
    return cells


def numbered_groups(names: Sequence[str]) -> dict[str, list[str]]:
    """Return columns that are numbered, in the order of their numbers, by what stands before.

    Examples
    --------
    >>> numbered_groups(["Input.url10", "Input.url2", "Input.url1", "Input.word"])
    {'Input.url': ['Input.url1', 'Input.url2', 'Input.url10']}
    """
    found: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        match = _NUMBERED.match(name)
        if match:
            found.setdefault(match[1], []).append((int(match[2]), name))
    return {stem: [name for _, name in sorted(own)] for stem, own in found.items()}


def _clip_columns(cells: pd.DataFrame, declared: Declared, source: str) -> list[str]:
    """Return the columns with the clips of an assignment, in their order; none where they are declared."""
    if "clip" in declared.mapping:
        entry = declared.mapping.columns["clip"]
        return [entry] if isinstance(entry, str) else list(entry)
    inputs = [name for name in cells if name.startswith("Input.")]
    if not inputs:
        raise DataError(
            f"{source!r} has no Input.* column, so that nothing says which clip was heard. Its columns are: "
            f"{', '.join(cells.columns[:60])}. Say which holds the clip, such as mapping={{'clip': 'HITId'}}"
            f"{IN_A_FILE}."
        )
    groups = numbered_groups(inputs)
    for stem in ("Input.clip", "Input.clip_"):
        if stem in groups:
            return groups[stem]
    named = [name for name in inputs if name.lower() in ("input.clip", "input.audio_url", "input.audio")]
    sounds = [name for name in inputs if is_sound(cells[name])]
    numbered = [own for own in groups.values() if set(own) <= set(sounds)]
    if named or len(inputs) == 1:
        return (named or inputs)[:1]
    if len(sounds) == 1:
        return sounds
    if len(numbered) == 1 and set(numbered[0]) == set(sounds):
        return numbered[0]
    raise DataError(
        f"{source!r} does not say which column names the clip: {', '.join(sounds or inputs)[:500]}. Say it, such as "
        f"mapping={{'clip': {(sounds or inputs)[0]!r}}}, or a list of columns where an assignment has several clips"
        f"{IN_A_FILE}."
    )


def _answer_columns(cells: pd.DataFrame, declared: Declared, clips: int, source: str) -> list[str]:
    """Return the columns with the answers, one a clip; none where they are declared."""
    if {"rating", "response"} & set(declared.mapping.columns):
        return []
    answers = [name for name in cells if name.startswith("Answer.") and not _COMMENT.search(name)]
    if not answers:
        raise DataError(
            f"{source!r} has no Answer.* column: it is the input of a batch, or nobody answered. Its columns are: "
            f" {', '.join(cells.columns[:60])}."
        )
    ratings = [name for name in answers if not _NO_RATING.search(name) and _are_ratings(cells[name], declared)]
    groups = numbered_groups(answers)
    for found in (ratings, answers, *(own for own in groups.values() if set(own) <= set(ratings)), *groups.values()):
        if len(found) == clips:
            return found if clips == 1 else numbered_or_as_they_are(found)
    raise DataError(
        f"{source!r} does not say which column is the answer to {told(clips, 'clip')}: {', '.join(answers)[:500]}. Say "
        f"it, such as mapping={{'rating': {answers[0]!r}}}, 'response' where it is no rating, or a list of columns"
        f"{IN_A_FILE}."
    )


def numbered_or_as_they_are(names: list[str]) -> list[str]:
    """Return names in the order of their numbers where all are of one numbered group."""
    groups = numbered_groups(names)
    return next(iter(groups.values())) if len(groups) == 1 and len(next(iter(groups.values()))) == len(names) else names


def _are_ratings(cells: Iterable[str], declared: Declared) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    ratings, _ = ratings_of(filled, declared.mapping.labels)
    return bool(filled) and not np.isnan(ratings).any()


def _columns(
    cells: pd.DataFrame, clips: list[str], answers: list[str], declared: Collection[str]
) -> dict[str, str | Sequence[str]]:
    """Return what every column holds: clips, answers, the batch's own, and others by their names."""
    several = len(clips) > 1
    columns: dict[str, str | Sequence[str]] = {**assignment_columns(cells, several)}
    columns["clip"] = clips if several else clips[0]
    if answers:
        columns["answer"] = answers if several else answers[0]
    used = {*clips, *answers, *declared}
    if "Input.session" in cells:
        # Of a batch of our own, what its page needed is no part of an answer.
        used |= {name for name in cells if name == "Input.session" or _OF_OUR_PAGE.fullmatch(name)}
    comments = [name for name in cells if name.startswith("Answer.") and _COMMENT.search(name)]
    if comments:
        columns["comment"] = comments[0]
        used.add(comments[0])
    others = [name for name in cells if name.startswith(("Input.", "Answer.")) and name not in used]
    for stem, own in numbered_groups(others).items() if several else ():
        if len(own) == len(clips):
            _add(columns, stem, numbered_or_as_they_are(own))
            used |= set(own)
    for name in others:
        if name not in used:
            _add(columns, name, name)
    return columns


def _add(columns: dict[str, str | Sequence[str]], name: str, entry: str | Sequence[str]) -> None:
    plain = name.partition(".")[2].strip("_.-")
    free = plain and plain not in columns and plain not in ANSWER_COLUMNS
    # What a design says of its clips may travel in the batch.
    of_design = plain in ("role", "expected", "task") and plain not in columns
    columns[plain if free or of_design else name] = entry
