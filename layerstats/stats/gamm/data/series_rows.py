"""Rows as series: sorted, without duplicates, and where each series begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import ArgumentError, DataError

# The columns of this package's own tables.
DEFAULT_SERIES = "token"
DEFAULT_ORDER = "sample"

# What lies between two neighbouring rows of a series: one step, or the time between them.
GAPS = ("adjacent", "time")
# Of a step.
_ROUNDED = 1e-4


@dataclass(frozen=True, eq=False)
class SortedSeries:
    """Rows in order of series and time.

    Attributes
    ----------
    positions
        (row,) where each stood in the table.
    start
        (row,) True where a series begins.
    gaps
        (row,) usual steps since the row before, 1 where a series begins; None where all are taken as 1.
    notes
        On single rows and on gaps.
    """

    positions: np.ndarray
    start: np.ndarray
    gaps: np.ndarray | None
    notes: tuple[str, ...]


def series_columns(
    frame: pd.DataFrame, series: str | Sequence[str] | None, order: str | None, needed: bool
) -> tuple[tuple[str, ...], str | None, list[str]]:
    """Return the columns that identify a series, the one that orders it, and notes.

    Where neither is given, ``token`` and ``sample`` stand in if the table has them and an AR(1) model needs them.

    Raises
    ------
    ArgumentError
        One is given without the other, or an AR(1) model has neither.
    """
    if series is None and order is None:
        if needed and {DEFAULT_SERIES, DEFAULT_ORDER} <= set(frame.columns):
            note = f"Series are identified by {DEFAULT_SERIES!r} and ordered by {DEFAULT_ORDER!r}."
            return (DEFAULT_SERIES,), DEFAULT_ORDER, [note]
        if needed:
            raise ArgumentError(
                "AR(1) residuals need to know what a series is. Give 'series' (the columns that identify one, for "
                "instance the token) and 'order' (the column that orders its rows, for instance the time)."
            )
        return (), None, []
    if series is None or order is None:
        missing = "series" if series is None else "order"
        raise ArgumentError(f"'series' and 'order' belong together, but {missing!r} is missing.")
    columns = (series,) if isinstance(series, str) else tuple(series)
    if not columns:
        raise ArgumentError("The 'series' parameter must name at least one column, but got none.")
    check_columns(frame, [*columns, order], "the data (named in 'series' and 'order')")
    return columns, order, []


def sort_series(frame: pd.DataFrame, series: tuple[str, ...], order: str, gaps: str = "adjacent") -> SortedSeries:
    """Sort the rows by series and time; series keep the order of their first row.

    With gaps = "time" the usual step, the median, is the unit of time.

    Raises
    ------
    DataError
        Two rows of a series stand at the same place, or a value is missing.
    """
    check_complete(frame, [*series, order], "the data")
    codes = frame.groupby(list(series), sort=False, observed=True).ngroup().to_numpy()
    if not pd.api.types.is_numeric_dtype(frame[order]):
        raise DataError(f"Column {order!r} orders the rows of a series and must be numeric, not {frame[order].dtype}.")
    places = frame[order].to_numpy(dtype=float)
    positions = np.lexsort((places, codes))
    codes, places = codes[positions], places[positions]
    start = np.concatenate([[True], codes[1:] != codes[:-1]])
    steps = np.diff(places)[~start[1:]]
    if np.any(steps == 0):
        _refuse_duplicates(frame, series, order, positions, start, places)
    notes = _single_notes(start)
    if gaps == "adjacent" or not len(steps):
        return SortedSeries(positions, start, None, (*notes, *_ignored_notes(steps, order)))
    step = float(np.median(steps))
    relative = np.ones(len(start))
    relative[~start] = steps / step
    whole = np.round(relative)
    # Times written with few digits are whole numbers of steps but for these digits.
    if np.all(np.abs(relative - whole) < _ROUNDED) and np.all(whole >= 1):
        relative = whole
    notes += _kept_notes(relative, step, order)
    return SortedSeries(positions, start, None if np.all(relative == 1) else relative, tuple(notes))


def has_whole_gaps(gaps: np.ndarray | None) -> bool:
    """Return whether all rows are whole steps apart, so that a negative AR(1) parameter has a meaning."""
    return gaps is None or bool(np.all(gaps == np.round(gaps)))


def _refuse_duplicates(
    frame: pd.DataFrame,
    series: tuple[str, ...],
    order: str,
    positions: np.ndarray,
    start: np.ndarray,
    places: np.ndarray,
) -> None:
    repeated = np.flatnonzero(~start[1:] & (np.diff(places) == 0)) + 1
    row = frame.iloc[positions[repeated[0]]]
    where = ", ".join(f"{column} = {row[column]}" for column in (*series, order))
    raise DataError(
        f"{len(repeated)} rows are duplicated within their series, the first at {where}. A series has one row at each "
        f"{order!r}: drop the duplicates, or name every column that tells series apart in 'series'."
    )


def _single_notes(start: np.ndarray) -> list[str]:
    single = int(np.sum(start & np.append(start[1:], True)))
    return [f"{single} of {int(start.sum())} series have one row only."] if single else []


def _ignored_notes(steps: np.ndarray, order: str) -> list[str]:
    if not len(steps):
        return []
    step = np.median(steps)
    longer = int(np.sum(steps > 1.5 * step))
    if not longer:
        return []
    return [
        f"{longer} steps in {order} are longer than the usual {step:g} (missing rows). The AR(1) model takes "
        "neighbouring rows as one step apart and ignores the gaps; gaps='time' does not."
    ]


def _kept_notes(gaps: np.ndarray, step: float, order: str) -> list[str]:
    longer = int(np.sum(gaps > 1.5))
    uneven = "" if has_whole_gaps(gaps) else " Steps are not whole multiples of it, so that rho cannot be negative."
    return [
        f"The AR(1) model counts time in steps of {step:g} in {order}: the correlation over a gap of g steps is rho to "
        f"the power g. {longer} gaps are longer than one step, the longest {gaps.max():g}.{uneven}"
    ]


def lag_pairs(start: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of rows `lag` steps apart within one series."""
    number = np.cumsum(start)
    first = np.flatnonzero(number[lag:] == number[: len(number) - lag])
    return first, first + lag


def time_lag_pairs(start: np.ndarray, lag: int, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of rows about `lag` steps apart in time within one series: by less than half a step more.

    Parameters
    ----------
    gaps
        (row,) steps since the row before, whatever the number where a series begins.
    """
    time = np.cumsum(gaps)
    found = [np.zeros((2, 0), dtype=np.int64)]
    for rows in range(1 if lag else 0, len(start)):
        pairs = np.stack(lag_pairs(start, rows))
        apart = time[pairs[1]] - time[pairs[0]]
        found.append(pairs[:, (apart >= lag - 0.5) & (apart < lag + 0.5) if lag else apart == 0])
        if not len(apart) or apart.min() >= lag + 0.5:
            break
    first, second = np.hstack(found)
    return first, second
