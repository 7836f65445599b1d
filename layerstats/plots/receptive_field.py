"""How much of the sound one output of a layer hears, against how long phones last."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    annotate,
    geom_line,
    geom_point,
    ggplot,
    labs,
    scale_fill_manual,
    scale_linetype_manual,
    scale_shape_manual,
    scale_x_continuous,
    scale_y_log10,
)

from layerstats.plots.frames import checked, column, in_order
from layerstats.plots.theme import BAND, paper_theme

REQUIRED_COLUMNS = ("layer", "receptive_field_s", "hop_s")
DURATION_COLUMNS = ("phone_duration_s",)

FIELD, HOP = "receptive field", "time between outputs (hop)"


def receptive_field(layers: pd.DataFrame, durations: pd.DataFrame, *, phones: str = "phones") -> ggplot:
    """Draw each layer's receptive field and hop beside the durations of phones, on a logarithmic axis.

    A layer whose hop is longer than a phone has less than one output for it; one whose receptive field is longer hears
    its neighbours too.

    Parameters
    ----------
    layers : columns `layer, receptive_field_s, hop_s`
        One row a layer.
    durations : column `phone_duration_s`
        One row a phone, or one median a layer: the band spans the middle 80 %, the line is the median.
    phones
        What the durations are of, for instance "[s] and [ʃ]".

    Raises
    ------
    DataError
        If a column is missing or a table has no rows.
    """
    layers = checked(layers, REQUIRED_COLUMNS, "receptive_field").drop_duplicates("layer")
    durations = checked(durations, DURATION_COLUMNS, "receptive_field")
    names = in_order(column(layers, "layer"))
    positions = names.cat.codes.astype(float)
    data = pd.concat(
        [
            pd.DataFrame({"x": positions, "y": layers["receptive_field_s"] * 1000, "what": FIELD}),
            pd.DataFrame({"x": positions, "y": layers["hop_s"] * 1000, "what": HOP}),
        ],
        ignore_index=True,
    )
    low, median, high = np.quantile(durations["phone_duration_s"].dropna() * 1000, [0.1, 0.5, 0.9])
    last = float(positions.max())
    caption = (
        f"Band: middle 80 % of the durations of {phones} ({low:.0f} to {high:.0f} ms); line: median {median:.0f} ms."
    )
    return (
        ggplot(data, aes("x", "y"))
        + annotate("rect", xmin=-0.5, xmax=last + 0.5, ymin=low, ymax=high, fill=BAND)
        + annotate("segment", x=-0.5, xend=last + 0.5, y=median, yend=median, size=0.6, color="#4d4d4d")
        + geom_line(aes(linetype="what"), size=0.6)
        + geom_point(aes(shape="what", fill="what"), size=2.4)
        + scale_linetype_manual(values={FIELD: "solid", HOP: "dashed"}, breaks=[FIELD, HOP])
        + scale_shape_manual(values={FIELD: "o", HOP: "s"}, breaks=[FIELD, HOP])
        + scale_fill_manual(values={FIELD: "black", HOP: "white"}, breaks=[FIELD, HOP])
        + scale_x_continuous(
            breaks=list(range(int(last) + 1)), labels=list(names.cat.categories), minor_breaks=[], expand=(0, 0)
        )
        + scale_y_log10()
        + labs(x="Layer", y="Duration (ms, logarithmic)", caption=caption)
        + paper_theme(5.5, 3.4)
    )
