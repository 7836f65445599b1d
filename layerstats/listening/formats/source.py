"""One file that answers are read from: its text, its rows, or what its JSON holds."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from layerstats.errors import DataError
from layerstats.tables.delimited import decode, find_separator
from layerstats.tables.read import notes_of, read_table

# Files that `read_table` reads into typed columns; all others are text.
_BINARY = (".xlsx", ".xlsm", ".sav", ".zsav", ".dta", ".parquet", ".gz", ".bz2", ".xz")
# A cell longer than this is no answer.
_LONGEST_CELL = 10_000_000


@dataclass(frozen=True, eq=False)
class Sheet:
    """Rows of a file as text, before anything is made of them.

    Attributes
    ----------
    header
        Names of the columns.
    rows
        Cells of every row that has any.
    numbers
        Which row of the file each is: with the header, from 1.
    separator
        What stands between cells.
    """

    header: tuple[str, ...]
    rows: tuple[Sequence[str], ...]
    numbers: tuple[int, ...]
    separator: str = ","

    def cells(self, source: str, optional: Sequence[str] = ()) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
        """Return the rows as a table whose index counts as the file does, and those of another length as problems.

        Parameters
        ----------
        source : str
            Name of the file, for messages.
        optional : sequence of str
            Columns at the end of the header that rows may lack, as "Approve" and "Reject" of Mechanical Turk.

        Raises
        ------
        DataError
            No row has as many cells as the header.
        """
        width = len(self.header)
        least = width - sum(name in optional for name in self.header)
        # A separator after the last cell is none too many.
        whole = [width if len(row) > width and not "".join(row[width:]).strip() else len(row) for row in self.rows]
        good = [place for place, length in enumerate(whole) if least <= length <= width]
        if self.rows and not good:
            common = Counter(whole).most_common(1)[0][0]
            raise DataError(
                f"{source!r} cannot be read as answers: its rows have {common} cells, but the header has {width}."
            )
        data = [[*self.rows[place], *[""] * width][:width] for place in good]
        frame = pd.DataFrame(data, columns=list(self.header), index=[self.numbers[place] for place in good], dtype=str)
        bad = sorted(set(range(len(whole))) - set(good))
        problems = [
            {"source_row": self.numbers[place], "problem": "cells are missing or too many", "value": f"{whole[place]}"}
            for place in bad
        ]
        return frame, problems


@dataclass(frozen=True, eq=False)
class Source:
    """One file.

    Attributes
    ----------
    path
        Where it is.
    name
        What it is called in the table of answers: its path as it was given, or below the folder that was given.
    text
        Its text; empty of Excel, SPSS, Stata, Parquet and compressed files.
    notes
        What was recognised.
    """

    path: Path
    name: str
    text: str
    notes: tuple[str, ...]

    @cached_property
    def sheet(self) -> Sheet:
        """Its rows.

        Raises
        ------
        DataError
            It has none, or two columns of one name.
        """
        if not self.text:
            return _typed_sheet(self.path)
        return _text_sheet(self.text, self.name)

    @property
    def header(self) -> tuple[str, ...]:
        """Names of its columns; none of JSON."""
        return () if self.records is not None else self.sheet.header

    @cached_property
    def records(self) -> Any:
        """What its JSON holds; None where it is no JSON.

        Raises
        ------
        DataError
            It begins as JSON does, but is none.
        """
        start = self.text.lstrip()
        if not start.startswith(("{", "[")):
            return None
        try:
            return json.loads(start)
        except (ValueError, RecursionError) as error:
            lines = [line for line in start.splitlines() if line.strip()]
            try:
                # A record a line.
                found = [json.loads(line) for line in lines]
            except (ValueError, RecursionError):
                found = []
            if len(found) > 1:
                return found
            raise DataError(
                f"{self.name!r} cannot be read as answers: it begins as JSON, but is none ({error})."
            ) from None


def open_source(path: Path, name: str) -> Source:
    """Read a file.

    Raises
    ------
    DataError
        It is empty, or no text that can be told.
    """
    if path.suffix.lower() in _BINARY:
        return Source(path, name, "", ())
    content = path.read_bytes()
    if not content.strip():
        raise DataError(f"{name!r} cannot be read as answers: it is empty.")
    if content.startswith(b"ooBinaryFile"):
        raise DataError(f"{name!r} is a binary file of Praat: open it there, and save it as a text file.")
    mixed = _decode_mixed(content)
    text, notes = (
        (mixed, ["Lines that are no UTF-8 are read as Latin-1: the file mixes encodings."])
        if mixed
        else (decode(content, name, None))
    )
    if not text.strip():
        raise DataError(f"{name!r} cannot be read as answers: it is empty.")
    return Source(path, name, text, tuple(notes))


def _decode_mixed(content: bytes) -> str | None:
    """Return the text of a file some of whose lines are UTF-8 and some Latin-1; None of all other files."""
    try:
        content.decode("utf-8")
        return None
    except UnicodeDecodeError:
        pass
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4096]:
        return None
    lines, both = [], set()
    for line in content.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True):
        try:
            lines.append(line.decode("utf-8"))
            both |= {"utf-8"} if not line.isascii() else set()
        except UnicodeDecodeError:
            lines.append(line.decode("cp1252", errors="replace"))
            both.add("latin-1")
    return decode("".join(lines).encode(), "", "utf-8")[0] if len(both) > 1 else None


def _text_sheet(text: str, name: str) -> Sheet:
    first, _, rest = text.partition("\n")
    skipped = 1 if first.strip().strip('"').startswith("sep=") else 0
    text = rest if skipped else text
    csv.field_size_limit(_LONGEST_CELL)
    separator = find_separator(text.lstrip("\n"))
    try:
        records = list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise DataError(f"{name!r} cannot be read as answers: {error}.") from None
    kept = [(number, row) for number, row in enumerate(records, 1 + skipped) if any(cell.strip() for cell in row)]
    if not kept:
        raise DataError(f"{name!r} cannot be read as answers: it is empty.")
    if len(kept) == 1:
        raise DataError(
            f"{name!r} cannot be read as answers: it has one row ({', '.join(kept[0][1])[:200]}) and no others."
        )
    header = [cell.strip() for cell in kept[0][1]]
    while header and not header[-1]:
        header.pop()
    twice = sorted(name for name, count in Counter(header).items() if count > 1 and name)
    if twice:
        raise DataError(f"{name!r} cannot be read as answers: its header has {', '.join(map(repr, twice))} twice.")
    named = tuple(cell or f"Unnamed: {place}" for place, cell in enumerate(header))
    return Sheet(named, tuple(row for _, row in kept[1:]), tuple(number for number, _ in kept[1:]), separator)


def _typed_sheet(path: Path) -> Sheet:
    frame = read_table(path)
    if frame.empty:
        raise DataError(f"{str(path)!r} cannot be read as answers: it is empty. {' '.join(notes_of(frame))}".strip())
    rows = [tuple(_as_text(cell) for cell in row) for row in frame.itertuples(index=False, name=None)]
    return Sheet(tuple(map(str, frame.columns)), tuple(rows), tuple(int(label) for label in frame.index))


def _as_text(cell: object) -> str:
    if cell is None or cell is pd.NA or cell != cell:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
