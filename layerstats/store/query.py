"""Which rows of a table, and which samples of a layer, a query asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError

# What is wanted of a column: one value or several.
Wanted = str | Iterable[str]


def as_list(wanted: Wanted) -> list[str]:
    """Return one value or several as a list.

    Examples
    --------
    >>> as_list("ask"), as_list(("ask", "dark"))
    (['ask'], ['ask', 'dark'])
    """
    return [wanted] if isinstance(wanted, str) else list(wanted)


def matching(table: pd.DataFrame, wanted: Mapping[str, Wanted], what: str) -> np.ndarray:
    """Return for every row of `table` whether each column named in `wanted` has one of its values, (row,) bool.

    Raises
    ------
    ArgumentError
        A column or a value does not exist; the message lists those that do.
    """
    rows = np.ones(len(table), dtype=bool)
    for column, values in wanted.items():
        if column not in table.columns or len(table) == 0:
            raise ArgumentError(f"Nothing can be selected by {column!r}: the store has no such column of {what}.")
        listed = as_list(values)
        check_known(column, listed, table[column].dropna().unique().tolist())
        rows &= table[column].isin(listed).to_numpy()
    return rows


def check_known(name: str, wanted: Iterable[object], existing: Iterable[object]) -> None:
    """Raise `ArgumentError` listing what exists, where something else is wanted."""
    known = list(existing)
    unknown = [value for value in wanted if value not in known]
    if unknown:
        shown = ", ".join(repr(value) for value in known[:40]) + (f", ... ({len(known)})" if len(known) > 40 else "")
        raise ArgumentError(
            f"The store has no {name} {', '.join(map(repr, unknown))}. There are: {shown if known else 'none'}."
        )


def narrowed(window: tuple[float, float] | None, time_s: tuple[float, float]) -> tuple[float, float]:
    """Return what two windows have in common, seconds.

    Raises
    ------
    ArgumentError
        Where the start of `time_s` is not before its end.
    """
    start, end = (float(edge) for edge in time_s)
    if not start < end:
        raise ArgumentError(f"A time window needs a start before its end (seconds), but got {time_s!r} instead.")
    return (start, end) if window is None else (max(window[0], start), min(window[1], end))


def samples_within(time_s: np.ndarray, start: np.ndarray | float, end: np.ndarray | float) -> tuple:
    """Return the first sample at or after `start` and the first at or after `end`: the samples start <= time < end.

    Half-open, so that a sample on the boundary of two phones belongs to one of them.

    Examples
    --------
    >>> samples_within(np.array([0.0, 0.1, 0.2, 0.3]), 0.1, 0.3)
    (np.int64(1), np.int64(3))
    """
    first = np.searchsorted(time_s, start, side="left")
    return first, np.maximum(first, np.searchsorted(time_s, end, side="left"))
