"""Tables as people have them: one reader, which says what it recognised."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import cast

import pandas as pd

from layerstats.checks import check_choice, require
from layerstats.errors import ArgumentError, DataError
from layerstats.tables.column_types import typed
from layerstats.tables.delimited import read_delimited

_TEXT = (".csv", ".tsv", ".tab", ".txt", ".dat")
_BINARY = (".parquet", ".xlsx", ".xlsm", ".sav", ".zsav", ".dta")
_COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}
# What files begin with, whatever their names end in.
_MAGIC = {
    b"\x1f\x8b": ".gz",
    b"BZh": ".bz2",
    b"\xfd7zXZ": ".xz",
    b"PAR1": ".parquet",
    b"PK\x03\x04": ".xlsx",
    b"$FL2": ".sav",
    b"$FL3": ".zsav",
    b"<stata_dta>": ".dta",
    b"\xd0\xcf\x11\xe0": ".xls",
}
NOTES = "notes"


def read_table(
    path: str | Path,
    *,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    missing: Sequence[str] | None = None,
    numeric: Collection[str] = (),
    sheet: str | None = None,
) -> pd.DataFrame:
    """Read a table: CSV and its relatives, Excel, SPSS, Stata or Parquet.

    In text files separator, encoding and decimal sign are found from what is there. A column is a number where all its
    cells are; codes with leading zeros stay text. ``frame.attrs["notes"]`` says what was recognised, and
    `layerstats.fit` repeats it in the notes of its result.

    Parameters
    ----------
    path
        ``.csv``, ``.tsv``, ``.txt`` (also ``.gz``, ``.bz2``, ``.xz``), ``.xlsx``, ``.sav``, ``.dta`` or ``.parquet``.
    separator, decimal, encoding
        Of a text file, where what is found is wrong.
    missing
        What stands for a missing value in a text file, besides an empty cell; by default ``NA``, ``N/A``, ``#N/A``,
        ``--undefined--``, and in columns that are numbers otherwise also ``.``, ``undefined``, ``NULL`` and ``nan``.
        ``[]`` for none, for instance where ``NA`` is a speaker.
    numeric
        Columns of a text file that are numbers although they look like codes.
    sheet
        Of an Excel file; by default the first.

    Returns
    -------
    pandas.DataFrame
        Its index counts rows as the file does: with the header, from 1.

    Raises
    ------
    DataError
        There is no such file, or it is damaged.
    ArgumentError
        Its name does not say what it is.
    MissingDependencyError
        Excel and SPSS need the packages of the extra "tables".

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "table.csv"
    >>> _ = file.write_text("code;f2\\n00;1543,43\\n01;1558,66\\n")
    >>> read_table(file)
      code       f2
    2   00  1543.43
    3   01  1558.66
    """
    path = Path(path)
    missing = [missing] if isinstance(missing, str) else missing
    numeric = [numeric] if isinstance(numeric, str) else numeric
    if decimal is not None:
        check_choice("decimal", decimal, (".", ","))
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r}.")
    content, kind = _unpacked(path)
    try:
        if kind == ".parquet":
            return _numbered(pd.read_parquet(path), 1, ())
        if kind in (".xlsx", ".xlsm"):
            return _excel(path, sheet)
        if kind in (".sav", ".zsav", ".dta"):
            return _labelled(path, kind)
    except (ArgumentError, ImportError):
        raise
    except Exception as error:
        # Each reader has errors of its own for a damaged file.
        raise DataError(f"{str(path)!r} cannot be read as a table: {error}") from error
    text = read_delimited(content, str(path), separator, encoding)
    table = typed(text.frame, decimal=decimal, comma_separates=text.separator == ",", missing=missing, numeric=numeric)
    return _numbered(table.frame, None, (*text.notes, *table.notes))


def row_name(frame: pd.DataFrame, label: object) -> str:
    """Return how to call the row with this label of the index: as its file counts, where that is known."""
    if NOTES in frame.attrs:
        return f"row {label} of the file"
    if pd.api.types.is_integer_dtype(frame.index):
        return f"row {label} of the data (row {int(label) + 2} of a file with a header)"  # type: ignore[call-overload]
    return f"row {label} of the data"


def notes_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return what `read_table` said of a table; nothing of others."""
    notes = frame.attrs.get(NOTES, ())
    return notes if isinstance(notes, tuple) else ()


def _unpacked(path: Path) -> tuple[bytes, str]:
    """Return the content of a file, decompressed, and its kind: by how it begins, else by its name."""
    content = path.read_bytes()
    name = path.name.lower()
    kind = next((kind for magic, kind in _MAGIC.items() if content.startswith(magic)), None)
    if kind in _COMPRESSED:
        try:
            content = _COMPRESSED[kind](content)
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            raise DataError(f"{str(path)!r} cannot be read as a table: {error}") from error
        kind = None
    name = name.removesuffix(".gz").removesuffix(".bz2").removesuffix(".xz")
    ending = next((ending for ending in (*_TEXT, *_BINARY) if name.endswith(ending)), None)
    if kind == ".xls" or (kind is None and name.endswith((".xls", ".ods", ".rds", ".rda", ".rdata"))):
        raise ArgumentError(f"Invalid table {str(path)!r}: save it as .xlsx or CSV.")
    if kind is None and ending is None:
        raise ArgumentError(
            f"Invalid table {str(path)!r}: its name must end in {', '.join((*_TEXT, *_BINARY))}, or .gz after one of "
            "the first."
        )
    if kind == ".xlsx" and ending == ".xlsm":
        kind = ending
    return content, kind or str(ending)


def _excel(path: Path, sheet: str | None) -> pd.DataFrame:
    require("openpyxl", "read Excel files", "tables")
    with pd.ExcelFile(path, engine="openpyxl") as book:
        names = list(map(str, book.sheet_names))
    if sheet is not None:
        check_choice("sheet", sheet, names)
    frame: pd.DataFrame = pd.read_excel(
        path, sheet_name=sheet or names[0], dtype=object, keep_default_na=False, na_values=[""], engine="openpyxl"
    )
    notes = []
    if sheet is None and len(names) > 1:
        notes.append(f"The first of {len(names)} sheets is read: {names[0]} (the others: {', '.join(names[1:])}).")
    frame.columns = list(map(str, frame.columns))
    frame.index = pd.RangeIndex(2, 2 + len(frame))
    if len(frame):
        frame = frame.loc[frame.notna().any(axis=1)].dropna(axis=1, how="all")
    # A column with cells of text is read as in a text file.
    mixed = [column for column in frame.columns if any(isinstance(cell, str) for cell in frame[column])]
    text = pd.DataFrame({column: [_as_text(cell) for cell in frame[column]] for column in mixed}, index=frame.index)
    table = typed(text, decimal=".", comma_separates=True)
    notes += table.notes
    frame = frame.assign(**{column: table.frame[column] for column in mixed})
    return _numbered(frame.infer_objects(), None, notes)


def _as_text(cell: object) -> str:
    if cell is None or cell != cell:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _labelled(path: Path, kind: str) -> pd.DataFrame:
    """Read SPSS or Stata: a column whose values all have labels is a factor of these, in the order of the values."""
    if kind == ".dta":
        frame = cast("pd.DataFrame", pd.read_stata(path, order_categoricals=False))
        plain = cast("pd.DataFrame", pd.read_stata(path, convert_categoricals=False))
    else:
        require("pyreadstat", "read SPSS files", "tables")
        frame, plain = pd.read_spss(path), pd.read_spss(path, convert_categoricals=False)
    notes = []
    for column in map(str, frame.columns):
        if not isinstance(frame[column].dtype, pd.CategoricalDtype):
            continue
        labels, values = frame[column].astype(object), plain[column]
        of_value = dict(zip(values[values.notna()], labels[values.notna()], strict=True))
        if pd.api.types.is_numeric_dtype(values) and all(isinstance(label, str) for label in of_value.values()):
            levels = list(dict.fromkeys(of_value[value] for value in sorted(of_value)))
            frame[column] = pd.Categorical(labels, categories=levels)
            notes.append(f"{column} has the labels of its values: {', '.join(levels[:12])}.")
        else:
            frame[column] = values
            if pd.api.types.is_numeric_dtype(values):
                notes.append(f"{column} keeps its values, since not all of them have labels.")
    return _numbered(frame, 1, notes)


def _numbered(frame: pd.DataFrame, first: int | None, notes: Sequence[str]) -> pd.DataFrame:
    if first is not None and isinstance(frame.index, pd.RangeIndex):
        frame.index = pd.RangeIndex(first, first + len(frame))
    frame.attrs = {NOTES: tuple(notes)}
    return frame
