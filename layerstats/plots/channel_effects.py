"""Every channel of a layer: how large a contrast is in it, and how sure that is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    facet_null,
    facet_wrap,
    geom_hline,
    geom_point,
    geom_vline,
    ggplot,
    labs,
    scale_fill_manual,
    scale_shape_manual,
    scale_size_manual,
    theme,
)

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.plots.frames import checked, column, count, in_order, rows
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("layer", "level_1", "level_2", "level_difference", "token_sd")
TESTS = {"level": "level", "shape": "shape", "joint": "level and shape jointly"}
# Below the smallest positive number there is no logarithm.
SMALLEST_P = 1e-300


def channel_effects(channels: pd.DataFrame, *, test: str = "joint", alpha: float = 0.05) -> ggplot:
    """Draw each channel by its difference in level and the p-value of a test ("volcano plot").

    Channels far up at the sides differ in level, channels far up in the middle in shape alone. P-values below 1e-300
    are drawn there.

    Parameters
    ----------
    channels : columns `layer, level_1, level_2, level_difference, token_sd` and those of the test
        As from `layerstats.stats.channel_table`; one layer or several, a panel each. Channels without numbers (dead
        ones) are not drawn; the caption counts them.
    test
        "level", "shape" or "joint": the vertical axis has its unadjusted p-values.
    alpha
        Points are filled where the p-value adjusted by Benjamini & Hochberg is up to it; a dashed line marks the
        largest such p-value of a layer.

    Raises
    ------
    DataError
        If a column is missing, or no channel has numbers.
    ArgumentError
        If `alpha` is not between 0 and 1, or there is no such test.
    """
    check_choice("test", test, TESTS)
    if not 0 < alpha < 1:
        raise ArgumentError(f"The 'alpha' parameter must lie between 0 and 1, but got {alpha!r} instead.")
    p_column, found_column = f"{test}_p_value", f"{test}_p_fdr"
    frame = checked(channels, [*REQUIRED_COLUMNS, p_column, found_column], "channel_effects")
    drawn = rows(frame, frame[p_column].notna())
    if drawn.empty:
        raise DataError("There is nothing to draw: no channel has numbers.")
    found, rest = f"adjusted p \N{LESS-THAN OR EQUAL TO} {alpha:g}", f"adjusted p > {alpha:g}"
    data = pd.DataFrame(
        {
            "panel": in_order(column(drawn, "layer")),
            "x": drawn["level_difference"] / drawn["token_sd"],
            "y": -np.log10(np.maximum(column(drawn, p_column).to_numpy(dtype=float), SMALLEST_P)),
            "look": np.where(drawn[found_column] <= alpha, found, rest),
        }
    )
    lowest = rows(data, data["look"] == found).groupby("panel", observed=True).agg({"y": "min"})
    limits = pd.DataFrame(lowest).reset_index()
    first, second = frame["level_1"].iloc[0], frame["level_2"].iloc[0]
    missing = len(frame) - len(drawn)
    left_out = f"; {missing} that could not be fitted {'is' if missing == 1 else 'are'} left out" if missing else ""
    shown = [look for look in (found, rest) if look in set(data["look"])]
    panels = count(column(data, "panel"))
    columns = min(panels, 3)
    figure = ggplot(data, aes("x", "y")) + geom_vline(xintercept=0, size=0.3, color="#8c8c8c")
    if len(limits):
        figure += geom_hline(aes(yintercept="y"), data=limits, linetype="dashed", size=0.4, color="#8c8c8c")
    return (
        figure
        + geom_point(aes(fill="look", shape="look", size="look"), stroke=0.3)
        + scale_fill_manual(values=["black" if look == found else "white" for look in shown], breaks=shown, name="")
        + scale_shape_manual(values=["o"] * len(shown), breaks=shown, name="")
        + scale_size_manual(values=[1.8 if look == found else 1.4 for look in shown], breaks=shown, name="")
        + (facet_wrap("panel", ncol=columns) if panels > 1 else facet_null())
        + labs(
            x=f"Level difference, {first} \N{MINUS SIGN} {second} (SD of tokens)",
            y=f"\N{MINUS SIGN}log10 p ({TESTS[test]})",
            caption=f"{len(drawn)} channels{left_out}.",
        )
        + paper_theme(PAGE_WIDTH if columns > 1 else 5.5, 1.4 + 2.4 * -(-panels // columns))
        + theme(legend_position="top")
    )
