"""Which bit goes with which phonological feature?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    element_blank,
    element_text,
    geom_text,
    geom_tile,
    ggplot,
    labs,
    scale_color_identity,
    scale_fill_gradient2,
    theme,
)

from layerstats.checks import check_positive
from layerstats.plots.frames import checked, column
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("bit", "feature", "association", "p_adjusted")


def bit_by_feature(associations: pd.DataFrame, *, alpha: float = 0.05) -> ggplot:
    """Draw the association (phi) of every bit with every feature, and write it in; bold where it holds for words.

    Parameters
    ----------
    associations : columns `bit, feature, association, p_adjusted`
        As from `layerstats.stats.lexical.feature_association`.
    alpha
        Cells are framed and their numbers bold where the adjusted p-value is below it.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    check_positive("alpha", alpha)
    table = checked(associations, REQUIRED_COLUMNS, "bit_by_feature")
    features = list(dict.fromkeys(table["feature"]))
    value = column(table, "association")
    bits = sorted(set(table["bit"]))
    data = table.assign(
        bit=pd.Categorical(table["bit"].astype(str), categories=[str(bit) for bit in bits]),
        feature=pd.Categorical(table["feature"], categories=features[::-1]),
        text=[f"{each:.2f}".replace("-", "\N{MINUS SIGN}") for each in value],
        ink=np.where(value.abs() > 0.6, "white", "black"),
    )
    found = data.loc[data["p_adjusted"] < alpha]
    rest = data.loc[data["p_adjusted"] >= alpha]
    figure = ggplot(data, aes("bit", "feature")) + geom_tile(aes(fill="association"), color="#e6e6e6", size=0.3)
    if len(found):
        figure += geom_tile(data=found, fill=None, color="black", size=0.8, width=0.94, height=0.94)
        figure += geom_text(aes(label="text", color="ink"), data=found, size=7, fontweight="bold")
    if len(rest):
        figure += geom_text(aes(label="text", color="ink"), data=rest, size=7)
    return (
        figure
        + scale_fill_gradient2(low="#b35806", mid="#ffffff", high="#542788", limits=(-1, 1))
        + scale_color_identity()
        + labs(
            x="Bit of the code",
            y="",
            fill="phi",
            caption=f"Framed: adjusted p < {alpha:g} over all cells, by permutation of words.",
        )
        + paper_theme(min(PAGE_WIDTH, 3.2 + 0.5 * len(bits)), 1.2 + max(0.2 * len(features), 1.4))
        + theme(
            panel_grid_major=element_blank(),
            legend_position="right",
            legend_key_width=10,
            legend_title=element_text(size=8),
        )
    )
