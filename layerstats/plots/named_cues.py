"""Whether the cues that a phonetician names are exaggerated, cue by cue, nulls beside them."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    geom_errorbarh,
    geom_point,
    geom_vline,
    ggplot,
    labs,
    scale_y_continuous,
)

from layerstats.errors import DataError
from layerstats.plots.frames import checked, column, in_order, rows
from layerstats.plots.scales import group_scales
from layerstats.plots.theme import FAINT, paper_theme

REQUIRED_COLUMNS = ("word", "cue", "level_1", "level_2", "exaggeration", "conf_low", "conf_high")
# Share of the distance between two cues that conditions stand on.
_SPREAD = 0.5


def named_cues(table: pd.DataFrame, reference: str = "natural") -> ggplot:
    """Draw how far each cue is exaggerated against natural speech, in natural standard deviations, with its interval.

    Parameters
    ----------
    table : columns `word, cue, level_1, level_2, exaggeration, conf_low, conf_high`
        As in `CueTests.table`: conditions stand below each other at each cue. Cues are in the order of the first one's
        exaggeration.
    reference
        The rows whose `level_2` is this are drawn.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    ArgumentError
        If there are more than eight conditions.
    """
    given = checked(table, REQUIRED_COLUMNS, "named_cues")
    data = rows(given, given["level_2"] == reference).reset_index(drop=True)
    if data.empty:
        raise DataError(f"There is nothing to draw: no row of the table compares anything with {reference!r}.")
    conditions = list(in_order(column(data, "level_1")).cat.categories)
    data = data.assign(label=data["word"].astype(str) + ": " + data["cue"].astype(str))
    first = rows(data, data["level_1"] == conditions[0]).sort_values("exaggeration")
    labels = list(dict.fromkeys(first["label"]))
    places = {label: float(place) for place, label in enumerate(labels)}
    step = _SPREAD / max(len(conditions) - 1, 1)
    shift = {name: -index * step if len(conditions) > 1 else 0.0 for index, name in enumerate(conditions)}
    data = data.assign(
        y=data["label"].map(places.get) + data["level_1"].map(shift.get),
        condition=pd.Categorical(data["level_1"], categories=conditions, ordered=True),
    )
    return (
        ggplot(data, aes("exaggeration", "y", color="condition"))
        + geom_vline(xintercept=0, linetype="dashed", size=0.5, color=FAINT)
        + geom_errorbarh(aes(xmin="conf_low", xmax="conf_high"), height=0.0, size=0.6)
        + geom_point(aes(shape="condition", fill="condition"), size=1.9, stroke=0.3)
        + group_scales(conditions, "color", "fill", "shape")
        + scale_y_continuous(breaks=list(places.values()), labels=labels, minor_breaks=[], expand=(0.02, 0.4))
        + labs(
            x="Exaggeration in the direction named (natural SD)",
            y="",
            caption=f"Difference from {reference} speech; right of 0 the cue goes the way that was named.",
        )
        + paper_theme(6.2, 1.3 + (0.16 + 0.06 * len(conditions)) * len(labels))
    )
