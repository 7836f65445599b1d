"""Predicted curves of a GAMM with their bands (Begus & Zhou 2022, Fig. 3 right)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from plotnine import aes, facet_grid, facet_null, facet_wrap, geom_line, geom_ribbon, ggplot, labs

from layerstats.checks import check_choice, check_columns
from layerstats.plots.frames import ACTIVATION_LABEL, axis_title, checked, column, in_order, on_axis, time_column
from layerstats.plots.scales import group_scales, time_scale
from layerstats.plots.sound_strips import (
    below_sound_row,
    breaks_below,
    breaks_of_layers,
    panel_places,
    sound_row,
    sound_strips,
    strips_of_groups,
)
from layerstats.plots.sounds_above import SoundsAbove
from layerstats.plots.theme import FAINT, PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("layer", "fit", "conf_low", "conf_high")

# More curves than this in one panel cannot be followed.
MOST_OVERLAID = 4


def smooths(
    curves: pd.DataFrame,
    *,
    by: str = "word",
    x: str | None = None,
    layout: str = "auto",
    value_label: str = ACTIVATION_LABEL,
    above: SoundsAbove | None = None,
) -> ggplot:
    """Draw the predicted curve of each word at each layer.

    Parameters
    ----------
    curves : columns `layer, word, time_ms, fit, conf_low, conf_high`
        One row for each layer, word and time: `time_ms`, `time_s`, or normalised `time`.
    by
        The column that tells the curves apart.
    x
        The covariate; by default `time_ms`, `time_s` (drawn in ms) or normalised `time`.
    layout : {"auto", "overlay", "facets"}
        All curves of a layer in one panel, or a panel for each with the others in grey behind it; "auto" overlays up to
        four.
    value_label
        Title of the vertical axis, with units.
    above
        Waveform and phones of one token of each curve, see `sounds_above`.

    Raises
    ------
    DataError
        If a column is missing or the table has no rows.
    ArgumentError
        If `layout` is unknown, more than eight curves are to share a panel, or sounds run along another axis.
    """
    check_choice("layout", layout, ("auto", "overlay", "facets"))
    curves = checked(curves, (*REQUIRED_COLUMNS, by), "smooths")
    x = x or time_column(curves, "smooths")
    check_columns(curves, [x], "the table for the figure 'smooths'")
    data = pd.DataFrame(
        {
            "x": on_axis(column(curves, x), x),
            "y": curves["fit"],
            "low": curves["conf_low"],
            "high": curves["conf_high"],
            "group": in_order(column(curves, by)),
            "panel": in_order(column(curves, "layer")),
        }
    )
    groups, layers = list(data["group"].cat.categories), list(data["panel"].cat.categories)
    overlaid = layout == "overlay" or (layout == "auto" and len(groups) <= MOST_OVERLAID)
    figure = (_overlay if overlaid else _facets)(data, groups, layers, x, above)
    # The only layer is named by the title, several by their panels.
    return figure + labs(x=axis_title(x), y=value_label) + (labs(title=layers[0]) if len(layers) == 1 else labs())


def _overlay(data: pd.DataFrame, groups: list[str], layers: list[str], x: str, above: SoundsAbove | None) -> ggplot:
    columns = min(len(layers), 3)
    rows = -(-len(layers) // columns)
    width, height = (PAGE_WIDTH, 1.9) if columns > 1 else (5.0, 2.3)
    strips, inches = strips_of_groups(above, data, groups, x, columns / (width - 1), height - 0.4)
    return (
        ggplot(data, aes("x", "y"))
        + geom_ribbon(aes(ymin="low", ymax="high", fill="group"), alpha=0.2, color="none")
        + geom_line(aes(color="group", linetype="group"), size=0.8)
        + (facet_wrap("panel", scales="free_y", ncol=columns) if len(layers) > 1 else facet_null())
        + strips
        + breaks_below(height - 0.4, inches)
        + group_scales(groups, "color", "fill", "linetype")
        + time_scale(x, columns)
        + paper_theme(width, 0.9 + (height + inches) * rows)
    )


def _facets(data: pd.DataFrame, groups: list[str], layers: list[str], x: str, above: SoundsAbove | None) -> ggplot:
    names = pd.DataFrame({"group": pd.Categorical(groups, categories=groups, ordered=True)})
    names = names.assign(sound=groups, place=0)
    span = float(np.ptp(data["x"]))
    if len(layers) > 1:
        width, beside, height = PAGE_WIDTH * max(1.0, len(groups) / 6), len(groups), 0.7 + 1.3 * len(layers)
        strips, inches = sound_strips(above, sound_row(names, layers), axis=x, per_inch=span * beside / (width - 1))
        data = below_sound_row(data, inches)
        space: Any = {"x": [1.0] * len(groups), "y": [inches / 1.1] + [1.0] * len(layers)} if inches else "fixed"
        facet, axis = facet_grid("panel", "group", scales="free_y", space=space), breaks_of_layers(inches)
        size = (width, height + (inches + 0.2 if inches else 0))
    else:
        beside = 4
        places = panel_places(data.assign(panel=""), ["panel"], 1.2, together=True).merge(names, how="cross")
        strips, inches = sound_strips(above, places, axis=x, per_inch=span * beside / (PAGE_WIDTH - 1))
        facet, axis = facet_wrap("group", ncol=4), breaks_below(1.2, inches)
        size = (PAGE_WIDTH, 0.9 + (1.6 + inches) * -(-len(groups) // 4))
    # Without the group in it, this layer is repeated in every panel of its layer.
    context = data[["x", "y", "panel"]].assign(curve=data["group"].astype(str))
    return (
        ggplot(data, aes("x", "y"))
        + geom_line(aes(group="curve"), data=context, color=FAINT, size=0.3)
        + geom_ribbon(aes(ymin="low", ymax="high"), fill="black", alpha=0.2)
        + geom_line(color="black", size=0.9)
        + facet
        + strips
        + axis
        + time_scale(x, beside)
        + paper_theme(*size)
    )
