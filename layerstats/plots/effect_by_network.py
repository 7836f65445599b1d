"""How large a contrast is at each layer of several kinds of network, each trained from several seeds."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    expand_limits,
    facet_null,
    facet_wrap,
    geom_errorbar,
    geom_line,
    geom_point,
    ggplot,
    labs,
    scale_x_continuous,
    theme,
)

from layerstats.checks import check_columns
from layerstats.errors import DataError
from layerstats.plots.effect_by_layer import CORRECTED_MEANS_LABEL
from layerstats.plots.frames import checked, column, count, in_order
from layerstats.plots.scales import group_scales
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("contrast", "layer", "network", "effect_size", "effect_conf_low", "effect_conf_high")
SINGLE_COLUMNS = ("contrast", "layer", "network", "network_seed", "effect_size")
# Share of the distance between two layers that their networks stand on.
_SPREAD = 0.72


def effect_by_network(kinds: pd.DataFrame, networks: pd.DataFrame | None = None) -> ggplot:
    """Draw the mean effect size of each kind of network with its interval, layer by layer, and its single networks.

    Parameters
    ----------
    kinds : columns `contrast, layer, network, effect_size, effect_conf_low, effect_conf_high`
        As in `NetworkComparison.kinds`: large points with intervals, joined from layer to layer; a panel a contrast.
    networks : columns `contrast, layer, network, network_seed, effect_size`, optional
        As in `NetworkComparison.networks`: a small point each.

    Raises
    ------
    DataError
        If a column is missing, the table has no rows, or single networks are of a kind or layer that has no mean.
    ArgumentError
        If there are more than eight kinds of network.
    """
    means = checked(kinds, REQUIRED_COLUMNS, "effect_by_network")
    names = list(in_order(column(means, "network")).cat.categories)
    layers = list(in_order(column(means, "layer")).cat.categories)
    panels = list(in_order(column(means, "contrast")).cat.categories)
    data = _place(means, names, layers, panels)
    figure = ggplot(data, aes("x", "y", color="network"))
    # The lines only lead the eye from layer to layer, so they stay faint.
    figure += geom_line(aes(group="network"), size=0.4, alpha=0.45)
    if networks is not None and len(networks):
        check_columns(networks, SINGLE_COLUMNS, "the table of single networks for the figure 'effect_by_network'")
        known = {"network": names, "layer": layers, "contrast": panels}
        for name, values in known.items():
            strangers = sorted(set(networks[name].astype(str)) - set(values))
            if strangers:
                raise DataError(
                    f"There are single networks of {name} {strangers[0]!r}, which has no mean. Give all rows of both "
                    "tables, or the same selection."
                )
        single = _place(networks.reset_index(drop=True), names, layers, panels)
        width = _SPREAD / len(names)
        cells = single.groupby(["panel", "network", "x"], observed=True)["y"]
        rank, size = cells.rank(method="first"), cells.transform("size")
        # Beside their mean, on its right, spread by rank.
        single["x"] += width * (0.2 + 0.3 * (rank - 1) / size.clip(lower=2))
        figure += geom_point(data=single, size=0.7, stroke=0.2, alpha=0.75)
    columns = min(len(panels), 2)
    broad = columns > 1 or len(names) * len(layers) > 15
    return (
        figure
        + geom_errorbar(aes(ymin="low", ymax="high"), width=0.05, size=0.7)
        + geom_point(aes(shape="network", fill="network"), size=2.2, stroke=0.3)
        + group_scales(names, "color", "fill", "shape")
        + scale_x_continuous(
            breaks=list(range(len(layers))),
            labels=layers,
            minor_breaks=[],
            limits=(-0.5, len(layers) - 0.5),
            expand=(0, 0),
        )
        + (facet_wrap("panel", ncol=columns) if count(column(data, "panel")) > 1 else facet_null())
        + expand_limits(y=0)
        + labs(x="Layer", y=CORRECTED_MEANS_LABEL)
        + paper_theme(PAGE_WIDTH if broad else 5.5, 1.1 + 2.4 * -(-len(panels) // columns))
        + theme(legend_key_width=12)
    )


def _place(frame: pd.DataFrame, names: list[str], layers: list[str], panels: list[str]) -> pd.DataFrame:
    """Layers as positions on a continuous axis, the kinds of network side by side around each."""
    step = _SPREAD / len(names)
    shift = {name: (index - (len(names) - 1) / 2) * step for index, name in enumerate(names)}
    position = {layer: float(index) for index, layer in enumerate(layers)}
    placed = pd.DataFrame(
        {
            "x": frame["layer"].astype(str).map(position.get) + frame["network"].astype(str).map(shift.get),
            "y": frame["effect_size"],
            "network": pd.Categorical(frame["network"].astype(str), categories=names, ordered=True),
            "panel": pd.Categorical(frame["contrast"].astype(str), categories=panels, ordered=True),
        }
    )
    if "effect_conf_low" in frame.columns:
        placed = placed.assign(low=frame["effect_conf_low"], high=frame["effect_conf_high"])
    return placed
