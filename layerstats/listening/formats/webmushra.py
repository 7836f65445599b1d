"""Results of webMUSHRA: `mushra.csv`, `lms.csv`, `lss.csv` and `paired_comparison.csv`, with what is wrong in them.

The header is written by the first session only, so that later ones, whose questionnaire was another, have other widths;
`session_uuid` is in `mushra.csv` only; Likert scores stand between blanks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.listening.formats.parsed import Declared, Parsed, scaled_seconds
from layerstats.listening.formats.row_problems import told
from layerstats.listening.formats.source import Source

# What stands after the fields of the questionnaire, by kind of page.
_TAILS = {
    "mushra": ("trial_id", "rating_stimulus", "rating_score", "rating_time", "rating_comment"),
    "likert": ("trial_id", "stimuli_rating", "stimuli", "rating_time"),
    "paired comparison": (
        "trial_id",
        "choice_reference",
        "choice_non_reference",
        "choice_answer",
        "choice_time",
        "choice_comment",
    ),
}
_TEST = "session_test_id"
_SESSION = "session_uuid"
# Fields of a questionnaire that say who somebody is.
_WHO = ("participant_id", "subject_id", "listener_id", "subject", "participant", "listener", "id", "name", "email")
# What it calls the hidden reference.
_REFERENCE = "reference"


def is_webmushra(source: Source) -> bool:
    """Whether a file is of webMUSHRA."""
    header = source.header
    return _TEST in header and "trial_id" in header


def parse_webmushra(source: Source, declared: Declared) -> Parsed:
    """Take the answers of one file of webMUSHRA.

    Raises
    ------
    DataError
        Its columns are of no page that can be read.
    """
    header = source.sheet.header
    kind = next((kind for kind, tail in _TAILS.items() if header[-len(tail) :] == tail), None)
    if kind is None or header[0] != _TEST:
        raise DataError(
            f"{source.name!r} is of no page of webMUSHRA that can be read ({', '.join(_TAILS)}). Its columns are: "
            f"{', '.join(header)}."
        )
    cells, problems, notes = _aligned(source, len(_TAILS[kind]))
    own = declared.mapping.own_columns(cells, ("clip", "rating", "response", "role", "expected"), repr(source.name))
    rater, more = _raters(cells, kind, own)
    cells = cells.assign(**{"": rater})
    cells = cells.assign(**{f"declared {name}": values for name, values in own.items()})
    columns = {name: f"declared {name}" for name in own}
    columns |= {"rater": "", "session": _SESSION if _SESSION in cells else "", "experiment": _TEST}
    if kind == "paired comparison":
        return _paired(cells, columns, problems, [*notes, *more])
    stimulus, score = ("rating_stimulus", "rating_score") if kind == "mushra" else ("stimuli", "stimuli_rating")
    frame = pd.DataFrame({name: cells[column] for name, column in columns.items()})
    same = (cells[stimulus] == "") | (cells[stimulus] == cells["trial_id"])
    frame["clip"] = cells["trial_id"].where(same, cells["trial_id"] + ":" + cells[stimulus])
    frame = frame.assign(trial=cells["trial_id"], stimulus=cells[stimulus], rating=cells[score].str.strip())
    if kind == "mushra":
        hidden = np.asarray(cells[stimulus] == _REFERENCE, dtype=bool)
        frame = frame.assign(role=np.where(hidden, "reference", "test"), expected=np.where(hidden, "100", ""))
        frame["comment"] = cells["rating_comment"]
    seconds = scaled_seconds(cells["rating_time"], 1000)
    frame = frame.assign(seconds=seconds, source_row=cells.index).reset_index(drop=True)
    scale = (0, 100) if kind == "mushra" else None
    return Parsed(frame, problems, task="opinion", scale=scale, notes=(*notes, *more))


def _aligned(source: Source, tail: int) -> tuple[pd.DataFrame, list[dict[str, Any]], list[str]]:
    """Return cells under their columns, counted from both ends where a session's questionnaire was another."""
    header = source.sheet.header
    kept, problems, other = [], [], 0
    for number, row in zip(source.sheet.numbers, source.sheet.rows, strict=True):
        cells = [cell.strip() for cell in row]
        if len(cells) != len(header):
            # The session's identifier stands before the trial, whatever was asked before it.
            ends = tail + (_SESSION in header)
            if len(cells) < 1 + ends:
                problems.append(
                    {"source_row": number, "problem": "cells are missing or too many", "value": str(len(cells))}
                )
                continue
            other += 1
            cells = [cells[0], *[""] * (len(header) - 1 - ends), *cells[-ends:]]
        kept.append((number, cells))
    frame = pd.DataFrame(
        [cells for _, cells in kept], columns=list(header), index=[number for number, _ in kept], dtype=str
    )
    notes = []
    if other:
        notes.append(
            f"{told(other, 'row')} have another number of cells than the header, which webMUSHRA writes for the first "
            "session only: what they say of the participant is left out."
        )
    return frame, problems, notes


def _raters(cells: pd.DataFrame, kind: str, own: Mapping[str, list[str]]) -> tuple[list[str], list[str]]:
    """Return who answered each row."""
    if "rater" in own:
        return own["rater"], []
    if _SESSION in cells:
        return cells[_SESSION].tolist(), []
    fields = list(cells.columns[1 : -len(_TAILS[kind])])
    named = [name for who in _WHO for name in fields if name.lower() == who and all(cells[name])]
    if named:
        return cells[named[0]].tolist(), [f"Raters are told apart by {named[0]}, which the questionnaire asked."]
    # Whatever asks again what was asked begins another session.
    stimulus = "stimuli" if kind == "likert" else _TAILS[kind][1]
    session, seen, raters = 1, set(), []
    for asked in zip(cells["trial_id"], cells[stimulus], strict=True):
        if asked in seen:
            session, seen = session + 1, set()
        seen.add(asked)
        raters.append(f"session {session}")
    note = (
        "The file says nothing of who answered (webMUSHRA writes session_uuid into mushra.csv only): a session is "
        "taken to begin where a trial comes again."
    )
    return raters, [note]


def _paired(cells: pd.DataFrame, columns: dict[str, str], problems: list[dict[str, Any]], notes: list[str]) -> Parsed:
    """Return answers of pages that ask which of two is the reference that was heard before: ABX."""
    frame = pd.DataFrame({name: cells[column] for name, column in columns.items()})
    answer = cells["choice_answer"].str.lower()
    said = answer.map({"correct": "a", "incorrect": "b", "undecided": "same", "unknown": ""})
    frame = frame.assign(
        clip=cells["trial_id"],
        a=cells["choice_reference"],
        b=cells["choice_non_reference"],
        response=said.fillna(answer),
        expected="a",
        comment=cells["choice_comment"],
        seconds=scaled_seconds(cells["choice_time"], 1000),
        source_row=cells.index,
    )
    counts = Counter(answer)
    notes.append(
        "Paired comparisons of webMUSHRA ask which of two is the reference, which is a: "
        + ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        + "."
    )
    return Parsed(frame.reset_index(drop=True), problems, task="abx", notes=tuple(notes))
