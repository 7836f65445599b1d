"""Hold a frame to the column glossary before anyone sees it."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns
from layerstats.errors import DataError
from layerstats.tables.glossary import Column, glossary


def check_frame(frame: pd.DataFrame, kind: str | None = None, *, user_columns: Collection[str] = ()) -> pd.DataFrame:
    """Raise `DataError` unless every column of `frame` is in the glossary and holds what the glossary says.

    Parameters
    ----------
    frame
        One of our results. Missing values are allowed, and so is a frame without rows.
    kind
        A kind of frame that the glossary knows ("parametric", "smooths", "difference", ...); the columns
        that it needs must be there.
    user_columns
        Columns that the user named, for instance the covariate `Sample`: they may hold anything.

    Returns
    -------
    pandas.DataFrame
        The same frame, so that a function can end with `return check_frame(...)`; a copy where whole numbers were
        floats, as pandas makes them beside missing values: they become integers, `Int64` where there are gaps.

    Raises
    ------
    DataError
        A column is unknown (near matches are named), appears twice, holds strings or stars where numbers belong, a
        probability outside [0, 1], a negative standard error, or an interval whose ends are swapped.

    Examples
    --------
    >>> frame = pd.DataFrame({"term": ["(Intercept)"], "estimate": [0.68], "p_value": [2e-16]})
    >>> check_frame(frame) is frame
    True
    >>> check_frame(frame.rename(columns={"p_value": "pvalue"}))
    Traceback (most recent call last):
    ...
    layerstats.errors.DataError: Column 'pvalue' is not in the glossary. Did you mean 'p_value'...
    """
    what = "the table" if kind is None else f"the {kind} table"
    known = glossary()
    if frame.columns.has_duplicates:
        twice = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
        raise DataError(f"Column {', '.join(map(repr, twice))} appears more than once in {what}.")
    if kind is not None:
        check_choice("kind", kind, known.frames)
        check_columns(frame, known.frames[kind], what)
    for name, values in frame.items():
        if name in user_columns:
            continue
        if name not in known.columns:
            raise DataError(_unknown(str(name)))
        _check_values(values, known.columns[str(name)], what)
    for low, high in known.ordered:
        if low in frame.columns and high in frame.columns and not {low, high} & set(user_columns):
            _check_order(frame, low, high, what)
    return _whole_numbers(frame, user_columns)


def _whole_numbers(frame: pd.DataFrame, user_columns: Collection[str]) -> pd.DataFrame:
    known = glossary().columns
    floats = [
        name
        for name, values in frame.items()
        if name not in user_columns and known[str(name)].kind == "integer" and pd.api.types.is_float_dtype(values)
    ]
    if not floats:
        return frame
    kinds = {name: "Int64" if bool(frame[name].isna().to_numpy().any()) else "int64" for name in floats}
    return frame.astype(kinds)


def _unknown(name: str) -> str:
    near = get_close_matches(name.lower(), glossary().columns, n=2, cutoff=0.6)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return (
        f"Column {name!r} is not in the glossary.{hint} Every column of a result is described in "
        "layerstats/tables/glossary/; columns named by the user go into 'user_columns'."
    )


def _check_values(values: pd.Series, column: Column, what: str) -> None:
    present = values.dropna()
    if present.empty:  # a column of missing values has no dtype worth checking
        return
    if not _KIND_CHECKS[column.kind](present):
        example = present.iloc[0]
        raise DataError(
            f"Column {column.name!r} of {what} must hold {_KIND_WORDS[column.kind]}, but its dtype is {values.dtype} "
            f"(first value {example!r})."
        )
    if column.minimum is not None:
        _refuse(present, present < column.minimum, column, f"at least {column.minimum:g}", what)
    if column.maximum is not None:
        _refuse(present, present > column.maximum, column, f"at most {column.maximum:g}", what)
    if column.choices is not None:
        allowed = ", ".join(map(repr, column.choices))
        _refuse(present, ~present.isin(column.choices), column, f"one of {allowed}", what)


def _refuse(values: pd.Series, bad: pd.Series, column: Column, rule: str, what: str) -> None:
    rows = np.flatnonzero(bad.to_numpy())
    if rows.size:
        first = int(rows[0])
        raise DataError(
            f"Column {column.name!r} of {what} must be {rule}, but row {values.index[first]} has "
            f"{values.iloc[first]!r} ({rows.size} of {len(values)} rows)."
        )


def _check_order(frame: pd.DataFrame, low: str, high: str, what: str) -> None:
    lows, highs = (frame[name].to_numpy(dtype=float, na_value=np.nan) for name in (low, high))
    rows = np.flatnonzero(lows > highs)
    if rows.size:
        first = int(rows[0])
        raise DataError(
            f"{low!r} must not be above {high!r} in {what}, but row {frame.index[first]} has {lows[first]:g} and "
            f"{highs[first]:g} ({rows.size} of {len(frame)} rows)."
        )


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _is_integer(values: pd.Series) -> bool:
    # Whole numbers beside missing ones are floats in pandas.
    return _is_number(values) and bool(np.all(np.mod(values.to_numpy(dtype=float), 1) == 0))


def _is_text(values: pd.Series) -> bool:
    # to_list() sees through str, object and categorical dtypes alike, in pandas 2 and 3.
    return all(isinstance(value, str) for value in values.unique())


_KIND_CHECKS = {
    "text": _is_text,
    "number": _is_number,
    "integer": _is_integer,
    "boolean": pd.api.types.is_bool_dtype,
}
_KIND_WORDS = {
    "text": "text",
    "number": "numbers, without stars or strings",
    "integer": "whole numbers, without stars or strings",
    "boolean": "True or False",
}
