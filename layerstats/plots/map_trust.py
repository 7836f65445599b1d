"""How far maps of one recording can be trusted: where they lie, what they agree with, what follows from them."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    element_text,
    facet_wrap,
    geom_errorbarh,
    geom_point,
    ggplot,
    guide_legend,
    guides,
    labs,
    theme,
)

from layerstats.errors import DataError
from layerstats.plots.frames import checked, column, count, in_order, rows
from layerstats.plots.scales import group_scales
from layerstats.plots.theme import PAGE_WIDTH, paper_theme
from layerstats.tables.readable_names import readable_name

REQUIRED_COLUMNS = (
    *("measure", "map", "condition", "baseline", "by", "unit"),
    *("estimate", "conf_low", "conf_high", "baseline_estimate"),
)
_COLUMNS = 2


def map_trust(table: pd.DataFrame, by: str = "phone_class") -> ggplot:
    """Draw every measure with its interval and the baselines that it is to be held against, a panel a measure.

    Parameters
    ----------
    table : columns `measure, map, condition, baseline, by, unit, estimate, conf_low, conf_high, baseline_estimate`
        As in `Trust.table`. Of measures that were told apart by this column of `by`, each level has a line besides that
        of all; of others, each condition (another rule, what stands in place of speech, the layer with random weights).
    by
        "phone_class", "phone" or "speaker".

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    given = checked(table, REQUIRED_COLUMNS, "map_trust")
    told = column(given, "measure").isin(given.loc[given["by"] == by, "measure"].tolist())
    data = rows(given, (given["by"] == "all") | (told & (given["by"] == by)))
    if data.empty:
        raise DataError(f"There is nothing to draw: no row of the table is over all, or by {by!r}.")
    data = data.assign(
        panel=in_order(column(data, "measure").str.replace(": ", ":\n")), line=_lines(data, told.loc[data.index])
    )
    maps = data.assign(series=data["map"].astype(str))
    baselines = data.assign(series=data["baseline"].astype(str), estimate=data["baseline_estimate"])
    baselines[["conf_low", "conf_high"]] = float("nan")
    both = pd.concat([maps, baselines], ignore_index=True).drop_duplicates(["panel", "line", "series"])
    series, lines = (list(dict.fromkeys(both[name])) for name in ("series", "line"))
    both = both.assign(
        line=pd.Categorical(both["line"], categories=lines[::-1], ordered=True),
        series=pd.Categorical(both["series"], categories=series, ordered=True),
    )
    panels = count(column(both, "panel"))
    longest = max(count(column(own, "line")) for _, own in both.groupby("panel", observed=True))
    height = -(-panels // _COLUMNS) * (0.75 + 0.17 * longest) + 0.8
    return (
        ggplot(both, aes("estimate", "line", color="series"))
        + geom_errorbarh(aes(xmin="conf_low", xmax="conf_high"), height=0.25, size=0.5, na_rm=True)
        + geom_point(aes(shape="series", fill="series"), size=1.8, stroke=0.3, na_rm=True)
        + facet_wrap("panel", ncol=_COLUMNS, scales="free")
        + group_scales(series, "color", "fill", "shape")
        + guides(color=guide_legend(ncol=3), fill=guide_legend(ncol=3), shape=guide_legend(ncol=3))
        + labs(x="Mean over speakers", y="")
        + paper_theme(PAGE_WIDTH, height)
        + theme(axis_text_y=element_text(size=7))
    )


def _lines(data: pd.DataFrame, told: pd.Series) -> pd.Series:
    """Return what each row is of: its phone class or speaker where they are told apart, else its condition."""
    conditions = {measure: count(column(own, "condition")) for measure, own in data.groupby("measure")}
    several = told & column(data, "measure").map(conditions.get).gt(1)
    condition = column(data, "condition").astype(str)
    named = column(data, "unit").astype(str).map(readable_name).where(told, condition)
    return named.where(~several, named + ", " + condition)
