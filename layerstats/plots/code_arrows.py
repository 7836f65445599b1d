"""Where codes move in maximization: a plane with arrows from before to after (Soomro et al. 2019, Fig. 4)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    arrow,
    coord_fixed,
    geom_point,
    geom_segment,
    ggplot,
    labs,
    theme,
)

from layerstats.checks import check_choice
from layerstats.plots.frames import checked, column, in_order, rows
from layerstats.plots.scales import group_scales
from layerstats.plots.theme import paper_theme

REQUIRED_COLUMNS = ("start_name", "word", "speaker", "misclassified", "moment", "axis_1", "axis_2")


def code_arrows(
    points: pd.DataFrame,
    color: str = "word",
    *,
    misclassified: bool = True,
    explained: np.ndarray | None = None,
    note: str = "",
) -> ggplot:
    """Draw codes before (hollow) and after maximization (filled), an arrow each, coloured by word or by speaker.

    Parameters
    ----------
    points : columns `start_name, word, speaker, misclassified, moment, axis_1, axis_2`
        As in `CodeProjection.points`.
    color
        "word" or "speaker".
    misclassified
        Arrows for starts that the network heard as another word before, and for these only, as in the paper; the others
        are small points where they end. False draws all arrows.
    explained
        Of a PCA, the shares of variance of both axes, for their titles.
    note
        A sentence for the caption, such as the settings of a t-SNE.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    ArgumentError
        If there are more than eight words or speakers.
    """
    check_choice("color", color, ("word", "speaker"))
    data = checked(points, REQUIRED_COLUMNS, "code_arrows")
    groups = list(in_order(column(data, color)).cat.categories)
    data = data.assign(group=pd.Categorical(data[color].astype(str), categories=groups, ordered=True))
    moving = data["misclassified"].astype(bool) if misclassified else pd.Series(True, index=data.index)
    before, after = (rows(data, data["moment"] == moment) for moment in ("before", "after"))
    ends = after.loc[:, ["start_name", "axis_1", "axis_2"]].rename(columns={"axis_1": "end_1", "axis_2": "end_2"})
    arrows = rows(before, moving.loc[before.index]).merge(ends, on="start_name")
    ended = rows(after, moving.loc[after.index])
    shares = ["", ""] if explained is None or np.isnan(explained).any() else [f" ({one:.0%})" for one in explained]
    what = "Arrows: starts that were misclassified before" if misclassified else "Arrows: all starts"
    figure = ggplot(data, aes("axis_1", "axis_2", color="group"))
    if misclassified:
        figure += geom_point(data=rows(after, ~moving.loc[after.index]), size=0.8, stroke=0.2, alpha=0.6)
    return (
        figure
        + geom_segment(
            aes(xend="end_1", yend="end_2"), data=arrows, size=0.4, alpha=0.8, arrow=arrow(length=0.09, type="closed")
        )
        + geom_point(aes(shape="group"), data=arrows, size=1.8, stroke=0.5, fill="white")
        + geom_point(aes(shape="group", fill="group"), data=ended, size=1.0, stroke=0.3)
        + group_scales(groups, "color", "fill", "shape")
        + coord_fixed()
        + labs(
            x=f"Axis 1{shares[0]}",
            y=f"Axis 2{shares[1]}",
            caption=f"{what}, hollow before and filled after maximization.{chr(10) + note if note else ''}",
        )
        + paper_theme(5.5, 4.2)
        + theme(legend_position="right", legend_key_width=12)
    )
