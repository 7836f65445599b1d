"""Colours, line types and shapes of groups, which differ in luminance too, so that a photocopy can be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from mizani.breaks import breaks_extended
from plotnine import (
    scale_color_manual,
    scale_fill_manual,
    scale_linetype_manual,
    scale_shape_manual,
    scale_x_continuous,
)

from layerstats.errors import ArgumentError
from layerstats.tables.readable_names import readable_name

# Okabe and Ito's colours, which colour-blind readers tell apart, ordered so that neighbours differ in luminance.
COLOURS = ("#000000", "#E69F00", "#0072B2", "#56B4E9", "#D55E00", "#CC79A7", "#009E73", "#8c8c8c")
LINETYPES: tuple[Any, ...] = (
    "solid",
    "dashed",
    "dotted",
    "dashdot",
    (0, (7, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (1, 2.5)),
    (0, (5, 1, 1, 1, 1, 1, 1, 1)),
)
SHAPES = ("o", "^", "s", "D", "v", "P", "X", "*")

# Red above 0 or for, blue below or against, as published; Okabe and Ito's, which colour-blind readers tell apart.
FOR, AGAINST = np.array([0.835, 0.369, 0.0]), np.array([0.0, 0.447, 0.698])
# Of the absolute values of a map that is drawn in full colour: single values that go further would fade all else.
FULL_COLOUR = 0.995

_SCALES = {
    "color": (scale_color_manual, COLOURS),
    "fill": (scale_fill_manual, COLOURS),
    "linetype": (scale_linetype_manual, LINETYPES),
    "shape": (scale_shape_manual, SHAPES),
}


def time_scale(name: str, panels_beside: int) -> scale_x_continuous:
    """Return an axis for the covariate `name` whose labels do not run into those of the panel beside it."""
    few = panels_beside > 2
    if name == "time":
        return scale_x_continuous(breaks=[0, 0.5, 1], labels=["0", "0.5", "1"])
    return scale_x_continuous(breaks=cast(Any, breaks_extended(3 if few else 5)), expand=(0.09 if few else 0.04, 0))


def inner_times(limits: tuple[float, float]) -> list[float]:
    """Return where time is marked: not beside an edge, where numbers of two panels would meet."""
    edge, inner = 0.05 * (limits[1] - limits[0]), []
    for count in (4, 6):
        breaks = breaks_extended(count)(limits)
        inner = [float(time) for time in breaks if time == 0 or min(time - limits[0], limits[1] - time) > edge]
        if len(inner) > 1:
            break
    return inner


def group_scales(groups: Sequence[str], *aesthetics: str) -> list[Any]:
    """Return scales that give each group the same colour, line type and shape in every figure.

    Parameters
    ----------
    groups
        Groups in their order; there are eight looks.
    *aesthetics : {"color", "fill", "linetype", "shape"}
        The aesthetics that show the group.

    Raises
    ------
    ArgumentError
        If there are more groups than can be told apart.
    """
    if len(groups) > len(COLOURS):
        raise ArgumentError(
            f"At most {len(COLOURS)} groups can be told apart in one panel, but got {len(groups)}. "
            "Choose fewer, or give each a panel of its own (layout='facets')."
        )
    scales = []
    for aesthetic in aesthetics:
        scale, looks = _SCALES[aesthetic]
        values = dict(zip(groups, looks, strict=False))
        # `breaks` keeps the order of the groups in the legend.
        scales.append(scale(values=values, breaks=list(groups), labels=[readable_name(group) for group in groups]))
    return scales
