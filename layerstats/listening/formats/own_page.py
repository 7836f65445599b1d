"""What our own page hands out: a submission as JSON, its CSV, or JSON in the results of a Mechanical Turk batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import DataError
from layerstats.listening.formats.mturk import UPLOAD_COLUMNS
from layerstats.listening.formats.parsed import Declared, Parsed, numbers_of
from layerstats.listening.formats.row_problems import told
from layerstats.listening.formats.source import Source
from layerstats.listening.page import MTURK_FIELD, SUBMISSION_COLUMNS, Submission, parse_submission, submission_rows
from layerstats.spreadsheets import without_guards

_IN_A_BATCH = f"Answer.{MTURK_FIELD}"


def is_page(source: Source) -> bool:
    """Whether a file is of our page."""
    if source.records is not None:
        return isinstance(source.records, dict) and str(source.records.get("format", "")).startswith(
            "layerstats listen"
        )
    header = set(source.header)
    return {"submission", "design_hash", "rater", "clip"} <= header or _IN_A_BATCH in header


def parse_page(source: Source, declared: Declared) -> Parsed:
    """Take the answers of submissions.

    Raises
    ------
    DataError
        The JSON is none of our page.
    """
    if source.records is not None:
        cells, problems = _cells(parse_submission(source.text)), []
    else:
        cells, problems = source.sheet.cells(source.name, optional=UPLOAD_COLUMNS)
        if _IN_A_BATCH in cells:
            cells, more = _of_batch(cells)
            problems += more
        else:
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


def _cells(submission: Submission) -> pd.DataFrame:
    rows = submission_rows(submission)
    given = {name: [_as_text(row[name]) for row in rows] for name in SUBMISSION_COLUMNS}
    return pd.DataFrame(given, index=pd.RangeIndex(1, 1 + len(rows)), dtype=str)


def _of_batch(cells: pd.DataFrame) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the answers in the rows of a batch: whose they are says Mechanical Turk, not the page."""
    found, problems = [pd.DataFrame(columns=list(SUBMISSION_COLUMNS), dtype=str)], []
    for row, assignment in zip(cells.index, cells.to_dict("records"), strict=True):
        known = _of_assignment(assignment)
        try:
            own = _cells(parse_submission(assignment[_IN_A_BATCH]))
        except DataError:
            value = assignment[_IN_A_BATCH][:200]
            what = "no answers of the page" if value else "unanswered"
            problems.append(
                {"source_row": row, "rater": known.get("rater", ""), "clip": "", "problem": what, "value": value}
            )
            continue
        found.append(own.set_axis([row] * len(own)).assign(**known))
    return pd.concat(found), problems


def _of_assignment(assignment: Mapping[Any, str]) -> dict[str, str]:
    names = {"rater": "WorkerId", "assignment_id": "AssignmentId", "hit_id": "HITId",
             "assignment_status": "AssignmentStatus"}  # fmt: skip
    return {name: assignment[column] for name, column in names.items() if column in assignment}


def _as_text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
