"""Do codes move farther where the network was unsure? Displacement against the margin before maximization."""

from __future__ import annotations

import pandas as pd
from plotnine import aes, geom_point, geom_vline, ggplot, labs

from layerstats.plots.frames import axis_title, checked, column
from layerstats.plots.scales import group_scales
from layerstats.plots.theme import FAINT, paper_theme

HEARD = {True: "another word before", False: "its word before"}


def displacement_by_margin(starts: pd.DataFrame, distance: str = "margin") -> ggplot:
    """Draw how far each start's code moved, against how sure the network was of its word before.

    Parameters
    ----------
    starts : columns `misclassified, displacement` and that of `distance`
        As in `MovedCodes.starts`.
    distance
        "margin" (log odds) or "boundary_distance".

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    data = checked(starts, ("misclassified", "displacement", distance), "displacement_by_margin")
    heard = column(data, "misclassified").astype(bool).map(HEARD)
    data = data.assign(heard=pd.Categorical(heard, categories=list(HEARD.values())), x=data[distance])
    return (
        ggplot(data, aes("x", "displacement", color="heard", shape="heard", fill="heard"))
        + geom_vline(xintercept=0, linetype="dashed", size=0.5, color=FAINT)
        + geom_point(size=1.4, stroke=0.3, alpha=0.8)
        + group_scales(list(HEARD.values()), "color", "fill", "shape")
        + labs(
            x=f"{axis_title(distance)} (log odds)" if distance == "margin" else axis_title(distance),
            y="Displacement of the code",
            caption="Dashed: the decision boundary.",
        )
        + paper_theme(5.0, 3.2)
    )
