"""What our own page hands out: a submission as JSON, or its CSV."""

from __future__ import annotations

import pandas as pd

from layerstats.checks import check_columns
from layerstats.listening.formats.parsed import Declared, Parsed, numbers_of
from layerstats.listening.formats.row_problems import told
from layerstats.listening.formats.source import Source
from layerstats.listening.page import SUBMISSION_COLUMNS, parse_submission, submission_rows
from layerstats.spreadsheets import without_guards


def is_page(source: Source) -> bool:
    """Whether a file is of our page."""
    if source.records is not None:
        return isinstance(source.records, dict) and str(source.records.get("format", "")).startswith(
            "layerstats listen"
        )
    return {"submission", "design_hash", "rater", "clip"} <= set(source.header)


def parse_page(source: Source, declared: Declared) -> Parsed:
    """Take the answers of submissions.

    Raises
    ------
    DataError
        The JSON is none of our page.
    """
    if source.records is not None:
        rows = submission_rows(parse_submission(source.text))
        given = {name: [_as_text(row[name]) for row in rows] for name in SUBMISSION_COLUMNS}
        cells, problems = pd.DataFrame(given, index=pd.RangeIndex(1, 1 + len(rows)), dtype=str), []
    else:
        cells, problems = source.sheet.cells(source.name)
        cells = without_guards(cells)
    check_columns(cells, ["rater", "clip", "submission", "position", "design_hash"], repr(source.name))
    if "problem" not in cells:
        cells = cells.assign(problem="")
    cells["key"] = [f"{one}\t{place}" for one, place in zip(cells["submission"], cells["position"], strict=True)]
    silent = cells["problem"] != ""
    problems += [
        {"source_row": row, "rater": rater, "clip": clip, "problem": problem, "value": ""}
        for row, rater, clip, problem in cells.loc[silent, ["rater", "clip", "problem"]].itertuples(name=None)
    ]
    cells = cells.loc[~silent].drop(columns="problem")
    frame = declared.mapping.long(cells, {name: name for name in cells}, repr(source.name))
    for name in ("seconds", "plays", "headphones_correct", "headphones_trials"):
        if name in frame:
            frame[name] = numbers_of(frame[name])
    hashes = len(set(frame["design_hash"]))
    notes = (f"The answers are of {told(hashes, 'design')}: the page was made again in between.",) if hashes > 1 else ()
    return Parsed(frame, problems, notes=notes)


def _as_text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
