"""Where two curves differ (Begus & Zhou 2022, Fig. 5 bottom)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    facet_grid,
    facet_wrap,
    geom_hline,
    geom_line,
    geom_rect,
    geom_ribbon,
    ggplot,
    labs,
    scale_fill_manual,
)

from layerstats.checks import check_columns
from layerstats.errors import ArgumentError, DataError
from layerstats.plots.frames import (
    ACTIVATION_LABEL,
    axis_title,
    checked,
    column,
    count,
    in_order,
    on_axis,
    rows,
    time_column,
)
from layerstats.plots.scales import time_scale
from layerstats.plots.sound_strips import (
    below_sound_row,
    breaks_below,
    breaks_of_layers,
    panel_places,
    sound_row,
    sound_strips,
)
from layerstats.plots.sounds_above import SoundsAbove
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("level_1", "level_2", "diff", "conf_low", "conf_high", "interval")
REGION_COLUMNS = ("level_1", "level_2", "start", "end")

# Beside each other, where layers stand below each other.
MOST_PAIRS = 8

MINUS = "\N{MINUS SIGN}"
BANDS = {"simultaneous": "#cccccc", "pointwise": "#8c8c8c", "bootstrap": "#cccccc"}


def difference(
    curve: pd.DataFrame,
    regions: pd.DataFrame | None = None,
    *,
    x: str | None = None,
    x_label: str | None = None,
    value_label: str = ACTIVATION_LABEL,
    above: SoundsAbove | None = None,
) -> ggplot:
    """Draw a difference curve with its bands, and mark the stretches where it differs from zero.

    Parameters
    ----------
    curve : columns `level_1, level_2, <x>, diff, conf_low, conf_high, interval`
        `DifferenceResult.curve`, or several of them stacked: a panel for each pair of levels, and for each `layer`
        where there is that column. Rows of both kinds of interval may be there; the wider band is drawn behind.
    regions : columns `level_1, level_2, start, end`
        `DifferenceResult.regions`, in the units of `x`: marked by a dark strip at the foot of the panel.
    x
        The covariate; by default `time_ms`, `time_s` (drawn in ms) or normalised `time`.
    x_label, value_label
        Titles of the axes, with units.
    above
        Waveforms and phones of one token of each level, the first level's uppermost, see `sounds_above`. What the
        second says at a moment is another phone than what the first says: the difference has no phones of its own.

    Raises
    ------
    DataError
        If a column is missing, the table has no rows, or a region belongs to a pair without a curve.
    ArgumentError
        If there are several layers and more than eight pairs, or sounds run along another axis.
    """
    curve = checked(curve, REQUIRED_COLUMNS, "difference")
    x = x or time_column(curve, "difference")
    check_columns(curve, [x], "the table for the figure 'difference'")
    data = _panels(curve).assign(
        x=on_axis(column(curve, x), x),
        y=curve["diff"],
        low=curve["conf_low"],
        high=curve["conf_high"],
        band=curve["interval"],
    )
    strips, row_inches, data = _sounds(above, data, curve, x)
    kinds = [kind for kind in BANDS if kind in set(data["band"])]
    line = rows(data, data["band"] == kinds[0])
    figure = ggplot(line, aes("x", "y"))
    for kind in kinds:
        figure += geom_ribbon(
            aes(ymin="low", ymax="high", fill="band"), data=rows(data, data["band"] == kind), alpha=0.8
        )
    # Of the panels of curves only: a row of sounds has no zero.
    zero = line.drop_duplicates(["pair", "panel"]).assign(zero=0.0)
    figure += geom_hline(aes(yintercept="zero"), data=zero, linetype="dashed", size=0.5)
    if regions is not None and len(regions):
        figure += _strip(regions, data, x)
        figure += labs(caption=f"Black strip: the {_kind(regions)}interval of the difference excludes zero.")
    figure += geom_line(size=0.9)
    figure += scale_fill_manual(
        values=BANDS, breaks=kinds, labels=[f"{kind} {_level(curve)}interval" for kind in kinds], name=""
    )
    return (
        figure
        + strips
        + _facet(data, x, row_inches)
        + labs(x=x_label or axis_title(x), y=f"Difference in\n{_inside_a_title(value_label)}")
        + _title(data)
    )


def _panels(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the panel of each row: its pair, written as a subtraction, and its layer where there is one."""
    pair = frame["level_1"].astype(str) + f" {MINUS} " + frame["level_2"].astype(str)
    layer = column(frame, "layer") if "layer" in frame.columns else pd.Series("", index=frame.index)
    return pd.DataFrame({"pair": in_order(pd.Series(pair)), "panel": in_order(layer)})


def _strip(regions: pd.DataFrame, data: pd.DataFrame, x: str) -> geom_rect:
    """Draw a strip at the foot of each panel, over the stretches where the interval excludes zero."""
    check_columns(regions, REGION_COLUMNS, "the table of regions for the figure 'difference'")
    regions = regions.reset_index(drop=True)
    where = _panels(regions).astype(str)
    strips = where.assign(start=on_axis(column(regions, "start"), x), end=on_axis(column(regions, "end"), x))
    # Panels of one layer may share a vertical axis, so every panel's strip lies at the same height.
    limits = (
        data.assign(panel=data["panel"].astype(str))
        .groupby("panel")[["low", "high"]]
        .agg({"low": "min", "high": "max"})
    )
    unknown = set(zip(where["pair"], where["panel"], strict=True)) - set(
        zip(data["pair"].astype(str), data["panel"].astype(str), strict=True)
    )
    if unknown:
        pairs = ", ".join(sorted(" ".join(filter(None, pair)) for pair in unknown))
        raise DataError(f"There are regions without a curve: {pairs}. Give curves and regions of the same contrasts.")
    low, high = (limits.loc[list(strips["panel"]), end].to_numpy() for end in ("low", "high"))
    strips = strips.assign(
        bottom=low - 0.08 * (high - low),
        top=low - 0.03 * (high - low),
        pair=pd.Categorical(strips["pair"], categories=data["pair"].cat.categories, ordered=True),
        panel=pd.Categorical(strips["panel"], categories=data["panel"].cat.categories, ordered=True),
    )
    return geom_rect(
        aes(xmin="start", xmax="end", ymin="bottom", ymax="top"), data=strips, inherit_aes=False, fill="black"
    )


def _sounds(
    above: SoundsAbove | None, data: pd.DataFrame, curve: pd.DataFrame, x: str
) -> tuple[list[Any], float, pd.DataFrame]:
    """Return strips of both levels of each pair, their inches, and the data, which may be below a row of them."""
    levels = pd.DataFrame({"pair": data["pair"], "sound": curve["level_1"].astype(str), "place": 1})
    levels = pd.concat([levels, levels.assign(sound=curve["level_2"].astype(str), place=0)]).drop_duplicates()
    pairs, layers = count(column(data, "pair")), list(column(data, "panel").cat.categories)
    columns, width, _, height = _layout(pairs, len(layers))
    per_inch = float(np.ptp(data["x"])) * columns / (width - 1)
    if pairs > 1 and len(layers) > 1:
        strips, inches = sound_strips(above, sound_row(levels, layers), axis=x, per_inch=per_inch)
        return strips, inches, below_sound_row(data, inches)
    places = panel_places(data, ["pair", "panel"], height - 0.4, together=pairs > 1).merge(levels, on="pair")
    strips, inches = sound_strips(above, places, axis=x, per_inch=per_inch)
    return [*strips, *breaks_below(height - 0.4, inches)], inches, data


def _layout(pairs: int, layers: int) -> tuple[int, float, float, float]:
    """Return panels side by side, the figure's width, what it is high without panels, and how high these are."""
    if pairs > 1 and layers > 1:
        return pairs, PAGE_WIDTH * max(1.0, pairs / 4), 1.0, 1.3
    if pairs == layers == 1:
        return 1, 5.0, 1.0, 2.0
    return (3 if max(pairs, layers) <= 9 else 4), PAGE_WIDTH, 1.0, 1.6


def _facet(data: pd.DataFrame, x: str, inches: float) -> list:
    pairs, layers = count(column(data, "pair")), count(column(data, "panel"))
    columns, width, margin, height = _layout(pairs, layers)
    if pairs > 1 and layers > 1:
        if pairs > MOST_PAIRS:
            raise ArgumentError(
                f"A grid of pairs and layers shows at most {MOST_PAIRS} pairs, but got {pairs}. "
                "Draw one layer at a time, or fewer pairs."
            )
        space: Any = {"x": [1.0] * pairs, "y": [inches / 1.1] + [1.0] * layers} if inches else "fixed"
        return [
            facet_grid("panel", "pair", scales="free_y", space=space),
            *breaks_of_layers(inches),
            time_scale(x, pairs),
            paper_theme(width, margin + height * layers + (inches + 0.2 if inches else 0)),
        ]
    if pairs == layers == 1:
        return [time_scale(x, 1), paper_theme(width, margin + height + inches)]
    columns = min(max(pairs, layers), columns)
    rows = -(-max(pairs, layers) // columns)
    facet = facet_wrap("pair" if pairs > 1 else "panel", ncol=columns, scales="fixed" if pairs > 1 else "free_y")
    return [facet, time_scale(x, columns), paper_theme(width, margin + (height + inches) * rows)]


def _inside_a_title(label: str) -> str:
    """Write a label's first word small, unless it is a name such as F2."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def _title(data: pd.DataFrame) -> labs:
    """Name what no strip names."""
    pairs, layers = data["pair"].cat.categories, data["panel"].cat.categories
    parts = [names[0] for names in (pairs, layers) if len(names) == 1 and names[0]]
    return labs(title=", ".join(parts)) if parts else labs()


def _kind(regions: pd.DataFrame) -> str:
    kinds = set(regions["interval"]) if "interval" in regions.columns else set()
    return f"{kinds.pop()} " if len(kinds) == 1 else ""


def _level(curve: pd.DataFrame) -> str:
    levels = set(curve["conf_level"]) if "conf_level" in curve.columns else set()
    return f"{levels.pop() * 100:g} % " if len(levels) == 1 else ""
