"""How maximized speech differs from natural speech over time, in standard deviations of natural speakers."""

from __future__ import annotations

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
)

from layerstats.errors import ArgumentError
from layerstats.plots.difference import MINUS
from layerstats.plots.frames import axis_title, checked, column, count, in_order, on_axis, rows, time_column
from layerstats.plots.scales import time_scale
from layerstats.plots.theme import BAND, FAINT, PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("word", "measure", "level_1", "level_2", "diff", "conf_low", "conf_high", "natural_sd")
MOST_WORDS, MOST_MEASURES = 8, 8
# Where little is heard speakers hardly differ, and a difference in their standard deviations would be endless.
_LEAST_SD = 0.25


def exaggeration_curves(difference: pd.DataFrame) -> ggplot:
    """Draw the difference curves of words and measures with their bands, a row a word and a column a measure.

    Parameters
    ----------
    difference : columns `word, measure, level_1, level_2, time` or `time_ms`, `diff, conf_low, conf_high, natural_sd`
        As in `Exaggeration.difference`. Everything is divided by the standard deviation between natural speakers at
        that time, or a quarter of its mean over time where it is less; the strip is one such standard deviation.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    ArgumentError
        If there are more than eight words or measures, or several pairs of conditions.
    """
    curve = checked(difference, REQUIRED_COLUMNS, "exaggeration_curves")
    x = time_column(curve, "exaggeration_curves")
    words, measures = count(column(curve, "word")), count(column(curve, "measure"))
    if words > MOST_WORDS or measures > MOST_MEASURES:
        raise ArgumentError(
            f"The figure shows {MOST_WORDS} words and {MOST_MEASURES} measures at most, but got {words} and "
            f"{measures}. Choose some of them."
        )
    pairs = curve.loc[:, ["level_1", "level_2"]].drop_duplicates()
    if len(pairs) > 1:
        raise ArgumentError(f"The figure shows one pair of conditions, but got {len(pairs)}. Draw each by itself.")
    means = curve.groupby(["word", "measure"], sort=False)["natural_sd"].transform("mean").to_numpy()
    scale = np.maximum(curve["natural_sd"].to_numpy(), _LEAST_SD * means)
    data = curve.assign(
        x=on_axis(column(curve, x), x),
        y=curve["diff"] / scale,
        low=curve["conf_low"] / scale,
        high=curve["conf_high"] / scale,
        word=in_order(column(curve, "word")),
        measure=in_order(column(curve, "measure").str.replace(" ", "\n", n=1)),
    )
    first = rows(data, ~data.duplicated(["word", "measure"]))
    places = column(data, "x").to_numpy()
    strip = first.assign(bottom=-1.0, top=1.0, start=places.min(), end=places.max())
    facet = facet_wrap("measure", ncol=4) if words == 1 else facet_grid("word", "measure")
    height = 1.5 * (-(-measures // 4) if words == 1 else words)
    title = f"{pairs['level_1'].iloc[0]} {MINUS} {pairs['level_2'].iloc[0]}"
    interval = f"{curve['interval'].iloc[0]} " if "interval" in curve.columns else ""
    return (
        ggplot(data, aes("x", "y"))
        + geom_rect(
            aes(xmin="start", xmax="end", ymin="bottom", ymax="top"), data=strip, inherit_aes=False, fill="#f2f2f2"
        )
        + geom_ribbon(aes(ymin="low", ymax="high"), fill=BAND, alpha=0.9)
        + geom_hline(yintercept=0, linetype="dashed", size=0.4, color=FAINT)
        + geom_line(size=0.7)
        + facet
        + time_scale(x, 4)
        + labs(
            x=axis_title(x),
            y="Difference (natural SD)",
            title=title if words > 1 else f"{curve['word'].iloc[0]}: {title}",
            caption=f"Band: {interval}interval. Strip: one standard deviation between natural speakers either way.",
        )
        + paper_theme(PAGE_WIDTH, 1.2 + height)
    )
