"""Long tables: a row an answer, with columns that their reader declares."""

from __future__ import annotations

import pandas as pd

from layerstats.errors import DataError
from layerstats.listening.formats.mapping import IN_A_FILE
from layerstats.listening.formats.parsed import Declared, Parsed
from layerstats.listening.formats.source import Source
from layerstats.spreadsheets import without_guards
from layerstats.tables.answers import ANSWER_COLUMNS
from layerstats.tables.column_types import typed

_PLACE = {"source_file", "source_row"}


def is_table(source: Source) -> bool:
    """Whether a file is a table at all."""
    return source.records is None


def parse_table(source: Source, declared: Declared) -> Parsed:
    """Take the declared columns of a table, by default those that are called as ours; keep the others by their names.

    Raises
    ------
    DataError
        `rater`, `clip`, or both `rating` and `response` are neither there nor declared.
    """
    cells, problems = source.sheet.cells(source.name)
    if set(cells) >= _PLACE:
        # A table that was read and written by us has guards before formulas.
        cells = without_guards(cells).drop(columns=list(_PLACE))
    mapping = declared.mapping
    mapping.check(cells, repr(source.name))
    own = {name: name for name in ANSWER_COLUMNS[:-2] if name in cells and name not in mapping}
    lacking = [name for name in ("rater", "clip") if name not in mapping and name not in own]
    known = {*own, *mapping.columns}
    if not {"rating", "response"} & known:
        lacking.append("rating or response")
    if lacking:
        raise DataError(
            f"{source.name!r} has no column for {', '.join(lacking)}. Its columns are: "
            f"{', '.join(cells.columns[:30])}. "
            "Say which column holds what by a mapping, such as {'rater': 'JUDGE', 'clip': 'WAV_PATH', 'rating': 'MOS'}"
            f"{IN_A_FILE}."
        )
    rest = {
        name: name
        for name in cells
        if name not in mapping.used and name not in known and not name.startswith("Unnamed: ")
    }
    frame = mapping.long(cells, {**own, **rest}, repr(source.name))
    # What is no part of an answer is read as `read_table` reads it: numbers are numbers.
    others = [name for name in rest if name in frame]
    if others:
        read = typed(pd.DataFrame(frame[others]), decimal=None, comma_separates=source.sheet.separator == ",").frame
        frame = frame.assign(**{name: read[name] for name in others})
    return Parsed(frame, problems, task="opinion" if "rating" in known and "response" not in known else None)
