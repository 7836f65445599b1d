"""Data of jsPsych: CSV with JSON in its cells, or JSON; a record a screen, many of which are no trials."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import DataError
from layerstats.listening.formats.mturk import flat
from layerstats.listening.formats.parsed import (
    Declared,
    Parsed,
    first_of,
    is_sound,
    lower_names,
    numbers_of,
    scaled_seconds,
)
from layerstats.listening.formats.row_problems import told
from layerstats.listening.formats.source import Source

_WHO = ("subject_id", "subject", "participant_id", "participant", "prolific_pid", "worker_id", "workerid", "run_id")
# Screens that store the place of what was chosen, from 0, and not what it says.
_PLACES = re.compile(r"button-response|survey-likert")
_SOUND_INSIDE = re.compile(
    r"""[^\s"'\[\]<>(),]+\.(?:wav|mp3|flac|ogg|opus|m4a|aac|webm)\b[^\s"'\[\]<>(),]*""", re.IGNORECASE
)


def is_jspsych(source: Source) -> bool:
    """Whether a file is of jsPsych."""
    records = source.records
    if records is not None:
        first = records[0] if isinstance(records, list) and records else None
        return isinstance(first, Mapping) and "trial_type" in first
    return {"trial_type", "trial_index"} <= set(source.header)


def parse_jspsych(source: Source, declared: Declared) -> Parsed:
    """Take the trials with a sound of a file of jsPsych.

    Raises
    ------
    DataError
        No record has a sound, or the columns that were declared are not there.
    """
    if source.records is not None:
        records = source.records if isinstance(source.records, list) else []
        rows = [_flat_record(record) for record in records if isinstance(record, Mapping)]
        cells = pd.DataFrame(rows, index=pd.RangeIndex(1, 1 + len(rows)), dtype=object).fillna("").astype(str)
        problems: list[dict[str, Any]] = []
    else:
        cells, problems = source.sheet.cells(source.name)
        cells = _expanded(cells)
    cells = cells.map(lambda cell: "" if cell.strip() in ("null", "undefined") else cell)
    check_columns(cells, ["trial_type"], repr(source.name))
    mapping = declared.mapping
    columns = _columns(cells, declared, source)
    if columns.get("rater") == "":
        cells = cells.assign(**{"": source.path.stem})
    trials = _heard(cells, columns.get("clip") or str(mapping.columns.get("clip", "")))
    if not bool(trials.any()):
        named = columns.get("clip") or mapping.columns.get("clip")
        raise DataError(
            f"No record of {source.name!r} names a sound in {named!r}. Its columns are: "
            f"{', '.join(cells.columns[:60])}. Say by a mapping which holds the clip."
        )
    frame = mapping.long(cells.loc[trials], columns, repr(source.name))
    frame["clip"] = frame["clip"].map(_sound_in)
    if "seconds" in frame:
        frame["seconds"] = scaled_seconds(frame["seconds"], 1000)
    if "position" not in frame:
        frame["position"] = (frame.groupby("rater", sort=False).cumcount() + 1).astype(str)
    frame, notes = _by_name(frame, declared)
    others = cells.loc[~trials, "trial_type"].value_counts()
    if len(others):
        shown = ", ".join(f"{name} {count}" for name, count in others.items())
        notes.append(f"{told(int(others.sum()), 'record')} without a sound are no trials: {shown}.")
    return Parsed(frame.drop(columns="trial_type", errors="ignore"), problems, notes=tuple(notes))


def _columns(cells: pd.DataFrame, declared: Declared, source: Source) -> dict[str, str]:
    """Return what the columns of jsPsych hold, where nothing else is declared."""
    names, mapping = lower_names(cells), declared.mapping
    # Nobody else than the file's name may say who it was.
    columns = {"rater": first_of(names, _WHO) or "", "clip": "stimulus", "trial_type": "trial_type"}
    for name, column in (("answer", "response"), ("seconds", "rt"), ("expected", "correct_response")):
        if column in cells:
            columns[name] = column
    own = [name for name in ("task", "role", "session", "condition", "system") if name in cells]
    columns |= {name: name for name in own}
    if "clip" not in mapping and "stimulus" not in cells:
        sounds = [name for name in cells if is_sound(cells[name])]
        if len(sounds) != 1:
            raise DataError(
                f"{source.name!r} does not say which column is the clip. Its columns are: "
                f"{', '.join(cells.columns[:60])}. Say it by a mapping."
            )
        columns["clip"] = sounds[0]
    return {name: column for name, column in columns.items() if name not in mapping}


def _by_name(frame: pd.DataFrame, declared: Declared) -> tuple[pd.DataFrame, list[str]]:
    """Return answers by their names: jsPsych stores the place of a button, from 0."""
    if "answer" not in frame or declared.mapping.labels or "trial_type" not in frame:
        return frame, []
    place = numbers_of(frame["answer"])
    rows = np.array([bool(_PLACES.search(kind)) for kind in frame["trial_type"]]) & ~np.isnan(place)
    if not rows.any():
        return frame, []
    if declared.alternatives:
        named = pd.Series(place, index=frame.index).map(dict(enumerate(declared.alternatives)).get)
        note = f"jsPsych stores the place of a button: they are taken to be {', '.join(declared.alternatives)}."
        return frame.assign(answer=frame["answer"].mask(rows & named.notna(), named)), [note]
    low = declared.scale[0] if declared.scale else 1
    ratings = pd.Series([f"{value:g}" for value in place + low], index=frame.index)
    note = f"jsPsych stores the place of a button, from 0: {low} was added. If their order was another, declare labels."
    return frame.assign(answer=frame["answer"].mask(rows, ratings)), [note]


def _heard(cells: pd.DataFrame, clip: str) -> pd.Series:
    if clip not in cells:
        return pd.Series(False, index=cells.index)
    return cells[clip].str.contains(_SOUND_INSIDE) & ~cells["trial_type"].str.contains("preload")


def _sound_in(text: str) -> str:
    found = _SOUND_INSIDE.findall(text)
    return " ".join(dict.fromkeys(found)) if found else text


def _flat_record(record: Mapping[str, Any]) -> dict[str, str]:
    found = flat(dict(record), "")
    # A list of one, as several plugins store it.
    return {name.removeprefix("."): _first(value) for name, value in found.items()}


def _first(value: str) -> str:
    if value.startswith("[") and value.endswith("]"):
        try:
            given = json.loads(value)
        except (ValueError, RecursionError):
            return value
        if isinstance(given, list) and len(given) == 1:
            return str(given[0])
    return value


def _expanded(cells: pd.DataFrame) -> pd.DataFrame:
    """Return cells with a column for every entry of the JSON objects that stand in them."""
    for name in list(cells):
        texts = cells[name].str.strip()
        if not bool(texts.str.startswith("{").any()):
            continue
        found: list[dict[str, str]] = []
        for text in texts:
            try:
                given = json.loads(text) if text.startswith("{") else {}
            except (ValueError, RecursionError):
                given = {}
            found.append(flat(given, name) if isinstance(given, dict) else {})
        more = pd.DataFrame(found, index=cells.index, dtype=object).fillna("").astype(str)
        cells = pd.concat([cells, more[[column for column in more if column not in cells]]], axis=1)
        only = list(more)
        # One question a screen: its answer is the answer.
        if name == "response" and len(only) == 1:
            cells = cells.assign(response=cells[name].where(more[only[0]] == "", more[only[0]]))
    return cells.map(_first)
