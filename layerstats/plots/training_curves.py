"""How a ciwGAN or fiwGAN learned: losses, and what was watched, step by step."""

from __future__ import annotations

import pandas as pd
from plotnine import aes, facet_wrap, geom_line, geom_point, ggplot, labs

from layerstats.plots.frames import checked, in_order
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

MEASURES = {
    "critic_gap": "Critic: real minus generated",
    "penalty": "Gradient penalty",
    "code_loss": "Loss of the codes",
    "spectral_distance": "Distance of generated speech",
    "diversity": "Diversity of generated speech",
    "code_entropy": "Entropy of codes, held out",
    "code_information": "Information of codes, held out",
    "lexical_accuracy": "Words by codes, held out",
    "held_out_gap": "Critic: held out minus generated",
}
COLUMNS = 3


def training_curves(history: pd.DataFrame) -> ggplot:
    """Draw the history of a training, a panel a measure.

    Parameters
    ----------
    history : columns `step` and those of `GanResult.history`
        One row for every time the network was looked at.

    Raises
    ------
    DataError
        If a column is missing or the table has no rows.
    """
    history = checked(history, ["step", *MEASURES], "training_curves")
    data = history.melt(id_vars="step", value_vars=list(MEASURES), var_name="measure", value_name="y")
    data["panel"] = in_order(pd.Series([MEASURES[name] for name in data["measure"]]))
    # A training that was watched once has nothing to join by a line.
    marks = geom_line(size=0.6) if len(history) > 1 else geom_point()
    return (
        ggplot(data, aes("step", "y"))
        + marks
        + facet_wrap("panel", ncol=COLUMNS, scales="free_y")
        + labs(x="Updates of the generator", y="")
        + paper_theme(PAGE_WIDTH, 0.7 + 1.5 * -(-len(MEASURES) // COLUMNS))
    )
