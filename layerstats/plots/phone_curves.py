"""Predicted curves of two sets of phones over normalised time (Begus & Zhou 2022, Fig. 4)."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    facet_wrap,
    geom_line,
    geom_ribbon,
    ggplot,
    labs,
)

from layerstats.plots.frames import ACTIVATION_LABEL, checked, column, in_order
from layerstats.plots.scales import group_scales, time_scale
from layerstats.plots.sound_strips import breaks_below, strips_of_groups
from layerstats.plots.sounds_above import SoundsAbove
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("layer", "time", "fit", "conf_low", "conf_high")
# Inches that curves have of a panel.
PANEL = 1.3


def phone_curves(
    curves: pd.DataFrame,
    *,
    by: str = "group",
    value_label: str = ACTIVATION_LABEL,
    above: SoundsAbove | None = None,
) -> ggplot:
    """Draw the predicted curve of each set of phones, a panel a layer.

    Parameters
    ----------
    curves : columns `layer, group, time, fit, conf_low, conf_high`
        Normalised time: 0 is the beginning of the phone, 1 its end.
    by
        The column that tells the sets of phones apart.
    value_label
        Title of the vertical axis, with units.
    above
        Waveform of one phone of each set, see `sounds_above`.

    Raises
    ------
    DataError
        If a column is missing or the table has no rows.
    ArgumentError
        If there are more than eight sets, or sounds run along another axis.
    """
    curves = checked(curves, (*REQUIRED_COLUMNS, by), "phone_curves")
    data = pd.DataFrame(
        {
            "x": curves["time"],
            "y": curves["fit"],
            "low": curves["conf_low"],
            "high": curves["conf_high"],
            "group": in_order(column(curves, by)),
            "panel": in_order(column(curves, "layer")),
        }
    )
    panels = len(data["panel"].cat.categories)
    columns = min(panels, 3 if panels in (3, 5, 6) else 4)
    groups = list(data["group"].cat.categories)
    width = PAGE_WIDTH if columns > 1 else 4.5
    strips, inches = strips_of_groups(above, data, groups, "time", columns / (width - 1), PANEL)
    return (
        ggplot(data, aes("x", "y"))
        + geom_ribbon(aes(ymin="low", ymax="high", fill="group"), alpha=0.25, color="none")
        + geom_line(aes(color="group", linetype="group"), size=0.9)
        + facet_wrap("panel", scales="free_y", ncol=columns)
        + strips
        + breaks_below(PANEL, inches)
        + time_scale("time", columns)
        + group_scales(groups, "color", "fill", "linetype")
        + labs(x="Normalised time (0: phone begins, 1: phone ends)", y=value_label)
        + paper_theme(width, 0.9 + (1.7 + inches) * -(-panels // columns))
    )
