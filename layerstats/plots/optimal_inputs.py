"""The inputs that maximize neurons of several layers (Krug & Stober 2018, Fig. 1)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from plotnine import (
    aes,
    coord_cartesian,
    element_blank,
    facet_wrap,
    geom_raster,
    ggplot,
    labs,
    scale_fill_identity,
    scale_x_continuous,
    scale_y_continuous,
    theme,
)

from layerstats.errors import DataError
from layerstats.plots.frames import TIME_LABEL, band_marks, checked, column, in_order
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("target", "time_s", "frequency_hz", "value")
# More is vermilion, less is blue, of Okabe and Ito's colours; white is what the penalties leave at 0.
MORE, LESS = np.array([0.835, 0.369, 0.0]), np.array([0.0, 0.447, 0.698])
STEPS = 32


def optimal_inputs(features: pd.DataFrame, columns: int = 2) -> ggplot:
    """Draw the input that maximizes each unit: a panel a unit, with frequency in Hz and time in ms.

    Panels have a scale each, since what a unit answers to in lower layers is many times larger than in higher ones; the
    largest absolute value stands above each.

    Parameters
    ----------
    features : columns `target, time_s, frequency_hz, value`
        What is heard at the end, for instance `features_table(...).query("features == 'after'")`: one start a target.
        Bands are drawn equally high, as the network hears them; the axis is marked in Hz.
    columns : int
        Panels beside each other.

    Raises
    ------
    DataError
        If a column is missing, there is nothing to draw, or a target has several starts.
    """
    table = checked(features, REQUIRED_COLUMNS, "optimal_inputs")
    if table.duplicated(["target", "time_s", "frequency_hz"]).any():
        raise DataError(
            "The figure 'optimal_inputs' shows one input a target, but some have several. Select one start, network "
            "and set-up."
        )
    bands = np.sort(pd.unique(table.loc[:, "frequency_hz"]))
    targets = in_order(column(table, "target"))
    largest = column(table, "value").abs().groupby(targets, observed=True).transform("max").to_numpy(dtype=float)
    titles = [f"{target}, full colour {value:.2g}" for target, value in zip(targets, largest, strict=True)]
    share = column(table, "value").to_numpy(dtype=float) / np.where(largest > 0, largest, 1.0)
    data = pd.DataFrame(
        {
            "panel": pd.Categorical(titles, categories=list(dict.fromkeys(titles))),
            "time_ms": column(table, "time_s") * 1000,
            "band": np.searchsorted(bands, table["frequency_hz"].to_numpy()),
            "colour": _colours(share),
        }
    )
    marks = band_marks(bands)
    rows = -(-len(targets.cat.categories) // columns)
    return (
        ggplot(data, aes("time_ms", "band", fill="colour"))
        + geom_raster()
        + facet_wrap("panel", ncol=columns)
        + scale_fill_identity()
        + scale_x_continuous(expand=(0, 0))
        + scale_y_continuous(breaks=list(marks), labels=list(marks.values()), expand=(0, 0))
        + coord_cartesian()
        + labs(
            x=TIME_LABEL,
            y="Frequency (Hz)",
            caption="Vermilion: above the mean of the utterance, blue: below it.",
        )
        + paper_theme(PAGE_WIDTH, 1.1 + 2.0 * rows)
        + theme(panel_grid_major=element_blank(), legend_position="none")
    )


def _colours(share: np.ndarray) -> np.ndarray:
    """Return a colour for each share of the scale, from -1 to 1."""
    steps = np.linspace(-1, 1, 2 * STEPS + 1)
    palette = np.array([to_hex(1 - abs(step) * (1 - (MORE if step > 0 else LESS))) for step in steps])
    return palette[np.rint((np.clip(share, -1, 1) + 1) * STEPS).astype(int)]
