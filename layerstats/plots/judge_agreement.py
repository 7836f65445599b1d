"""Do machine judges recognise what people recognise? Agreement with each judge beside its null."""

from __future__ import annotations

import pandas as pd
from plotnine import aes, coord_flip, facet_wrap, geom_hline, geom_linerange, geom_point, geom_text, ggplot, labs

from layerstats.plots.frames import checked, column, count, in_order
from layerstats.plots.theme import FAINT, PAGE_WIDTH, paper_theme
from layerstats.tables.format import format_value

REQUIRED_COLUMNS = ("judge", "measure", "estimate", "conf_low", "conf_high")


def judge_agreement(agreement: pd.DataFrame, *, caption: str = "") -> ggplot:
    """Draw how far each machine judge agrees with people about clips, a panel a measure; 0 is no agreement.

    Parameters
    ----------
    agreement : columns `judge, measure, estimate, conf_low, conf_high`, optional `p_adjusted, null_low, null_high`
        As from `layerstats.stats.judge_agreement`: judges in the order of the table; the wide pale line is where
        clips permuted within classes lie.
    caption
        Below the figure.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(agreement, REQUIRED_COLUMNS, "judge_agreement")
    judges = list(dict.fromkeys(table["judge"].astype(str)))
    data = table.assign(
        _judge=pd.Categorical(table["judge"].astype(str), categories=judges[::-1], ordered=True),
        _measure=in_order(column(table, "measure")),
    )
    panels = count(column(table, "measure"))
    figure = ggplot(data, aes("_judge", "estimate")) + geom_hline(yintercept=0, color="#7f7f7f", size=0.4)
    said = "Points: agreement with intervals."
    if {"null_low", "null_high"} <= set(table):
        figure += geom_linerange(aes(ymin="null_low", ymax="null_high"), na_rm=True, size=4, color=FAINT, alpha=0.5)
        said += " Grey: where clips that are permuted within classes lie."
    figure += geom_linerange(aes(ymin="conf_low", ymax="conf_high"), na_rm=True, size=0.6)
    figure += geom_point(size=1.8)
    if "p_adjusted" in table:
        texts = [format_value(float(value), "p") if value == value else "" for value in table["p_adjusted"]]
        labels = ["" if not text else f"p {text}" if text[0] == "<" else f"p = {text}" for text in texts]
        figure.data = data = data.assign(p=labels)
        figure += geom_text(aes(label="p"), nudge_x=0.32, size=6)
    return (
        figure
        + facet_wrap("_measure", ncol=min(panels, 2), scales="free_x")
        + coord_flip()
        + labs(x="", y="Agreement with people", caption=said + (f"\n{caption}" if caption else ""))
        + paper_theme(PAGE_WIDTH if panels > 1 else 5.5, 1.3 + -(-panels // 2) * (0.3 + max(0.34 * len(judges), 0.5)))
    )
