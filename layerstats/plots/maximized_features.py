"""Features before maximization, after it, and what it changed, as spectrograms."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, to_hex
from plotnine import (
    aes,
    coord_cartesian,
    element_blank,
    element_text,
    facet_grid,
    geom_raster,
    ggplot,
    labs,
    scale_fill_identity,
    scale_x_continuous,
    scale_y_continuous,
    theme,
)

from layerstats.plots.frames import TIME_LABEL, checked, column, in_order
from layerstats.plots.theme import PAGE_WIDTH, paper_theme
from layerstats.tables.readable_names import readable_name

REQUIRED_COLUMNS = ("set_up", "target", "features", "time_s", "mel", "value")
PANELS = ("before", "after", "difference")
_GREY = LinearSegmentedColormap.from_list("grey", ["#ffffff", "#000000"])
# Less is blue, more is vermilion, of Okabe and Ito's colours; nothing is white.
_CHANGE = LinearSegmentedColormap.from_list("change", ["#0072B2", "#ffffff", "#D55E00"])
_LEVELS = 64


def maximized_features(features: pd.DataFrame) -> ggplot:
    """Draw the mel features of starts before and after maximization, and their difference: a row a word.

    Parameters
    ----------
    features : columns `set_up, target, features, time_s, mel, value`
        As `layerstats.probes.maximization.features_table` gives them; `features` is "before", "after" or "difference",
        `mel` the number of the band from the lowest, 0. One start a set-up and target.

    Raises
    ------
    DataError
        If a column is missing, there is nothing to draw, or a set-up has two starts of a target.
    """
    table = checked(features, REQUIRED_COLUMNS, "maximized_features")
    set_ups, words = (in_order(column(table, name)) for name in ("set_up", "target"))
    change = column(table, "features").astype(str) == "difference"
    value = column(table, "value").to_numpy(dtype=float)
    # Features of speech lie between 0 and 1: single values that went further would fade all else.
    largest = min(float(np.abs(value[change]).max()), 1.0) if change.any() else 1.0
    titles = [f"{readable_name(set_up)}\n{panel}" for set_up in set_ups.cat.categories for panel in PANELS]
    place = set_ups.astype(str).map(readable_name) + "\n" + column(table, "features").astype(str)
    data = table.assign(
        word=words,
        panel=pd.Categorical(place, categories=titles),
        time_ms=column(table, "time_s") * 1000,
        colour=np.where(change, _colours(_CHANGE, 0.5 + value / (2 * (largest or 1.0))), _colours(_GREY, value)),
    )
    return (
        ggplot(data, aes("time_ms", "mel", fill="colour"))
        + geom_raster()
        + facet_grid("word", "panel")
        + scale_fill_identity()
        + scale_x_continuous(breaks=[0, 500], expand=(0, 0))
        + scale_y_continuous(breaks=[0, 40], expand=(0, 0))
        + coord_cartesian()
        + labs(
            x=TIME_LABEL,
            y="Mel band",
            caption=f"Features: white 0, black 1. Difference, after minus before: vermilion more, blue less; full "
            f"colour is {largest:.2g}{' or more' if largest == 1 else ''}.",
        )
        + paper_theme(PAGE_WIDTH, 1.2 + 1.25 * len(words.cat.categories))
        # Names of set-ups are wider than the panels of three of them.
        + theme(
            panel_grid_major=element_blank(),
            legend_position="none",
            strip_text_x=element_text(size=6 if len(titles) > len(PANELS) * 2 else 8),
        )
    )


def _colours(colours: LinearSegmentedColormap, share: np.ndarray) -> np.ndarray:
    """Return a colour for each share of the scale, from 0 to 1."""
    steps = np.array([to_hex(colours(step / (_LEVELS - 1))) for step in range(_LEVELS)])
    return steps[np.rint(np.clip(share, 0, 1) * (_LEVELS - 1)).astype(int)]
