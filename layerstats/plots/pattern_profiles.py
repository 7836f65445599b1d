"""Patterns of letters along time or frequency, with bands that hold for the whole profile."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    facet_null,
    facet_wrap,
    geom_hline,
    geom_line,
    geom_ribbon,
    geom_vline,
    ggplot,
    labs,
    scale_x_continuous,
    theme,
)

from layerstats.checks import check_choice
from layerstats.plots.aligned_maps import LAG_LABEL
from layerstats.plots.frames import band_marks, checked, column, count, in_order
from layerstats.plots.scales import group_scales, inner_times
from layerstats.plots.theme import BAND, PAGE_WIDTH, paper_theme

AXES = ("lag_s", "frequency_hz")


def pattern_profiles(
    profiles: pd.DataFrame,
    *,
    x: str = "lag_s",
    facet: str = "label",
    group: str | None = None,
    value_label: str = "Difference from\nthe mean over letters",
) -> ggplot:
    """Draw profiles over time or over frequency with their simultaneous bands, a panel a letter.

    Parameters
    ----------
    profiles : columns `x`, `facet`, `pattern, conf_low, conf_high`
        As `layerstats.stats.pattern_profile` gives them; where `pattern` is missing nothing is drawn.
    x : {"lag_s", "frequency_hz"}
        Along what; bands of frequency are drawn equally far from each other, as the network hears them, and marked in
        Hz.
    facet
        The column that panels stand for.
    group
        A column whose levels are drawn in one panel, for instance a letter's windows and other letters' windows.
    value_label
        Title of the axis, with the unit.

    Raises
    ------
    ArgumentError
        If `x` is another axis.
    DataError
        If a column is missing or there is nothing to draw.
    """
    check_choice("x", x, AXES)
    needed = [x, facet, "pattern", "conf_low", "conf_high", *([group] if group else [])]
    table = checked(profiles, needed, "pattern_profiles").dropna(subset=["pattern"])
    bands = np.unique(table[x].to_numpy())
    over_time = x == "lag_s"
    data = table.assign(
        place=column(table, x) * 1000 if over_time else np.searchsorted(bands, table[x].to_numpy()),
        panel=in_order(column(table, facet)),
        line=in_order(column(table, group)) if group else "",
    )
    panels = count(column(data, "panel"))
    columns = min(panels, 4)
    marks = {} if over_time else band_marks(bands, columns / 14)
    axis: Any = (
        scale_x_continuous(breaks=cast(Any, inner_times), expand=(0, 0))
        if over_time
        else scale_x_continuous(breaks=list(marks), labels=list(marks.values()), expand=(0.07, 0))
    )
    figure = (
        ggplot(data, aes("place", "pattern", group="line"))
        + _band(group)
        + geom_hline(yintercept=0, linetype="dashed", size=0.4)
        + (geom_line(aes(color="line", linetype="line")) if group else geom_line())
        + (facet_wrap("panel", ncol=columns) if panels > 1 else facet_null())
        + axis
        + labs(x=LAG_LABEL if over_time else "Frequency (Hz)", y=value_label)
        + paper_theme(PAGE_WIDTH if columns > 1 else 4.5, 1.1 + 1.25 * -(-panels // columns))
        + theme(panel_spacing=0.015)
    )
    if over_time:
        figure += geom_vline(xintercept=0, linetype="dotted", size=0.35, color="#404040")
    return (
        figure + group_scales(list(column(data, "line").cat.categories), "color", "fill", "linetype")
        if group
        else figure
    )


def _band(group: str | None) -> geom_ribbon:
    """Return bands, each in the colour of its line where there are several."""
    if group is None:
        return geom_ribbon(aes(ymin="conf_low", ymax="conf_high"), fill=BAND, alpha=0.7)
    return geom_ribbon(aes(ymin="conf_low", ymax="conf_high", fill="line"), alpha=0.25)
