"""How often a target is heard as maximization goes on, prior by prior."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    facet_grid,
    geom_line,
    geom_point,
    geom_ribbon,
    ggplot,
    labs,
    scale_y_continuous,
    theme,
)

from layerstats.plots.frames import checked, column, in_order
from layerstats.plots.scales import group_scales
from layerstats.plots.theme import PAGE_WIDTH, paper_theme
from layerstats.tables.readable_names import readable_name

REQUIRED_COLUMNS = ("set_up", "null", "judge", "along", "place", "rate", "conf_low", "conf_high")
_TITLES = {"steps": "Steps", "displacement": "Distance in what the network hears"}


def ladder(curves: pd.DataFrame) -> ggplot:
    """Draw success along the steps and at equal displacement: a row of panels a judge, a line a set-up.

    Parameters
    ----------
    curves : columns `set_up, null, judge, along, place, rate, conf_low, conf_high`
        `Ladder.curves`: `along` is "steps" or "displacement", `place` where on it. Nulls are drawn as lines of their
        own.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    ArgumentError
        If there are more than eight lines.
    """
    table = checked(curves, REQUIRED_COLUMNS, "ladder")
    null = column(table, "null").astype(str)
    line = column(table, "set_up").astype(str) + null.where(null == "", ", " + null.map(readable_name))
    data = table.assign(
        line=in_order(line),
        judge=in_order(column(table, "judge")),
        along=pd.Categorical(
            column(table, "along").astype(str).map(_TITLES.get), categories=list(_TITLES.values()), ordered=True
        ),
    )
    names = list(data["line"].cat.categories)
    return (
        ggplot(data, aes("place", "rate", group="line"))
        + geom_ribbon(aes(ymin="conf_low", ymax="conf_high", fill="line"), alpha=0.2)
        + geom_line(aes(color="line", linetype="line"), size=0.7)
        + geom_point(aes(color="line", shape="line"), size=1.6)
        + facet_grid("judge", "along", scales="free_x")
        + group_scales(names, "color", "fill", "linetype", "shape")
        + scale_y_continuous(limits=(0, 1), breaks=[0, 0.5, 1])
        + labs(x="", y="Share of starts heard as their target")
        + paper_theme(PAGE_WIDTH, 1.2 + 1.7 * len(data["judge"].cat.categories))
        + theme(legend_key_width=22)
    )
