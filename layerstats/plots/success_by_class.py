"""Success of every class with its interval, and what its nulls reach."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    coord_flip,
    element_text,
    facet_grid,
    geom_errorbar,
    geom_point,
    ggplot,
    guide_legend,
    guides,
    labs,
    position_dodge,
    scale_color_manual,
    scale_shape_manual,
    scale_y_continuous,
    theme,
)

from layerstats.plots.frames import checked, column, in_order, rows
from layerstats.plots.matrix_of_networks import NULL_NAMES
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("set_up", "target", "judge", "measure", "rate", "conf_low", "conf_high")
_INKS = ("#000000", "#8c8c8c", "#4d4d4d", "#b3b3b3", "#666666")
_SHAPES = ("x", "+", "^", "v", "s")


def success_by_class(classes: pd.DataFrame, *, measure: str = "marginal") -> ggplot:
    """Draw success of each class, a column of panels a judge, set-ups beside each other; small marks are nulls.

    Classes stand in the order of the first judge's success in the first set-up.

    Parameters
    ----------
    classes : columns `set_up, target, judge, measure, rate, conf_low, conf_high`, optional `null` and `null_...`
        As in `layerstats.stats.success.Success.classes`; rows of nulls themselves are left out.
    measure
        "marginal" or "joint".

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(classes, REQUIRED_COLUMNS, "success_by_class")
    if "null" in table:
        table = rows(table, table["null"].fillna("") == "")
    table = checked(rows(table, table["measure"] == measure), REQUIRED_COLUMNS, "success_by_class")
    set_ups, judges = list(table["set_up"].unique()), list(table["judge"].unique())
    # The judge that is no part of what was maximized says which classes are hard.
    first = table.loc[(table["set_up"] == set_ups[0]) & (table["judge"] == judges[min(1, len(judges) - 1)])]
    order = first.sort_values(["rate", "target"], ascending=[True, False])["target"].tolist()
    order += sorted(set(table["target"]) - set(order))
    data = table.assign(
        target=pd.Categorical(table["target"], categories=order),
        judge=in_order(column(table, "judge")),
        set_up=in_order(column(table, "set_up")),
    )
    dodge = position_dodge(width=0.6)
    figure = (
        ggplot(data, aes("target", "rate", color="set_up", group="set_up"))
        + geom_errorbar(aes(ymin="conf_low", ymax="conf_high"), position=dodge, width=0, size=0.5)
        + geom_point(position=dodge, size=1.6)
    )
    nulls = [name for name in NULL_NAMES if name in data]
    if nulls:
        known = [data.assign(rate=data[name], null=NULL_NAMES[name]).dropna(subset=["rate"]) for name in nulls]
        marks = pd.concat(known).assign(null=lambda table: in_order(column(table, "null")))
        figure += geom_point(aes(shape="null"), data=marks, position=dodge, size=1.6, stroke=0.4)
        figure += scale_shape_manual(values=_SHAPES[: len(nulls)])
    return (
        figure
        + scale_color_manual(values=_INKS[: len(set_ups)])
        + scale_y_continuous(limits=(0, 1), breaks=(0, 0.5, 1), labels=("0", ".5", "1"))
        + coord_flip()
        + facet_grid(cols="judge")
        + guides(color=guide_legend(order=1), shape=guide_legend(order=2))
        + labs(x="", y=f"Success ({measure})", caption="Points: success, with intervals; other marks: its nulls.")
        + paper_theme(PAGE_WIDTH, 1.5 + 0.16 * len(order) * max(1, 0.7 * len(set_ups)))
        + theme(axis_text_y=element_text(size=7 if len(order) > 20 else 8), legend_key_width=10, legend_box="vertical")
    )
