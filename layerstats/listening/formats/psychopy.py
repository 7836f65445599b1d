"""Long CSV files of PsychoPy: a row a trial or routine, columns by component."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.listening.formats.mapping import IN_A_FILE
from layerstats.listening.formats.parsed import Declared, Parsed, first_of, is_sound, lower_names, scaled_seconds
from layerstats.listening.formats.row_problems import told
from layerstats.listening.formats.source import Source

_WHO = ("participant", "participant id", "prolific_pid", "subject", "subject id", "subject_id")
# Endings of what a component stores as the answer, and of the time that it took.
_ANSWERS = (".response", ".keys", ".clicked_name", ".text")
_EXPECTED = ("corrAns", "correct_answer", "correctAnswer")


def is_psychopy(source: Source) -> bool:
    """Whether a file is of PsychoPy."""
    header = source.header
    return "psychopyVersion" in header or ("expName" in header and any(".this" in name for name in header))


def parse_psychopy(source: Source, declared: Declared) -> Parsed:
    """Take the trials of a file; rows in which nothing was heard and nothing answered are no trials.

    Raises
    ------
    DataError
        It is not clear which column is the clip and which the answer; says which there are.
    """
    cells, problems = source.sheet.cells(source.name)
    cells = cells.map(lambda cell: "" if cell.strip() == "None" else cell)
    mapping, names, columns = declared.mapping, lower_names(cells), {}
    for name, found in (("rater", first_of(names, _WHO)), ("session", names.get("session"))):
        if found and name not in mapping:
            columns[name] = found
    if "rater" not in columns and "rater" not in mapping:
        cells = cells.assign(**{"": source.path.stem})
        columns["rater"] = ""
    if "clip" not in mapping:
        columns["clip"] = _only([name for name in cells if is_sound(cells[name])], "clip", cells, source.name)
    if not {"rating", "response"} & set(mapping.columns):
        answers = [name for name in cells if name.endswith(_ANSWERS) and any(map(str.strip, cells[name]))]
        columns["answer"] = _only(answers, "rating", cells, source.name)
        time = columns["answer"].rpartition(".")[0] + ".rt"
        if time in cells:
            columns["seconds"] = time
    expected = first_of(names, tuple(name.lower() for name in _EXPECTED))
    if expected:
        columns["expected"] = expected
    heard, answered = (_filled(cells, mapping.columns.get(name, columns.get(name))) for name in ("clip", "answer"))
    trials = heard | answered
    used = {*columns.values(), *mapping.used}
    others = {
        name: name for name in cells if name not in used and name not in columns and _describes(cells, name, heard)
    }
    frame = mapping.long(cells.loc[trials], {**columns, **others}, repr(source.name))
    if "seconds" in frame:
        frame["seconds"] = scaled_seconds(frame["seconds"], 1)
    if "position" not in frame:
        session = [name for name in ("rater", "session") if name in frame]
        frame["position"] = (frame.groupby(session, sort=False).cumcount() + 1).astype(str)
    left = int((~trials).sum())
    notes = (f"{told(left, 'row')} without a clip and an answer are no trials.",) if left else ()
    return Parsed(frame, problems, notes=notes)


def _filled(cells: pd.DataFrame, entry: object) -> np.ndarray:
    names = [entry] if isinstance(entry, str) else list(entry) if isinstance(entry, tuple) else []
    filled = np.zeros(len(cells), dtype=bool)
    for name in names:
        filled |= np.array([bool(cell.strip()) for cell in cells[name]], dtype=bool)
    return filled


def _describes(cells: pd.DataFrame, name: str, heard: np.ndarray) -> bool:
    """Whether a column may describe clips: filled wherever one was heard, and not a record of a component."""
    filled = _filled(cells, name)
    return "." not in name and not name.startswith("Unnamed: ") and bool(filled[heard].all())


def _only(found: list[str], what: str, cells: pd.DataFrame, source: str) -> str:
    if len(found) == 1:
        return found[0]
    reason = f"{', '.join(found[:20])} may be" if found else "no column looks like"
    raise DataError(
        f"{source!r} does not say which column is the {what}: {reason}. Its columns are: "
        f"{', '.join(cells.columns[:60])}. Say it, such as mapping={{{what!r}: {(found or list(cells.columns))[0]!r}}}"
        f"{IN_A_FILE}."
    )
