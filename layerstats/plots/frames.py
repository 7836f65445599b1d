"""What every figure does with its frame first: check it, put levels in order, time in milliseconds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import DataError
from layerstats.tables import glossary

ACTIVATION_LABEL = "Activation (mean over channels)"
TIME_LABEL = "Time (ms)"
# Marks of the axis: octaves, of which each stands at the band that is nearest to it.
MARKS_HZ = (125, 250, 500, 1000, 2000, 4000, 8000)


def checked(frame: pd.DataFrame, columns: Iterable[str], figure: str) -> pd.DataFrame:
    """Return a fresh copy of `frame`, which has rows and the columns that the figure needs.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    what = f"the table for the figure {figure!r}"
    check_columns(frame, columns, what)
    if frame.empty:
        raise DataError(f"There is nothing to draw: {what} has no rows.")
    return pd.DataFrame(frame).reset_index(drop=True)


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return one column, typed as such: pandas' own types leave open whether it is a frame."""
    return pd.Series(frame[name])


def rows(frame: pd.DataFrame, keep: Any) -> pd.DataFrame:
    """Return the rows where `keep` is true, typed as a frame."""
    return pd.DataFrame(frame.loc[keep])


def means(frame: pd.DataFrame, by: list[str], value: str) -> pd.DataFrame:
    """Average `value` over the rows that agree in `by`."""
    return pd.DataFrame(frame.groupby(by, observed=True).agg({value: "mean"})).reset_index()


def count(values: pd.Series) -> int:
    """Return the number of different values."""
    return len(values.unique())


def in_order(values: pd.Series) -> pd.Series:
    """Make text an ordered categorical, in the order of first appearance; a categorical keeps its own order.

    Examples
    --------
    >>> list(in_order(pd.Series(["conv2", "conv10", "conv2"])).cat.categories)
    ['conv2', 'conv10']
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        used = values.cat.remove_unused_categories()
        return used.cat.rename_categories([str(name) for name in used.cat.categories]).cat.as_ordered()
    text = values.astype(str)
    return pd.Series(pd.Categorical(text, categories=text.unique(), ordered=True), index=values.index)


def milliseconds(frame: pd.DataFrame, figure: str) -> pd.Series:
    """Return time in ms, from `time_ms` or else from `time_s`.

    Raises
    ------
    DataError
        If the frame has neither.
    """
    if "time_ms" in frame.columns:
        return column(frame, "time_ms")
    check_columns(frame, ["time_s"], f"the table for the figure {figure!r}")
    return column(frame, "time_s") * 1000


def time_column(frame: pd.DataFrame, figure: str) -> str:
    """Return the name of the column that time stands in: `time_ms`, `time_s`, or normalised `time`.

    Raises
    ------
    DataError
        If the frame has none of them.

    Examples
    --------
    >>> time_column(pd.DataFrame({"time": [0.5]}), "smooths")
    'time'
    """
    for name in ("time_ms", "time_s", "time"):
        if name in frame.columns:
            return name
    raise DataError(
        f"The table for the figure {figure!r} has no column of time: 'time_ms', 'time_s', or normalised 'time' is "
        f"needed. Its columns are: {', '.join(map(str, frame.columns[:30]))}."
    )


def on_axis(values: pd.Series, name: str) -> pd.Series:
    """Return a covariate as its axis shows it: seconds of the clip in ms, anything else as it is."""
    return values * 1000 if name == "time_s" else values


def axis_title(name: str) -> str:
    """Return the title of the axis of a covariate, with units.

    Examples
    --------
    >>> axis_title("time_s"), axis_title("time"), axis_title("Sample")
    ('Time (ms)', 'Normalised time', 'Sample')
    """
    if name in ("time_s", "time_ms"):
        return TIME_LABEL
    known = glossary().columns.get(name)
    return known.label if known else name


def band_marks(bands: np.ndarray, apart: float = 1 / 14) -> dict[int, str]:
    """Return the bands that are marked, from the highest down, as far as their labels do not meet.

    Labels meet that are less than `apart` of the axis from each other.
    """
    found: dict[int, str] = {}
    for mark in sorted(MARKS_HZ, reverse=True):
        place = int(np.argmin(np.abs(bands - mark)))
        # The lowest and the highest band end a little before their mark.
        if bands[0] / 1.06 <= mark <= bands[-1] * 1.06 and all(other - place > len(bands) * apart for other in found):
            found[place] = f"{mark}"
    return found


def beside(name: str, taken: Collection[str]) -> str:
    """Return a panel's name that reads as `name` and is none of those that are taken, as a layer's may be.

    Examples
    --------
    >>> beside("sound", ["conv1"]), beside("sound", ["sound"])
    ('sound', 'sound ')
    """
    while name in taken:
        name += " "
    return name
