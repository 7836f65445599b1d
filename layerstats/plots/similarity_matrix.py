"""How alike layers are, every one by every other."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    coord_fixed,
    element_blank,
    element_text,
    geom_text,
    geom_tile,
    ggplot,
    labs,
    scale_color_identity,
    scale_fill_gradient,
    theme,
)

from layerstats.plots.frames import checked, column
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("recording_1", "layer_1", "recording_2", "layer_2", "estimate")
# Beyond which numbers would not be read any more.
_MOST_NUMBERS = 14
_CELL = 0.42


def similarity_matrix(table: pd.DataFrame) -> ggplot:
    """Draw the similarity of every pair of layers as a shade, with its number where there is room.

    Parameters
    ----------
    table : columns `recording_1, layer_1, recording_2, layer_2, estimate`
        As in `LayerSimilarity.table`, one row a pair. Of pairs within one network both halves are drawn, and the
        diagonal; of two networks, or with the sound alone, the first's layers are rows.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    given = checked(table, REQUIRED_COLUMNS, "similarity_matrix")
    network = str(given["recording_1"].iloc[0])
    within = given.loc[given["recording_1"] == given["recording_2"]]
    layers = list(dict.fromkeys([*given["layer_1"].astype(str), *within["layer_2"].astype(str)]))
    pairs = pd.DataFrame(
        {
            "row": given["layer_1"].astype(str),
            "column": [_name(row, network) for row in given.to_dict("records")],
            "similarity": given["estimate"],
        }
    )
    if len(within):
        mirrored = pairs.loc[within.index].rename(columns={"row": "column", "column": "row"})
        same = pd.DataFrame({"row": layers, "column": layers, "similarity": 1.0})
        pairs = pd.concat([pairs, mirrored, same], ignore_index=True)
    others = [name for name in dict.fromkeys(pairs["column"]) if name not in layers]
    columns = [*(layers if len(within) else []), *others]
    data = pairs.assign(
        row=pd.Categorical(pairs["row"], categories=layers[::-1], ordered=True),
        column=pd.Categorical(pairs["column"], categories=columns, ordered=True),
        # Below nothing there is only noise.
        shade=np.clip(pairs["similarity"], 0, 1),
        ink=column(pairs, "similarity").gt(0.55).map({True: "white", False: "black"}),
        label=[f"{value:.2f}".replace("0.", ".") for value in pairs["similarity"]],
    )
    figure = ggplot(data, aes("column", "row")) + geom_tile(aes(fill="shade"), color="white", size=0.3)
    if len(columns) <= _MOST_NUMBERS:
        figure += geom_text(aes(label="label", color="ink"), size=6)
    longest = max(map(len, columns))
    return (
        figure
        + scale_fill_gradient(low="#f2f2f2", high="#1a1a1a", limits=(0, 1))
        + scale_color_identity()
        + coord_fixed()
        + labs(x="Layer", y="Layer", fill="Similarity")
        + paper_theme(min(PAGE_WIDTH, 2.2 + _CELL * len(columns)), min(7.0, 1.0 + _CELL * len(layers) + 0.06 * longest))
        + theme(
            panel_grid_major=element_blank(),
            legend_position="right",
            axis_text_x=element_text(rotation=90),
            legend_title=element_text(size=8, margin={"b": 6, "unit": "pt"}),
        )
    )


def _name(row: dict, network: str) -> str:
    layer, recording = str(row["layer_2"]), str(row["recording_2"])
    return layer if recording == network else f"{layer} ({recording})"
