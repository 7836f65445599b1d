"""How near what layers give of maximized inputs is to what they give of natural ones of the same word."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    element_text,
    facet_null,
    facet_wrap,
    geom_errorbar,
    geom_hline,
    geom_line,
    geom_point,
    ggplot,
    labs,
    scale_x_continuous,
    theme,
)

from layerstats.plots.frames import checked, column, count, in_order
from layerstats.plots.scales import group_scales
from layerstats.plots.theme import FAINT, PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("network", "network_seed", "layer", "condition", "path_similarity", "conf_low", "conf_high")
# Share of the distance between two layers that conditions stand on.
_SPREAD = 0.4


def path_similarity(table: pd.DataFrame) -> ggplot:
    """Draw the path similarity of each condition at each layer with its interval, a panel a network.

    Parameters
    ----------
    table : columns `network, network_seed, layer, condition, path_similarity, conf_low, conf_high`
        As in `PathComparison.table`. The lines at 0 and 1 are natural items of different words and of the same word.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    ArgumentError
        If there are more than eight conditions.
    """
    data = checked(table, REQUIRED_COLUMNS, "path_similarity")
    conditions = list(in_order(column(data, "condition")).cat.categories)
    layers = list(in_order(column(data, "layer")).cat.categories)
    names = data["network"].astype(str) + ", seed " + data["network_seed"].astype(str)
    if "trained" in data.columns:
        names = names.where(data["trained"].astype(bool), "untrained " + names)
    step = _SPREAD / max(len(conditions), 1)
    shift = {name: (index - (len(conditions) - 1) / 2) * step for index, name in enumerate(conditions)}
    position = {layer: float(index) for index, layer in enumerate(layers)}
    data = data.assign(
        x=data["layer"].astype(str).map(position.get) + data["condition"].astype(str).map(shift.get),
        condition=pd.Categorical(data["condition"].astype(str), categories=conditions, ordered=True),
        panel=in_order(pd.Series(names)),
    )
    panels = count(column(data, "panel"))
    columns = min(panels, 2)
    return (
        ggplot(data, aes("x", "path_similarity", color="condition"))
        + geom_hline(yintercept=[0, 1], linetype="dashed", size=0.5, color=FAINT)
        + geom_line(aes(group="condition"), size=0.4, alpha=0.45)
        + geom_errorbar(aes(ymin="conf_low", ymax="conf_high"), width=0.05, size=0.6)
        + geom_point(aes(shape="condition", fill="condition"), size=2.0, stroke=0.3)
        + group_scales(conditions, "color", "fill", "shape")
        + scale_x_continuous(
            breaks=list(range(len(layers))),
            labels=layers,
            minor_breaks=[],
            limits=(-0.5, len(layers) - 0.5),
            expand=(0, 0),
        )
        + (facet_wrap("panel", ncol=columns) if panels > 1 else facet_null())
        + labs(
            x="Layer",
            y="Path similarity",
            caption="1: as like natural items of the word as these are to each other; 0: as those of other words.",
        )
        + paper_theme(PAGE_WIDTH if columns > 1 else 5.5, 1.3 + 2.2 * -(-panels // columns))
        + theme(axis_text_x=_tilted(layers, columns))
    )


def _tilted(layers: list[str], columns: int) -> element_text:
    """Turn the names of layers where they would run into each other."""
    crowded = columns * sum(map(len, layers)) > 50
    return element_text(size=8, rotation=40 if crowded else 0, ha="right" if crowded else "center")
