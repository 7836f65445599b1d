"""How much codes say about words, in several networks."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    element_text,
    facet_wrap,
    geom_crossbar,
    geom_errorbar,
    geom_point,
    ggplot,
    labs,
    position_dodge,
    theme,
)

from layerstats.plots.frames import checked, column, in_order
from layerstats.plots.theme import BAND, PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = (
    *("network", "network_seed", "measure", "estimate", "conf_low", "conf_high"),
    *("chance", "chance_low", "chance_high"),
)


def lexical_measures(summary: pd.DataFrame) -> ggplot:
    """Draw the measures of lexical learning of several networks with their intervals, the chance level behind them.

    Parameters
    ----------
    summary : columns `network, network_seed, measure, estimate, conf_low, conf_high, chance, chance_low, chance_high`
        `LexicalLearning.summary` of several networks, one below another; a panel a measure, and beside each other the
        networks of a kind, one a seed.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(summary, REQUIRED_COLUMNS, "lexical_measures")
    data = table.assign(
        network=in_order(column(table, "network")),
        measure=in_order(column(table, "measure")),
        one=table["network"].astype(str) + " " + table["network_seed"].astype(str),
    )
    beside = position_dodge(width=0.8)
    return (
        ggplot(data, aes("network", "estimate", group="one"))
        + geom_crossbar(
            aes(y="chance", ymin="chance_low", ymax="chance_high"),
            position=beside, width=0.6, fill=BAND, color="#8c8c8c", size=0.3, fatten=1.5,
        )
        + geom_errorbar(aes(ymin="conf_low", ymax="conf_high"), position=beside, width=0.35, size=0.5)
        + geom_point(position=beside, size=1.8)
        + facet_wrap("measure", ncol=2, scales="free_y")
        + labs(x="", y="", caption="Points: networks, with intervals over speakers. Grey: chance level.")
        + paper_theme(PAGE_WIDTH, 1.2 + 2.1 * -(-len(set(table["measure"])) // 2))
        + theme(axis_text_x=element_text(rotation=20, ha="right"))
    )  # fmt: skip
