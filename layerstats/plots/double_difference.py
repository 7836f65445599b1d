"""A contrast on two sides, and below how it differs between them."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    facet_wrap,
    geom_hline,
    geom_line,
    geom_rect,
    geom_ribbon,
    ggplot,
    labs,
)

from layerstats.checks import check_columns
from layerstats.errors import ArgumentError
from layerstats.plots.frames import axis_title, checked, column, in_order, on_axis, time_column
from layerstats.plots.scales import group_scales, time_scale
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

SIDE_COLUMNS = ("layer", "by_level", "level_1", "level_2", "diff", "conf_low", "conf_high")
DIFFERENCE_COLUMNS = ("layer", "level_1", "level_2", "diff", "conf_low", "conf_high")
REGION_COLUMNS = ("layer", "start", "end")
# Panels beside each other.
MOST_LAYERS = 8
MINUS = "\N{MINUS SIGN}"


def double_difference(
    contrasts: pd.DataFrame,
    difference: pd.DataFrame,
    regions: pd.DataFrame | None = None,
    *,
    value_label: str = "Difference in activation",
) -> ggplot:
    """Draw the difference curve of a contrast on each side, and below the double difference with its band.

    Parameters
    ----------
    contrasts : columns `layer, by_level, level_1, level_2, <time>, diff, conf_low, conf_high`
        `ContrastOfContrasts.contrasts`: the upper panels, a line a side.
    difference : columns `layer, level_1, level_2, <time>, diff, conf_low, conf_high`
        `ContrastOfContrasts.difference`: the lower panels.
    regions : columns `layer, start, end`
        `ContrastOfContrasts.regions`: a dark strip where the band of the double difference excludes zero.
    value_label
        Title of the vertical axis, with units: standard deviations of tokens where sides were put in these.

    Raises
    ------
    DataError
        If a column is missing or a table has no rows.
    ArgumentError
        If there are more than eight layers.
    """
    contrasts = checked(contrasts, SIDE_COLUMNS, "double_difference")
    difference = checked(difference, DIFFERENCE_COLUMNS, "double_difference")
    layers = list(pd.unique(difference.loc[:, "layer"]))
    if len(layers) > MOST_LAYERS:
        raise ArgumentError(
            f"At most {MOST_LAYERS} layers stand beside each other, but got {len(layers)}. Draw fewer at a time."
        )
    x = time_column(difference, "double_difference")
    upper = _rows(contrasts, x, column(contrasts, "by_level"), _pair(contrasts))
    double = _pair(difference)
    lower = _rows(difference, x, double, double)
    data = pd.concat([upper, lower], ignore_index=True)
    panels = [f"{layer}\n{name}" for part in (upper, lower) for name in _one(part) for layer in layers]
    data["panel"] = pd.Categorical(data["panel"], categories=list(dict.fromkeys(panels)), ordered=True)
    groups = in_order(column(data, "group"))
    figure = (
        ggplot(data.assign(group=groups), aes("x", "y"))
        + geom_ribbon(aes(ymin="low", ymax="high", fill="group"), alpha=0.25, color="none")
        + geom_hline(yintercept=0, linetype="dashed", size=0.5)
        + geom_line(aes(color="group", linetype="group"), size=0.9)
    )
    if regions is not None and len(regions):
        figure += _strip(regions, lower, x, panels)
        figure += labs(caption="Black strip: the interval of the double difference excludes zero.")
    return (
        figure
        + facet_wrap("panel", nrow=2, scales="free_y")
        + time_scale(x, len(layers))
        + group_scales([str(name) for name in groups.cat.categories], "color", "fill", "linetype")
        + labs(x=axis_title(x), y=value_label)
        + paper_theme(max(5.0, PAGE_WIDTH * min(1.0, len(layers) / 3)), 4.6)
    )


def _pair(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(frame["level_1"].astype(str) + f" {MINUS} " + frame["level_2"].astype(str))


def _rows(frame: pd.DataFrame, x: str, group: pd.Series, name: pd.Series) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": on_axis(column(frame, x), x),
            "y": frame["diff"],
            "low": frame["conf_low"],
            "high": frame["conf_high"],
            "group": group.astype(str),
            "layer": frame["layer"].astype(str),
            "name": name,
            "panel": frame["layer"].astype(str) + "\n" + name,
        }
    )


def _one(part: pd.DataFrame) -> list[str]:
    return [str(name) for name in pd.unique(part.loc[:, "name"])]


def _strip(regions: pd.DataFrame, lower: pd.DataFrame, x: str, panels: list[str]) -> geom_rect:
    """Draw a strip at the foot of the lower panels."""
    check_columns(regions, REGION_COLUMNS, "the table of regions for the figure 'double_difference'")
    limits = lower.groupby("layer").agg(low=("low", "min"), high=("high", "max"), panel=("panel", "first"))
    own = limits.loc[[str(layer) for layer in regions["layer"]]].reset_index(drop=True)
    height = own["high"] - own["low"]
    strips = pd.DataFrame(
        {
            "start": on_axis(column(regions, "start"), x).to_numpy(),
            "end": on_axis(column(regions, "end"), x).to_numpy(),
            "bottom": own["low"] - 0.08 * height,
            "top": own["low"] - 0.03 * height,
            "panel": pd.Categorical(own["panel"], categories=list(dict.fromkeys(panels)), ordered=True),
        }
    )
    return geom_rect(
        aes(xmin="start", xmax="end", ymin="bottom", ymax="top"), data=strips, inherit_aes=False, fill="black"
    )
