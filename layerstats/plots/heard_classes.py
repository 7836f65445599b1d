"""As what is each maximized class heard? Target by response: the matrix of Soomro et al. 2019, Fig. 5."""

from __future__ import annotations

from typing import Literal

import pandas as pd
from plotnine import (
    aes,
    element_blank,
    element_text,
    facet_wrap,
    geom_text,
    geom_tile,
    ggplot,
    labs,
    scale_color_identity,
    scale_fill_gradient,
    theme,
)

from layerstats.checks import check_choice
from layerstats.errors import DataError
from layerstats.plots.frames import checked, column, count, in_order, rows
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("set_up", "network", "target", "judge", "response", "rate")
# In larger matrices numbers would run into each other.
_MOST_NUMBERS = 12
_SHOWN = {"rate": "Share of {counted}", "mean_score": "Mean score"}
_COUNTED = {
    "starts": "Share of all starts of the target in which the judge hears the word most",
    "answers": "Share of all answers to clips of the target",
}


def heard_classes(
    heard: pd.DataFrame,
    *,
    value: Literal["rate", "mean_score"] = "rate",
    counted: Literal["starts", "answers"] = "starts",
) -> ggplot:
    """Draw what is heard (columns) in each maximized class (rows), a panel a set-up, target network and judge.

    Parameters
    ----------
    heard : columns `set_up, network, target, judge, response, rate` or `mean_score`
        As in `layerstats.stats.success.SuccessMatrix.heard`; choose the pairs to be drawn. Responses that are no target
        stand last.
    value
        "rate", or "mean_score" as the paper has it.
    counted
        What rates are shares of: starts, or the single answers of raters.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    check_choice("value", value, _SHOWN)
    check_choice("counted", counted, _COUNTED)
    table = checked(heard, (*REQUIRED_COLUMNS, value), "heard_classes")
    table = rows(table, table[value].notna())
    if table.empty:
        raise DataError(
            f"There is nothing to draw: no judge in the table for the figure 'heard_classes' has a {value}."
        )
    targets = sorted(set(table["target"]))
    responses = [*targets, *sorted(set(table["response"]) - set(targets))]
    several = count(column(table, "set_up")) > 1
    names = [
        (f"{set_up}: " if several else "") + f"{network}, heard by {judge}"
        for set_up, network, judge in zip(table["set_up"], table["network"], table["judge"], strict=True)
    ]
    shade = column(table, value).clip(0, 1)
    data = table.assign(
        target=pd.Categorical(table["target"], categories=targets[::-1]),
        response=pd.Categorical(table["response"], categories=responses),
        panel=in_order(pd.Series(names, index=table.index)),
        shade=shade,
        ink=shade.gt(0.55).map({True: "white", False: "black"}),
        percent=(100 * shade).round().astype(int).astype(str),
    )
    panels = count(column(data, "panel"))
    beside = 1 if panels == 1 or len(responses) > 20 else 2
    numbers = len(responses) * beside <= 2 * _MOST_NUMBERS
    small = 8 if len(responses) * beside <= 24 else 6
    figure = ggplot(data, aes("response", "target")) + geom_tile(aes(fill="shade"))
    if numbers:
        figure += geom_text(aes(label="percent", color="ink"), size=6)
    height = (0.19 if small == 8 else 0.135) * len(targets)
    return (
        figure
        + facet_wrap("panel", ncol=beside)
        + scale_fill_gradient(low="#ffffff", high="#1a1a1a", limits=(0, 1))
        + scale_color_identity()
        + labs(
            x="Heard",
            y="Target",
            fill=_SHOWN[value].format(counted=counted),
            caption=(
                _COUNTED[counted]
                if value == "rate"
                else "Mean over starts of the target of the score that the judge gives the word"
            )
            + (" (numbers: per cent)." if numbers else "."),
        )
        + paper_theme(PAGE_WIDTH, 1.6 + -(-panels // beside) * (0.35 + max(height, 1.2)))
        + theme(
            panel_grid_major=element_blank(),
            legend_position="right",
            legend_key_width=10,
            legend_title=element_text(size=8),
            axis_text_x=element_text(rotation=90, size=small),
            axis_text_y=element_text(size=small),
        )
    )
