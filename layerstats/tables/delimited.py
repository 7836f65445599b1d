"""Text files with a row a line: their encoding, what stands between cells, and the cells as text."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import count, pairwise

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError, DataError

# In order of preference: where several cut every row alike, the first is what the writer meant.
_SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "blanks"}
_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
# Lines that are enough to find what separates cells.
_LOOKED_AT = 200


@dataclass(frozen=True, eq=False)
class TextTable:
    """The cells of a text file.

    Attributes
    ----------
    frame
        Every cell as text; the index counts rows as the file does, the header included.
    separator
        What stands between cells.
    notes
        What was recognised.
    """

    frame: pd.DataFrame
    separator: str
    notes: tuple[str, ...]


def read_delimited(content: bytes, name: str, separator: str | None, encoding: str | None) -> TextTable:
    """Return the cells of a text file.

    Parameters
    ----------
    content
        The file.
    name
        Its name, for messages.
    separator, encoding
        As stated by the user; None to find them.

    Raises
    ------
    DataError
        It is no text, or its rows differ in length.
    """
    text, notes = decode(content, name, encoding)
    lines = text.split("\n", 1)
    stated = _stated_separator(lines[0])
    # Excel's first line "sep=;" is no row of the table.
    skipped = 1 if stated else 0
    if stated:
        text = lines[1] if len(lines) > 1 else ""
    if not text.strip():
        raise DataError(f"{name!r} cannot be read as a table: it is empty.")
    skipped += len(text) - len(text.lstrip("\n"))
    text = text.lstrip("\n")
    # A tab as it is written in the shell.
    separator = "\t" if separator == r"\t" else separator
    if separator is not None and (len(separator) != 1 or separator in '"\n\r'):
        raise ArgumentError(
            f"Invalid separator {separator!r}: it must be one character, such as ';'. Several blanks count as one."
        )
    used = separator or stated or find_separator(text)
    if separator is None and used != ",":
        notes.append(f"Cells are separated by {_SEPARATORS.get(used, repr(used))}.")
    header, widths = _header_and_widths(text, used, name)
    named_rows = _check_widths(header, widths, skipped, name)
    frame = _cells(text, used, header, named_rows, name)
    if named_rows:
        frame = _check_row_names(frame, header, used, text, name)
    frame.index = pd.RangeIndex(2 + skipped, 2 + skipped + len(frame))
    frame, more = _without_padding(frame, named_rows)
    return TextTable(frame, used, (*notes, *more))


def decode(content: bytes, name: str, encoding: str | None) -> tuple[str, list[str]]:
    """Return the text of a file with line feeds between lines, and what to say of its encoding."""
    found, notes = encoding or _encoding(content), []
    try:
        text = content.decode(found)
    except (UnicodeDecodeError, LookupError) as error:
        raise DataError(f"{name!r} cannot be read as a table: it is no text in {found} ({error}).") from error
    if "\0" in text or sum(character < " " and character not in "\t\n\r\f\x1a" for character in text[:10_000]):
        raise DataError(
            f"{name!r} cannot be read as a table: it holds characters that no text has. Save it as CSV (UTF-8), or say "
            "which encoding it has."
        )
    if encoding is None and found not in ("utf-8", "utf-8-sig"):
        names = {"cp1252": "Windows-1252 (Latin-1), since it is no UTF-8", "latin-1": "Latin-1, since it is no UTF-8"}
        notes.append(f"The text is read as {names.get(found, found.upper())}.")
    # Old editors end a file with Control-Z.
    text = text.rstrip("\x1a")
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n"), notes


def _encoding(content: bytes) -> str:
    for mark, found in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return found
    head = content[:4096]
    # Text without a mark whose every other byte is zero.
    if len(head) > 3 and head[1::2].count(0) > 0.4 * len(head[1::2]) and not head[0::2].count(0):
        return "utf-16-le"
    if len(head) > 3 and head[0::2].count(0) > 0.4 * len(head[0::2]) and not head[1::2].count(0):
        return "utf-16-be"
    for found in ("utf-8", "cp1252"):
        try:
            content.decode(found)
        except UnicodeDecodeError:
            continue
        return found
    return "latin-1"


def _stated_separator(line: str) -> str | None:
    start, _, rest = line.strip().strip('"').partition("=")
    return rest.encode().decode("unicode_escape") if start == "sep" and len(rest) in (1, 2) else None


def find_separator(text: str) -> str:
    """Return what cuts the header and the rows after it into the same number of cells, more than one.

    Examples
    --------
    >>> find_separator("word;f2\\nask;1543,43\\n")
    ';'
    """
    lines = text.split("\n", _LOOKED_AT)
    whole = "\n".join(lines[:_LOOKED_AT])
    best, most = ",", 1
    for separator in _SEPARATORS:
        widths = [len(row) for row in _rows(whole, separator) if any(cell.strip() for cell in row)]
        # A quoted cell may go on beyond the lines that were looked at.
        rows = widths[1:-1] or widths[1:]
        common = Counter(rows).most_common(1)[0][0] if rows else widths[0]
        alike = np.mean([width == common for width in rows]) if rows else 1.0
        # R writes no name above the names of rows. A header of one cell says that what looks like a separator is none.
        if alike == 1 and common > 1 and widths[0] in (common, max(common - 1, 2)):
            return separator
        if widths[0] > most:
            best, most = separator, widths[0]
    return best


def _rows(text: str, separator: str):
    return csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=separator == " ")


def _header_and_widths(text: str, separator: str, name: str) -> tuple[list[str], np.ndarray]:
    """Return the cells of the header, and the number of cells of every row after it."""
    csv.field_size_limit(10_000_000)
    try:
        rows = _rows(text, separator)
        header = next(row for row in rows if row)
        widths = (len(row) if len(row) > 1 or "".join(row).strip() else 0 for row in rows)
        return [cell.strip() for cell in header], np.fromiter(widths, dtype=np.int64)
    except (csv.Error, StopIteration) as error:
        raise DataError(f"{name!r} cannot be read as a table: {error}.") from error


def _check_widths(header: list[str], widths: np.ndarray, skipped: int, name: str) -> bool:
    """Return whether rows have a name in front that the header lacks; refuse rows of other lengths."""
    filled = widths[widths > 0]
    named_rows = bool(len(filled)) and len(header) > 1 and bool(np.all(filled == len(header) + 1))
    expected = len(header) + named_rows
    # Empty lines are rows without any cell; in a table of one column they are a cell that is missing.
    bad = np.flatnonzero((widths != expected) & (widths > 0))
    if len(bad):
        row = int(bad[0]) + 2 + skipped
        raise DataError(
            f"{name!r} cannot be read as a table: row {row} has {widths[bad[0]]} cells, but the header has {expected} "
            f"({len(bad)} such rows). Mend them, or say what separates the cells."
        )
    return named_rows


def _cells(text: str, separator: str, header: list[str], named_rows: bool, name: str) -> pd.DataFrame:
    columns = _unique([*([""] if named_rows else []), *header])
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=0,
            names=columns,
            index_col=False,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
            skipinitialspace=separator == " ",
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{name!r} cannot be read as a table: {error}") from error
    return frame.fillna("")


def _check_row_names(frame: pd.DataFrame, header: list[str], separator: str, text: str, name: str) -> pd.DataFrame:
    """Return a table whose rows have one cell more than the header, where it is clear which cell has no name.

    R writes none above the names of rows; others write a separator after the last cell, or numbers with a decimal comma
    between cells that commas separate.
    """
    if bool((frame.iloc[:, -1].str.strip() == "").all()):
        return frame.set_axis(_unique([*header, ""]), axis=1)
    first = frame.iloc[:, 0].loc[frame.iloc[:, 0].str.strip() != ""]
    whole = [bool(frame[column].str.fullmatch(r"[+-]?\d*").all()) for column in frame.columns[1:]]
    quoted = text.partition("\n")[2].lstrip("\n").startswith(('"', "'"))
    halves = separator == "," and not quoted and any(one and two for one, two in pairwise(whole))
    if not first.is_unique or halves:
        raise DataError(
            f"{name!r} cannot be read as a table: its rows have {len(header) + 1} cells, but the header has "
            f"{len(header)}. If the first cell is the name of the row, give that column a name; if numbers have "
            "decimal commas, separate the cells by semicolons."
        )
    return frame


def _unique(header: list[str]) -> list[str]:
    """Return the names of columns as R makes them unique: x, x.1, x.2."""
    names: list[str] = []
    for place, cell in enumerate(header):
        cell = cell or f"Unnamed: {place}"
        others = {*names, *header[place + 1 :]} if cell in names else set()
        numbered = (f"{cell}.{number}" for number in count(1))
        names.append(next(one for one in numbered if one not in others) if cell in names else cell)
    return names


def _without_padding(frame: pd.DataFrame, named_rows: bool) -> tuple[pd.DataFrame, list[str]]:
    """Return the table without empty rows, empty columns without a name, and numbers of rows; and what was left out."""
    notes = []
    empty = np.all([frame[column].str.strip() == "" for column in frame.columns], axis=0)
    if np.any(empty):
        # The last line of a file may end in several line feeds.
        trailing = len(empty) - (np.flatnonzero(~empty)[-1] + 1 if not np.all(empty) else 0)
        if int(empty.sum()) > trailing:
            notes.append(f"{int(empty.sum())} empty rows were left out.")
        frame = frame.loc[~empty]
    without_name = [column for column in frame.columns if column.startswith("Unnamed: ")]
    for place, column in enumerate(without_name):
        cells = frame[column].str.strip()
        first = column == frame.columns[0] and place == 0
        if bool((cells == "").all()) and len(frame):
            frame = frame.drop(columns=column)
        elif first and (named_rows or cells.is_unique):
            frame = frame.drop(columns=column)
            notes.append("The first column has no name and a value of its own in every row: names of rows, left out.")
    repeated = [column for column in frame.columns if column.rpartition(".")[2].isdigit()]
    twice = [column for column in repeated if column.rpartition(".")[0] in frame.columns]
    if twice:
        notes.append(f"A name of a column is there more than once: the later ones are {', '.join(twice)}.")
    return frame, notes
