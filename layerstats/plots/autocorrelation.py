"""Autocorrelation of residuals within series."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    facet_null,
    facet_wrap,
    geom_hline,
    geom_line,
    geom_point,
    geom_segment,
    ggplot,
    labs,
    scale_x_continuous,
)

from layerstats.plots.frames import checked, column, count, in_order, rows
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("lag", "autocorrelation")


def autocorrelation(frame: pd.DataFrame, *, facet: str = "layer") -> ggplot:
    """Draw the autocorrelation of residuals, lag by lag, with the limits that independent errors stay within.

    Parameters
    ----------
    frame : columns `lag, autocorrelation`, optionally `limit`, `implied` and `layer`
        `GammResult.autocorrelation`, or several of them stacked. Limits are drawn at plus and minus `limit`, about
        `implied` where it is there: what the model leaves although its errors are independent.
    facet
        The column that panels stand for, where the frame has it.

    Raises
    ------
    DataError
        If a column is missing or the table has no rows.
    """
    frame = checked(frame, REQUIRED_COLUMNS, "autocorrelation")
    data = pd.DataFrame({"x": frame["lag"], "y": frame["autocorrelation"]})
    data["panel"] = in_order(column(frame, facet)) if facet in frame.columns else ""
    panels = count(column(data, "panel"))
    columns = min(panels, 3)
    figure = (
        ggplot(data, aes("x", "y"))
        + geom_hline(yintercept=0, size=0.4)
        + geom_segment(aes(xend="x"), yend=0, size=0.6)
        + geom_point(size=1)
        + scale_x_continuous(breaks=_whole_numbers)
        + labs(x="Lag (samples)", y="Autocorrelation of residuals")
        + paper_theme(PAGE_WIDTH if columns > 1 else 3.4, 0.7 + 1.6 * -(-panels // columns))
    )
    if "limit" in frame.columns:
        centre = frame["implied"].fillna(0) if "implied" in frame.columns else 0
        limits = data.assign(high=centre + frame["limit"], low=centre - frame["limit"])
        limits = rows(limits, limits["x"] > 0)  # at lag 0 it is always 1
        for end in ("low", "high"):
            figure += geom_line(aes(y=end), data=limits, linetype="dashed", size=0.4)
    return figure + (facet_wrap("panel", ncol=columns) if panels > 1 else facet_null())


def _whole_numbers(limits: tuple[float, float]) -> list[int]:
    """Lags to label: about five, and no fractions."""
    last = int(limits[1])
    return list(range(0, last + 1, max(1, round(last / 5))))
