"""How often each point of a scale was given: shares of ratings by condition, stacked."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    coord_flip,
    geom_col,
    geom_text,
    ggplot,
    labs,
    position_stack,
    scale_color_identity,
    scale_fill_manual,
    scale_y_continuous,
    theme,
)

from layerstats.plots.frames import axis_title, checked, column
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

# Parts below this have no room for a number.
_NUMBERED = 0.06


def rating_shares(distribution: pd.DataFrame, across: str, *, caption: str = "") -> ggplot:
    """Draw the shares of every rating, a bar a condition: the lightest part is the lowest rating.

    Parameters
    ----------
    distribution : columns of `across`, `rating`, `share`
        As from `layerstats.stats.rating_distribution`; bars stand in the order of their mean rating.
    across
        Column whose levels have a bar each.
    caption
        Below the figure.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(distribution, [across, "rating", "share"], "rating_shares")
    points = sorted(set(table["rating"].tolist()))
    names = [f"{point:g}" for point in points]
    bars = table.assign(_bar=table[across].astype(str), mean=column(table, "rating") * column(table, "share"))
    order = (
        pd.DataFrame(bars.groupby("_bar")["mean"].sum()).reset_index().sort_values(["mean", "_bar"])["_bar"].tolist()
    )
    greys = np.linspace(0.93, 0.12, len(points)) if len(points) > 1 else np.array([0.5])
    inks = ["white" if grey < 0.55 else "black" for grey in greys]
    data = table.assign(
        _bar=pd.Categorical(table[across].astype(str), categories=order, ordered=True),
        _rating=pd.Categorical([f"{value:g}" for value in table["rating"]], categories=names[::-1], ordered=True),
        ink=[inks[points.index(value)] for value in table["rating"]],
        percent=[f"{100 * share:.0f}" if share >= _NUMBERED else "" for share in table["share"]],
    )
    return (
        ggplot(data, aes("_bar", "share", fill="_rating", group="_rating"))
        + geom_col(width=0.8, color="white", size=0.3)
        + geom_text(aes(label="percent", color="ink"), position=position_stack(vjust=0.5), size=6)
        + scale_fill_manual(
            values={name: html_grey(grey) for name, grey in zip(names, greys, strict=True)}, breaks=names
        )
        + scale_color_identity()
        + scale_y_continuous(breaks=[0, 0.25, 0.5, 0.75, 1], expand=(0.01, 0))
        + coord_flip()
        + labs(x=axis_title(across), y="Share of ratings (numbers: per cent)", caption=caption)
        + paper_theme(PAGE_WIDTH, 1.3 + 0.24 * max(len(order), 2))
        + theme(legend_key_width=12)
    )


def html_grey(grey: float) -> str:
    """Return a level of grey as a colour of HTML.

    Examples
    --------
    >>> html_grey(1.0)
    '#ffffff'
    """
    return "#" + f"{round(255 * grey):02x}" * 3
