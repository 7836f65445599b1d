"""The series of all tokens, word by word (Begus & Zhou 2022, Fig. 3 left)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import aes, facet_wrap, geom_line, geom_path, ggplot, labs

from layerstats.checks import check_columns, check_positive
from layerstats.plots.frames import (
    ACTIVATION_LABEL,
    axis_title,
    checked,
    column,
    count,
    in_order,
    means,
    on_axis,
    rows,
    time_column,
)
from layerstats.plots.scales import time_scale
from layerstats.plots.sound_strips import breaks_below, panel_places, sound_strips
from layerstats.plots.sounds_above import SoundsAbove
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("token", "value")

# Tokens that are drawn as one line.
BUNDLE = 6
# Inches that series have of a panel.
PANEL = 1.3


def raw_series(
    frame: pd.DataFrame,
    *,
    by: str = "word",
    x: str | None = None,
    most_points: int = 256,
    value_label: str = ACTIVATION_LABEL,
    above: SoundsAbove | None = None,
) -> ggplot:
    """Draw the series of every token as a thin line, a panel a word, with the mean of the word over it.

    Parameters
    ----------
    frame : columns `token, word, time_s, value`
        The series of one layer, over `time_s`, `time_ms`, or normalised `time`.
    by
        The column that the panels stand for.
    x
        The column of time; by default the first there is of `time_ms`, `time_s` and normalised `time`.
    most_points
        Longer series are averaged in this many bins of time, and the figure says so. Series that each have times of
        their own, as words alone have, are averaged in as many bins as one has points: a mean needs them.
    value_label
        Title of the vertical axis, with units.
    above
        Waveform and phones of one token of each panel, see `sounds_above`.

    Raises
    ------
    DataError
        If a column is missing or the table has no rows.
    ArgumentError
        If the sounds run along another axis than the series.
    """
    check_positive("most_points", most_points)
    frame = checked(frame, (*REQUIRED_COLUMNS, by), "raw_series")
    x = x or time_column(frame, "raw_series")
    check_columns(frame, [x], "the table for the figure 'raw_series'")
    data = pd.DataFrame(
        {
            "x": on_axis(column(frame, x), x),
            "y": frame["value"],
            "token": frame["token"].astype(str),
            "panel": in_order(column(frame, by)),
        }
    )
    data, width = _bin(data, most_points)
    mean = means(data, ["panel", "x"], "y")
    tokens = data.groupby("panel", observed=True)["token"].nunique()
    panels = len(tokens)
    columns = min(panels, 4)
    # The busier a panel, the fainter its lines.
    fewest, most = min(tokens.tolist()), max(tokens.tolist())
    alpha = float(np.clip(12 / most, 0.08, 0.6))
    shown = f"{most} in each panel" if fewest == most else f"{fewest} to {most} in a panel"
    note = f"Grey: tokens, {shown}. Black: their mean."
    if width:
        unit = "" if x == "time" else " ms"
        note += f" Series averaged in bins of {width:.3g}{unit}."
    places = panel_places(data.assign(low=data["y"], high=data["y"]), ["panel"], PANEL, together=True)
    places = places.assign(sound=places["panel"].astype(str), place=0)
    width = PAGE_WIDTH if columns > 1 else 4.5
    per_inch = float(np.ptp(data["x"])) * columns / (width - 1)
    strips, inches = sound_strips(above, places, axis=x, per_inch=per_inch)
    return (
        ggplot(data, aes("x", "y"))
        + geom_path(aes(group="bundle"), data=_bundles(data), size=0.3, alpha=alpha, color="#404040")
        + geom_line(data=mean, size=0.9, color="black")
        + facet_wrap("panel", ncol=columns)
        + strips
        + breaks_below(PANEL, inches)
        + time_scale(x, columns)
        + labs(x=axis_title(x), y=value_label, caption=note)
        + paper_theme(width, 1.1 + (1.7 + inches) * -(-panels // columns))
    )


def _bundles(data: pd.DataFrame) -> pd.DataFrame:
    """Join a few tokens at a time to one line with gaps: a line costs milliseconds, whatever its length."""
    data = data.sort_values(["panel", "token", "x"])
    first = ~data.duplicated(["panel", "token"])
    number = first.groupby(data["panel"], observed=True).cumsum() // BUNDLE
    data = data.assign(bundle=data["panel"].astype(str) + "/" + number.astype(str))
    gaps = rows(data, first).assign(y=np.nan)
    # A stable sort keeps each gap, which comes first here, before the token that it belongs to.
    joined = pd.concat([gaps, data]).sort_values(["panel", "token"], kind="stable", ignore_index=True)
    # A line must not begin with a gap, or plotnine warns of it.
    return rows(joined, joined.duplicated("bundle"))


def _bin(data: pd.DataFrame, most_points: int) -> tuple[pd.DataFrame, float]:
    """Average in bins of time where there are more times than can be drawn, or than a token has; 0 wide for none."""
    points = np.unique(data["token"].to_numpy(), return_counts=True)[1]
    times, most = count(column(data, "x")), int(points.max())
    if times <= min(most_points, most):
        return data, 0.0
    if times > most:
        most_points = min(most_points, int(np.median(points)))
    low, high = float(np.min(data["x"])), float(np.max(data["x"]))
    width = (high - low) / most_points
    bins = np.clip(((data["x"] - low) // width).to_numpy(dtype=int), 0, most_points - 1)
    binned = data.assign(x=low + (bins + 0.5) * width)
    return means(binned, ["panel", "token", "x"], "y"), width
