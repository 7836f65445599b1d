"""How networks learned: losses, and what was watched, step by step or epoch by epoch."""

from __future__ import annotations

import pandas as pd
from plotnine import aes, facet_wrap, geom_line, geom_point, ggplot, labs

from layerstats.checks import check_columns
from layerstats.plots.frames import checked, column, in_order
from layerstats.plots.scales import group_scales
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
EPOCH_MEASURES = {
    "loss": "Loss (training)",
    "train_accuracy": "Accuracy, training",
    "held_out_accuracy": "Accuracy, held out",
    "held_out_loss": "Loss, held out",
    "held_out_error_db": "Error, held out (dB)",
    "train_letter_error_rate": "Letter errors, training",
    "held_out_voices_letter_error_rate": "Letter errors, held-out voices",
    "held_out_sentences_letter_error_rate": "Letter errors, held-out sentences",
    "held_out_both_letter_error_rate": "Letter errors, both held out",
}
COLUMNS = 3


def training_curves(history: pd.DataFrame) -> ggplot:
    """Draw the history of a training, or of several, a panel a measure.

    Parameters
    ----------
    history : DataFrame
        One row for every time the network was looked at: with `step` and the columns of `GanResult.history`, or with
        `epoch`, `loss` and further columns of the history of `TrainingResult`, `AutoencoderResult` or
        `LettersResult`. With a column
        `network` there is a line for each network.

    Raises
    ------
    DataError
        If a column is missing or the table has no rows.
    """
    if "epoch" in history.columns:
        axis, title = "epoch", "Passes through the training tokens"
        check_columns(history, ["loss"], "the table for the figure 'training_curves'")
        measures = {name: label for name, label in EPOCH_MEASURES.items() if name in history.columns}
    else:
        axis, title, measures = "step", "Updates of the generator", MEASURES
    history = checked(history, [axis, *measures], "training_curves")
    several = "network" in history.columns
    keys = [axis, "network"] if several else [axis]
    data = history.melt(id_vars=keys, value_vars=list(measures), var_name="measure", value_name="y")
    data["panel"] = in_order(pd.Series([measures[name] for name in data["measure"]]))
    if several:
        data["network"] = in_order(column(data, "network").astype(str))
    # A training that was watched once has nothing to join by a line.
    marks = geom_line(size=0.6) if len(column(history, axis).unique()) > 1 else geom_point()
    looks = aes(axis, "y", color="network") if several else aes(axis, "y")
    scales = group_scales(list(column(data, "network").cat.categories), "color") if several else []
    figure = ggplot(data, looks) + marks + facet_wrap("panel", ncol=COLUMNS, scales="free_y") + labs(x=title, y="")
    for scale in scales:
        figure += scale
    return figure + paper_theme(PAGE_WIDTH, 0.7 + 1.5 * -(-len(measures) // COLUMNS))
