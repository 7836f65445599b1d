"""Does a claim depend on what was chosen? Its effect under every option, the reported analysis marked."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    coord_flip,
    element_text,
    facet_wrap,
    geom_hline,
    geom_linerange,
    geom_point,
    ggplot,
    labs,
    scale_fill_manual,
    theme,
)

from layerstats.errors import DataError
from layerstats.plots.frames import checked, count, in_order
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("claim_key", "choice", "option", "reported", "estimate", "conf_low", "conf_high")


def sensitivity_points(sensitivity: pd.DataFrame, effect_label: str = "Effect (SDs of tokens)") -> ggplot:
    """Draw each claim's effect under every option of every choice, a panel a claim, a line an option.

    A specification curve (Simonsohn, Simmons & Nelson 2020) of the analyses that differ from the reported one in one
    thing: filled points and the dotted line are the reported analysis. Options without numbers have no line.

    Parameters
    ----------
    sensitivity : columns `claim_key, choice, option, reported, estimate, conf_low, conf_high`
        As from `layerstats.stats.sensitivity_of`, or the `sensitivity` of claims.
    effect_label
        What is measured.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(sensitivity, REQUIRED_COLUMNS, "sensitivity_points").dropna(subset=["estimate"])
    if table.empty:
        raise DataError("sensitivity_points: no option has numbers, so that there is nothing to draw.")
    lines = [f"{choice}: {option}" for choice, option in zip(table["choice"], table["option"], strict=True)]
    # Told by the reported options too where all others are missing.
    reported = table["reported"].to_numpy(dtype=bool)
    data = table.assign(
        line=pd.Categorical(lines, categories=list(dict.fromkeys(lines))[::-1]),
        claim=in_order(pd.Series(table["claim_key"])),
        analysis=pd.Categorical(["reported" if one else "other" for one in reported], categories=["reported", "other"]),
    )
    first = data.loc[reported].drop_duplicates("claim_key").loc[:, ["claim", "estimate"]]
    panels = count(pd.Series(data["claim"]))
    beside = min(3, panels)
    return (
        ggplot(data, aes("line", "estimate"))
        + geom_hline(aes(yintercept="estimate"), data=first, linetype="dotted", color="#7f7f7f", size=0.4)
        + geom_linerange(aes(ymin="conf_low", ymax="conf_high"), size=0.5)
        + geom_point(aes(fill="analysis"), shape="o", size=2, color="black")
        + coord_flip()
        + facet_wrap("claim", ncol=beside)
        + scale_fill_manual({"reported": "black", "other": "white"}, name="Analysis")
        + labs(x="", y=effect_label)
        + paper_theme(PAGE_WIDTH, 1.3 + -(-panels // beside) * (0.4 + 0.2 * len(set(lines))))
        + theme(axis_text_y=element_text(ha="right"))
    )
