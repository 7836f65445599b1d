"""Predicted curves of a GAMM with their bands (Begus & Zhou 2022, Fig. 3 right)."""

from __future__ import annotations

import pandas as pd
from plotnine import aes, facet_grid, facet_null, facet_wrap, geom_line, geom_ribbon, ggplot, labs

from layerstats.checks import check_choice, check_columns
from layerstats.plots.frames import ACTIVATION_LABEL, axis_title, checked, column, in_order, on_axis, time_column
from layerstats.plots.scales import group_scales, time_scale
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

    Raises
    ------
    DataError
        If a column is missing or the table has no rows.
    ArgumentError
        If `layout` is unknown, or more than eight curves are to share a panel.
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
    figure = (_overlay if overlaid else _facets)(data, groups, layers, x)
    # The only layer is named by the title, several by their panels.
    return figure + labs(x=axis_title(x), y=value_label) + (labs(title=layers[0]) if len(layers) == 1 else labs())


def _overlay(data: pd.DataFrame, groups: list[str], layers: list[str], x: str) -> ggplot:
    columns = min(len(layers), 3)
    rows = -(-len(layers) // columns)
    return (
        ggplot(data, aes("x", "y"))
        + geom_ribbon(aes(ymin="low", ymax="high", fill="group"), alpha=0.2, color="none")
        + geom_line(aes(color="group", linetype="group"), size=0.8)
        + (facet_wrap("panel", scales="free_y", ncol=columns) if len(layers) > 1 else facet_null())
        + group_scales(groups, "color", "fill", "linetype")
        + time_scale(x, columns)
        + paper_theme(PAGE_WIDTH if columns > 1 else 5, 0.9 + (1.9 if columns > 1 else 2.3) * rows)
    )


def _facets(data: pd.DataFrame, groups: list[str], layers: list[str], x: str) -> ggplot:
    # Without the group in it, this layer is repeated in every panel of its layer.
    context = data[["x", "y", "panel"]].assign(curve=data["group"].astype(str))
    if len(layers) > 1:
        facet, beside = facet_grid("panel", "group", scales="free_y"), len(groups)
        size = (PAGE_WIDTH * max(1.0, len(groups) / 6), 0.7 + 1.3 * len(layers))
    else:
        facet, beside = facet_wrap("group", ncol=4), 4
        size = (PAGE_WIDTH, 0.9 + 1.6 * -(-len(groups) // 4))
    return (
        ggplot(data, aes("x", "y"))
        + geom_line(aes(group="curve"), data=context, color=FAINT, size=0.3)
        + geom_ribbon(aes(ymin="low", ymax="high"), fill="black", alpha=0.2)
        + geom_line(color="black", size=0.9)
        + facet
        + time_scale(x, beside)
        + paper_theme(*size)
    )
