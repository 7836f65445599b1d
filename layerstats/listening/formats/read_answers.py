"""The front door of everything that listening tests bring home."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import DataError
from layerstats.listening.design import ListeningDesign, read_design
from layerstats.listening.formats.checking import checked_answers
from layerstats.listening.formats.mapping import read_mapping, with_pattern
from layerstats.listening.formats.of_design import notes_on_changes, notes_on_gaps, with_design
from layerstats.listening.formats.parsed import Declared, Parsed
from layerstats.listening.formats.registry import FORMAT_NAMES, format_of
from layerstats.listening.formats.row_problems import told
from layerstats.listening.formats.source import open_source
from layerstats.tables.answers import PROBLEM_COLUMNS, Answers, check_scale, check_task


def read_answers(
    path: str | Path | Sequence[str | Path],
    format: str = "auto",  # the contract's name
    design: ListeningDesign | str | Path | None = None,
    mapping: Mapping[str, Any] | str | Path | None = None,
    scale: tuple[int, int] | None = None,
    task: str | None = None,
) -> Answers:
    """Read the answers of a listening test from whatever collected them.

    Parameters
    ----------
    path : path or sequence of paths
        Files; of a folder, all files in it. Each file is read in its own format.
    format : str
        ``"page"`` (what our page and server write), ``"mturk"``, ``"p808"``, ``"webmushra"``, ``"praat"``,
        ``"psychopy"``, ``"jspsych"`` or ``"table"``; ``"auto"`` recognises it.
    design : ListeningDesign or path, optional
        What the answers belong to: gives each clip its role, right answer, condition and further columns, and the task,
        the scale and the labels of its points.
    mapping : mapping or path, optional
        Which column holds what, ``{"rater": "JUDGE", "clip": "WAV_PATH", "rating": "MOS"}``, or a TOML or JSON file of
        the same; a list names a column a clip where a row holds several. ``labels`` gives ratings by what stands in the
        file, ``clip_pattern`` a regular expression whose named groups in a clip's name become columns.
    scale : tuple of int, optional
        Lowest and highest rating that could be given; by default the design's or the format's.
    task : str, optional
        ``"opinion"``, ``"preference"``, ``"abx"`` or ``"identification"``; by default the design's, else as the answers
        look.

    Returns
    -------
    Answers
        The answers, and every row that is none or has a problem: unanswered, outside the scale, duplicate, ....

    Raises
    ------
    DataError
        A file is missing, empty, or lacks a column (named, with those found); or there is no answer at all.
    ArgumentError
        An argument is not allowed.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "ratings.csv"
    >>> _ = file.write_text("JUDGE,WAV,MOS\\nann,a.wav,4\\nann,b.wav,9\\nbob,a.wav,5\\n")
    >>> answers = read_answers(file, mapping={"rater": "JUDGE", "clip": "WAV", "rating": "MOS"}, scale=(1, 5))
    >>> answers.table[["rater", "clip", "rating"]]
      rater   clip  rating
    0   ann  a.wav     4.0
    1   bob  a.wav     5.0
    >>> answers.problems[["source_row", "rater", "problem", "value"]]
       source_row rater            problem value
    0           3   ann  outside the scale     9
    """
    check_choice("format", format, ("auto", *FORMAT_NAMES))
    if scale is not None:
        check_scale(scale)
    if task is not None:
        check_task(task)
    of_design = read_design(design) if isinstance(design, str | Path) else design
    declared = _declared(mapping, of_design, scale, task)
    parsed, notes = _parse_all(path, format, declared)
    frame, problems, declared = _together(parsed, declared)
    frame = with_pattern(frame, declared.mapping.clip_pattern)
    labels = dict(declared.mapping.labels)
    points: list[int] = []
    if of_design is not None:
        rows = with_design(frame, of_design, problems)
        frame, problems = rows.table, rows.all()
        labels = {**{point.label: float(point.value) for point in of_design.scale if point.label}, **labels}
        points = [point.value for point in of_design.scale]
    answers = checked_answers(frame, problems, declared, labels, points)
    notes += answers.notes
    if of_design is not None:
        notes += [*notes_on_changes(answers.table, of_design), *notes_on_gaps(answers.table, of_design)]
    return Answers(answers.table, answers.problems, answers.scale, tuple(notes))


def _declared(
    mapping: Mapping[str, Any] | str | Path | None,
    design: ListeningDesign | None,
    scale: tuple[int, int] | None,
    task: str | None,
) -> Declared:
    points = [point.value for point in design.scale] if design is not None else []
    if scale is None and points:
        scale = (min(points), max(points))
    return Declared(
        read_mapping(mapping),
        scale,
        task or (design.task if design is not None else None),
        design.alternatives if design is not None else (),
    )


def _files(path: str | Path | Sequence[str | Path]) -> list[tuple[Path, str]]:
    """Return files with what to call them."""
    found: list[tuple[Path, str]] = []
    for one in [path] if isinstance(path, str | Path) else path:
        place = Path(one)
        if place.is_dir():
            inside = sorted(file for file in place.rglob("*") if file.is_file())
            own = [(file, str(file.relative_to(place))) for file in inside]
            found += [(file, name) for file, name in own if not name.startswith(".") and file.suffix != ".partial"]
        elif place.is_file():
            found.append((place, place.name))
        else:
            raise DataError(f"There is no file {str(place)!r}.")
    if not found:
        raise DataError(f"There are no files in {str(path)!r}.")
    return found


def _parse_all(
    path: str | Path | Sequence[str | Path], format: str, declared: Declared
) -> tuple[list[tuple[str, Parsed]], list[str]]:
    """Return what each file holds; a file that is there twice is read once."""
    parsed, notes, seen, used = [], [], {}, {}
    for file, name in _files(path):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if digest in seen:
            notes.append(f"{name} holds the same as {seen[digest]}: it is read once.")
            continue
        seen[digest] = name
        source = open_source(file, name)
        one = format_of(source, format)
        used[one.name] = used.get(one.name, 0) + 1
        parsed.append((name, one.parse(source, declared)))
        notes += source.notes
    read = ", ".join(f"{told(count, 'file')} as {name}" for name, count in used.items())
    notes += list(dict.fromkeys(note for _, one in parsed for note in one.notes))
    return parsed, [f"Read: {read}.", *notes]


def _together(parsed: list[tuple[str, Parsed]], declared: Declared) -> tuple[pd.DataFrame, pd.DataFrame, Declared]:
    """Return the rows of all files, what is wrong with them already, and the scale that formats know."""
    frames, problems = [], []
    for name, one in parsed:
        frame = one.frame.assign(source_file=name)
        if one.task and "task" not in frame:
            frame["task"] = declared.task or one.task
        frames.append(frame)
        problems += [{"source_file": name, "kept": False, **problem} for problem in one.problems]
    scales = {one.scale for _, one in parsed if one.scale is not None}
    if declared.scale is None and len(scales) == 1:
        declared = Declared(declared.mapping, scales.pop(), declared.task, declared.alternatives)
    frame = pd.concat(frames, ignore_index=True)
    parts = [frame[column].fillna("").astype(str) for column in ("rating", "response", "answer") if column in frame]
    if not parts:
        raise DataError(
            f"Nothing in {', '.join(repr(name) for name, _ in parsed)} says what was answered. "
            "Say by a mapping which column holds the rating or the response."
        )
    answer = parts[0]
    for part in parts[1:]:
        answer = answer.where(answer.str.strip() != "", part)
    frame = frame.assign(answer=answer).drop(columns=["rating", "response"], errors="ignore")
    return frame, pd.DataFrame(problems, columns=list(PROBLEM_COLUMNS)), declared
