"""Text that a spreadsheet must not take for a formula: CSV files are opened with a double click."""

from __future__ import annotations

import pandas as pd

# OWASP's list, and the full-width forms that East Asian versions take for the same.
_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_for_spreadsheets(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table in whose text no cell and no heading begins as a formula does: an apostrophe stands before it.

    Numbers, truth values and dates are as they were, negative ones too.

    Examples
    --------
    >>> safe_for_spreadsheets(pd.DataFrame({"rater": ["=1+1", "ann"], "score": [-1.5, 2.0]})).to_dict("list")
    {'rater': ["'=1+1", 'ann'], 'score': [-1.5, 2.0]}
    """
    columns = [_safe_column(frame.iloc[:, position]) for position in range(frame.shape[1])]
    safe = pd.concat(columns, axis=1) if columns else frame.copy()
    safe.columns = pd.Index([_safe(name) for name in frame.columns], dtype=frame.columns.dtype)
    return safe


def without_guards(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table of text without the apostrophes that `safe_for_spreadsheets` put before formulas.

    Examples
    --------
    >>> without_guards(pd.DataFrame({"comment": ["'=1+1", "'tis"]}))["comment"].tolist()
    ['=1+1', "'tis"]
    """
    return frame.map(bare)


def bare(value: object) -> object:
    """Return text without the apostrophe that was put before a formula; anything else as it is."""
    return value[1:] if isinstance(value, str) and value.startswith("'") and _safe(value[1:]) != value[1:] else value


def _safe_column(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _safe_column(column.astype(column.cat.categories.dtype))
    if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
        return column.map(_safe, na_action="ignore").astype(column.dtype)
    return column


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_SIGNS) else value
