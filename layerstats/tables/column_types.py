"""Which columns of text are numbers, which cells are missing: by what stands in them, and nothing is guessed twice."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import DataError

# Written by R, Excel and Praat where there is no value. "null" and "None" are words.
_ALWAYS = ("NA", "N/A", "n/a", "<NA>", "#N/A", "#NULL!", "--undefined--")
# No value where all other cells of a column are numbers.
_AMONG_NUMBERS = (".", "undefined", "NULL", "na", "NaN", "nan")
# Such a mark of a column of numbers is one in columns of text too.
_EVERYWHERE = (".",)
_POINT = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_COMMA = _POINT.replace(r"\.", ",")
_INFINITE = r"[+-]?(?:[Ii]nf|INF)"
# "007" is a code, and so is a whole number with more digits than a number holds beside missing values.
_CODE = r"[+-]?0\d+|[+-]?\d{16,}"
# Up to this share of cells that are no numbers is a slip, not another kind of value.
SLIPS = 0.1


@dataclass(frozen=True, eq=False)
class TypedTable:
    """A table with numbers where all cells of a column are numbers, and what was decided."""

    frame: pd.DataFrame
    notes: tuple[str, ...]


def typed(
    frame: pd.DataFrame,
    *,
    decimal: str | None,
    comma_separates: bool,
    missing: Sequence[str] | None = None,
    numeric: Collection[str] = (),
) -> TypedTable:
    """Return `frame`, whose cells are text, with numbers and missing values.

    Parameters
    ----------
    frame
        Every cell text.
    decimal
        ``"."`` or ``","``; None to find it: a comma where cells are not separated by commas, and a column has commas
        and nothing but numbers, and no column has points and nothing but numbers.
    comma_separates
        Whether commas separate cells.
    missing
        What stands for a missing value, besides nothing; None for the usual marks.
    numeric
        Columns that must be numbers, also where they look like codes.

    Raises
    ------
    DataError
        A column of `numeric` is not there, or has a cell that is no number.
    """
    check_columns(frame, numeric, "the table (named in 'numeric')")
    text, notes = _trimmed(frame)
    always = _ALWAYS if missing is None else tuple(map(str, missing))
    sometimes = _AMONG_NUMBERS if missing is None else ()
    if decimal is None:
        decimal = "." if comma_separates else _decimal(text, (*always, *sometimes))
        if decimal == ",":
            notes.append("Numbers have a decimal comma.")
    columns = list(map(str, text.columns))
    numbers = {
        column: found for column in columns if (found := _numbers(text.loc[:, column], decimal, always, sometimes))
    }
    for column in numeric:
        if column not in numbers:
            _refuse(text.loc[:, column], column, decimal, (*always, *sometimes))
    codes = [column for column, found in numbers.items() if found.codes and column not in numeric]
    everywhere = {mark for found in numbers.values() for mark in found.marks if mark in _EVERYWHERE}
    marks = {column: [*always, *everywhere, *(sometimes if column in numbers else ())] for column in columns}
    cells = {
        column: numbers[column].numbers
        if column in numbers and column not in codes
        else text[column].mask(text[column].isin([*marks[column], ""]))
        for column in columns
    }
    notes += _missing_notes(text, marks)
    notes += _code_notes(text, codes)
    notes += _slip_notes(text, [column for column in columns if column not in numbers], decimal, always)
    return TypedTable(pd.DataFrame(cells, index=frame.index).infer_objects(), tuple(notes))


@dataclass(frozen=True, eq=False)
class _Numbers:
    numbers: pd.Series
    marks: tuple[str, ...]
    codes: bool


def _numbers(cells: pd.Series, decimal: str, always: Sequence[str], sometimes: Sequence[str]) -> _Numbers | None:
    """Return the numbers of a column whose other cells are missing; None where there are others, or no numbers."""
    marks = cells.isin([*always, *sometimes])
    without = marks | (cells == "")
    filled = cells.loc[~without]
    pattern = _COMMA if decimal == "," else _POINT
    if not len(filled) or not bool(filled.str.fullmatch(f"{pattern}|{_INFINITE}").all()):
        return None
    plain = filled.str.replace(",", ".") if decimal == "," else filled
    values = pd.Series(np.nan, index=cells.index)
    values[~without] = plain.to_numpy(dtype=object).astype(float)
    codes = bool(filled.str.fullmatch(_CODE).any())
    if not without.any() and not codes and bool(filled.str.fullmatch(r"[+-]?\d+").all()):
        values = pd.Series(plain.to_numpy(dtype=object).astype(np.int64), index=cells.index)
    return _Numbers(values, tuple(cells.loc[marks].unique()), codes)


def _decimal(text: pd.DataFrame, marks: Sequence[str]) -> str:
    kinds = set()
    for column in text:
        cells = text[column]
        filled = cells.loc[~cells.isin([*marks, ""])]
        for sign, pattern in ((".", _POINT), (",", _COMMA)):
            if len(filled) and filled.str.fullmatch(pattern).all() and filled.str.contains(sign, regex=False).any():
                kinds.add(sign)
    return "," if kinds == {","} else "."


def _trimmed(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the cells without blanks around them, and what to say where levels had some."""
    text, trimmed = frame.copy(), []
    for column in frame:
        text[column] = frame[column].str.strip()
        changed = frame.loc[(frame[column] != text[column]).to_numpy(), column]
        if len(changed) and not changed.str.strip().str.fullmatch(rf"(?:{_POINT}|{_COMMA})?").all():
            trimmed.append(f"{column} ({changed.iloc[0]!r})")
    notes = [f"Blanks around text were taken off: {', '.join(trimmed)}."] if trimmed else []
    return text, notes


def _missing_notes(text: pd.DataFrame, marks: dict[str, list[str]]) -> list[str]:
    counts: dict[str, list[str]] = {}
    for column, own in marks.items():
        found = text.loc[text[column].isin(own), column].value_counts()
        for mark, count in found.items():
            counts.setdefault(str(mark), []).append(f"{count} in {column}")
    return [
        f"{mark!r} is taken as missing: {', '.join(where)}. missing=[] keeps such cells."
        for mark, where in sorted(counts.items())
    ]


def _code_notes(text: pd.DataFrame, codes: Sequence[str]) -> list[str]:
    return [
        f"{column} holds codes that a number would lose ({', '.join(map(repr, sorted(text[column].unique())[:4]))}) "
        f"and stays text, a factor. numeric=[{column!r}] makes numbers of it."
        for column in codes
    ]


def _slip_notes(text: pd.DataFrame, columns: Sequence[str], decimal: str, always: Sequence[str]) -> list[str]:
    notes = []
    for column in columns:
        odd = slips(text.loc[:, column].mask(text[column].isin([*always, ""])), decimal)
        if len(odd):
            notes.append(
                f"{column} is text, since row {odd.index[0]} holds {odd.iloc[0]!r} where {len(text) - len(odd)} cells "
                "are numbers or missing."
            )
    return notes


def slips(cells: pd.Series, decimal: str = ".") -> pd.Series:
    """Return the cells of a column that are no numbers where nearly all others are; none where it is a column of text.

    A column of labels of which some are digits is text: there, each label that is no number is about as frequent as
    those that are, and these are whole.

    Examples
    --------
    >>> slips(pd.Series([*map(str, range(40)), "x"]))
    40    x
    dtype: ...
    >>> len(slips(pd.Series(["1", "2", "3", "x"] * 10)))
    0
    """
    filled = cells.dropna().astype(str).str.strip()
    is_number = filled.str.fullmatch(_COMMA if decimal == "," else _POINT)
    odd = filled.loc[~is_number]
    known = bool(len(odd)) and bool(odd.isin([*_ALWAYS, *_AMONG_NUMBERS]).all())
    if not len(odd) or len(odd) == len(filled) or (len(odd) > SLIPS * len(filled) and not known):
        return filled.iloc[:0]
    numbers = filled.loc[is_number]
    usual = float(numbers.value_counts().median())
    labels = bool(numbers.str.fullmatch(r"\d+").all()) and numbers.nunique() <= len(numbers) / 2
    if labels and not known and odd.value_counts().min() >= usual / 2:
        return filled.iloc[:0]
    return odd


def unit_of(cells: pd.Series) -> str | None:
    """Return the unit that stands behind the number in every cell of a column, such as ms; None where there is none.

    Examples
    --------
    >>> unit_of(pd.Series(["0.0 s", "0.1 s"]))
    's'
    >>> unit_of(pd.Series(["1a", "2a"]))
    """
    filled = cells.dropna().astype(str).str.strip()
    parts = filled.str.extract(rf"^(?:{_POINT})(\s+\S+|%)$")[0]
    return str(parts.iloc[0]).strip() if len(filled) and parts.notna().all() and len(set(parts)) == 1 else None


def is_number(cell: str) -> bool:
    """Return whether a cell is a number, with a decimal point where it has one."""
    return re.fullmatch(_POINT, cell.strip()) is not None


def has_decimal_commas(cells: pd.Series) -> bool:
    """Return whether all cells of a column of text are numbers, some of them with a decimal comma."""
    filled = cells.dropna().astype(str).str.strip()
    return bool(len(filled)) and bool(filled.str.fullmatch(_COMMA).all()) and bool(filled.str.contains(",").any())


def _refuse(cells: pd.Series, column: str, decimal: str, marks: Sequence[str]) -> None:
    filled = cells.loc[~cells.isin([*marks, ""])]
    bad = filled.loc[~filled.str.fullmatch(_COMMA if decimal == "," else _POINT)]
    where = f"row {bad.index[0]} holds {bad.iloc[0]!r}" if len(bad) else "it has no numbers"
    raise DataError(f"Column {column!r} must hold numbers, but {where}. Mend the cell, or leave out the row.")
