"""How kind and how strict raters are: the mean of every rater with its interval."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    element_blank,
    element_text,
    geom_hline,
    geom_linerange,
    geom_point,
    ggplot,
    labs,
    scale_y_continuous,
    theme,
)

from layerstats.plots.frames import checked, column
from layerstats.plots.theme import FAINT, PAGE_WIDTH, paper_theme

# More names than this run into each other.
_MOST_NAMES = 40


def rater_means(
    raters: pd.DataFrame, *, limits: tuple[float, float] = (1, 5), estimate: str = "estimate", caption: str = ""
) -> ggplot:
    """Draw the mean rating of every rater, the strictest first; the line is the mean over raters.

    Parameters
    ----------
    raters : columns `rater, estimate, conf_low, conf_high`
        As from `layerstats.stats.rating_means(by="rater")`.
    limits
        Ends of the scale, which the axis shows whole.
    estimate
        Column of the means.
    caption
        Below the figure.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(raters, ["rater", estimate, "conf_low", "conf_high"], "rater_means")
    table = table.sort_values([estimate, "rater"], ignore_index=True)
    names = table["rater"].astype(str).tolist()
    many = len(names) > _MOST_NAMES
    data = table.assign(_rater=pd.Categorical(names, categories=names, ordered=True))
    size = 0.8 if many else 1.8
    points = [float(value) for value in range(int(limits[0]), int(limits[1]) + 1)]
    return (
        ggplot(data, aes("_rater", estimate))
        + geom_hline(yintercept=float(column(table, estimate).mean()), color=FAINT, size=0.5)
        + geom_linerange(aes(ymin="conf_low", ymax="conf_high"), na_rm=True, size=0.3 if many else 0.5)
        + geom_point(size=size)
        + scale_y_continuous(limits=limits, breaks=points, expand=(0.02, 0))
        + labs(x=f"{len(names)} raters" if many else "Rater", y="Mean rating", caption=caption)
        + paper_theme(PAGE_WIDTH, 3.0)
        + theme(
            axis_text_x=element_blank() if many else element_text(rotation=90, size=7),
            axis_ticks_major_x=element_blank(),
            panel_grid_major_x=element_blank(),
        )
    )
