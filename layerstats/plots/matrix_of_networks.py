"""Whose maximizations does who hear? Target networks by judges, each cell with its rate, interval and null."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    element_blank,
    element_text,
    facet_wrap,
    geom_text,
    geom_tile,
    geom_vline,
    ggplot,
    labs,
    scale_color_identity,
    scale_fill_gradient,
    theme,
)

from layerstats.plots.frames import checked, column, count, in_order
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("set_up", "network", "judge", "rate", "conf_low", "conf_high")
NULL_NAMES = {
    "null_zero_steps": "zero steps",
    "null_random_direction": "random direction",
    "null_untrained": "untrained",
    "null_shuffled": "shuffled labels",
    "null_natural": "natural exemplars",
}
_MEANS = ("all networks", "other networks")
# Of a cell, in inches: three lines of letters, and the widest of them.
_CELL = (0.72, 0.46)


def matrix_of_networks(networks: pd.DataFrame, *, null: str | None = None) -> ggplot:
    """Draw success of every target network (row) by every judge (column): rate, interval, and the rate of a null.

    Networks stand first among the judges, in the order of the rows, so that the diagonal is what each hears in its own
    maximizations; then the mean over other networks, then recognisers and people.

    Parameters
    ----------
    networks : columns `set_up, network, judge, rate, conf_low, conf_high`
        As in `layerstats.stats.success.SuccessMatrix.networks`; a panel a set-up.
    null
        Which null stands in brackets, "zero_steps" for instance; by default the first there is of zero steps, random
        direction, untrained, shuffled and natural. "" for none.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(networks, REQUIRED_COLUMNS, "matrix_of_networks")
    there = [name for name in NULL_NAMES if name in table]
    shown = (there[0] if there else "") if null is None else (f"null_{null}" if null else "")
    if shown:
        table = checked(table, [shown], "matrix_of_networks")
    rows = sorted(set(table["network"]) - {_MEANS[0]}) + [name for name in _MEANS[:1] if name in set(table["network"])]
    others = sorted(set(table["judge"]) - set(rows) - {_MEANS[1]})
    judges = [name for name in [*rows, _MEANS[1], *others] if name in set(table["judge"])]
    data = table.assign(
        network=pd.Categorical(table["network"], categories=rows[::-1]),
        judge=pd.Categorical(table["judge"], categories=judges),
        set_up=in_order(column(table, "set_up")),
        ink=column(table, "rate").gt(0.55).map({True: "white", False: "black"}),
        label=[_label(row, shown) for row in table.to_dict("records")],
    )
    own = data.loc[table["network"] == table["judge"]]
    panels = count(column(data, "set_up"))
    beside = 2 if panels > 1 and len(judges) <= 4 else 1
    peers = sum(name in rows for name in judges) + 0.5
    figure = ggplot(data, aes("judge", "network")) + geom_tile(aes(fill="rate"), color="#e6e6e6", size=0.3)
    if 0.5 < peers < len(judges):
        figure += geom_vline(xintercept=peers, color="white", size=2)
    if len(own):
        figure += geom_tile(data=own, fill=None, color="black", size=0.8, width=0.96, height=0.94)
    return (
        figure
        + geom_text(aes(label="label", color="ink"), size=6, lineheight=1.1)
        + facet_wrap("set_up", ncol=beside)
        + scale_fill_gradient(low="#f2f2f2", high="#1a1a1a", limits=(0, 1))
        + scale_color_identity()
        + labs(
            x="Judge",
            y="Target network",
            fill="Success",
            caption="Per cent of starts heard as their target, every class counting the same; below its interval"
            + (f";\nin brackets the null: {NULL_NAMES[shown]}" if shown else "")
            + ("." if not len(own) else ".\nFramed: what a network hears in its own maximizations."),
        )
        + paper_theme(
            min(PAGE_WIDTH, 2.6 + beside * _CELL[0] * len(judges)),
            1.7 + -(-panels // beside) * (0.3 + _CELL[1] * len(rows)),
        )
        + theme(
            panel_grid_major=element_blank(),
            legend_position="right",
            legend_key_width=10,
            legend_title=element_text(size=8),
            axis_text_x=element_text(rotation=90),
        )
    )


def _label(row: dict, null: str) -> str:
    lines = [f"{100 * row['rate']:.0f}", f"{100 * row['conf_low']:.0f}\N{EN DASH}{100 * row['conf_high']:.0f}"]
    if null and np.isfinite(row[null]):
        lines.append(f"({100 * row[null]:.0f})")
    return "\n".join(lines)
