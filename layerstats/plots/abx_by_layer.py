"""How often phones are confused at each layer, beside untrained networks and the sound alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    element_text,
    expand_limits,
    facet_null,
    facet_wrap,
    geom_errorbar,
    geom_hline,
    geom_line,
    geom_point,
    geom_rect,
    geom_ribbon,
    geom_segment,
    ggplot,
    labs,
    scale_color_manual,
    scale_linetype_manual,
    scale_x_continuous,
    theme,
)

from layerstats.plots.frames import checked, column, count, in_order, rows
from layerstats.plots.theme import BAND, PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("layer", "abx_mode", "error_rate", "conf_low", "conf_high")
NETWORK_COLUMNS = ("layer", "abx_mode", "network_kind", "trained", "error_rate")
CHANCE = 0.5
TRAINED, UNTRAINED, ACOUSTICS = "trained network", "untrained networks", "acoustics"
# Colour, type of line.
LOOKS = {TRAINED: ("black", "solid"), UNTRAINED: ("#7f7f7f", "solid"), ACOUSTICS: ("#4d4d4d", "dashed")}
# Names of layers that need more room than this, in letters, are turned.
_LETTERS = 40
# Half of the width of a box, in layers.
_BOX = 0.2


def abx_by_layer(table: pd.DataFrame, networks: pd.DataFrame | None = None) -> ggplot:
    """Draw ABX error rates with their intervals, layer by layer, a panel for within and one for across speakers.

    Parameters
    ----------
    table : columns `layer, abx_mode, error_rate, conf_low, conf_high`
        As `layerstats.stats.abx` gives it: one row a layer and mode. A rate without an interval is a point.
    networks : columns `layer, abx_mode, network_kind, trained, error_rate`, optional
        One row a network, layer and mode. Untrained ones are a band from the smallest to the largest of each layer,
        about their median; the sound alone is a dashed line at the height of each of its layers.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(table, REQUIRED_COLUMNS, "abx_by_layer")
    layers = list(in_order(column(table, "layer")).cat.categories)
    place = {layer: float(number) for number, layer in enumerate(layers)}
    modes = list(in_order(column(table, "abx_mode")).cat.categories)
    panels = [f"{mode} speakers" for mode in modes]
    table = _placed(table, place, panels).assign(look=TRAINED)
    shown, beside = ([TRAINED] if len(layers) > 1 else []), []
    if networks is not None and len(networks):
        networks = checked(networks, NETWORK_COLUMNS, "abx_by_layer")
        networks = rows(networks, networks["abx_mode"].isin(modes))
        sound = (networks["network_kind"] == ACOUSTICS).to_numpy(dtype=bool)
        untrained = ~sound & ~networks["trained"].to_numpy(dtype=bool)
        bands = _bands(_placed(rows(networks, untrained), place, panels))
        heights = _placed(rows(networks, sound), place, panels).assign(look=ACOUSTICS)
        if len(bands):
            shown.append(UNTRAINED)
            beside += _drawn_bands(bands, len(layers))
        if len(heights):
            shown.append(ACOUSTICS)
            beside.append(geom_hline(aes(yintercept="error_rate", color="look", linetype="look"), data=heights))
    if len(layers) > 1:
        beside.append(geom_line(aes(color="look", linetype="look"), size=0.5))
    letters = sum(map(len, layers)) * len(panels)
    return (
        ggplot(table, aes("x", "error_rate"))
        + geom_hline(yintercept=CHANCE, size=0.3, color="#b3b3b3")
        + beside
        + geom_errorbar(aes(ymin="conf_low", ymax="conf_high"), data=table.dropna(), width=0.12, size=0.6)
        + geom_point(size=1.8)
        + scale_color_manual(values=[LOOKS[look][0] for look in shown], breaks=shown, name="")
        + scale_linetype_manual(values=[LOOKS[look][1] for look in shown], breaks=shown, name="")
        + scale_x_continuous(
            breaks=list(place.values()),
            labels=layers,
            minor_breaks=[],
            limits=(-0.5, len(layers) - 0.5),
            expand=(0, 0),
        )
        + (facet_wrap("panel", ncol=2) if count(column(table, "panel")) > 1 else facet_null())
        + expand_limits(y=0)
        + labs(x="Layer", y="ABX error rate")
        + paper_theme(PAGE_WIDTH if len(panels) > 1 else 4.5, 3.2)
        + theme(legend_position="none" if set(shown) <= {TRAINED} else "top")
        + (theme(axis_text_x=element_text(rotation=45, ha="right")) if letters > _LETTERS else theme())
    )


def _placed(frame: pd.DataFrame, place: dict[str, float], panels: list[str]) -> pd.DataFrame:
    """Layers as positions on a continuous axis; the sound's own layers are none of them."""
    panel = pd.Categorical(frame["abx_mode"].astype(str) + " speakers", categories=panels, ordered=True)
    return frame.assign(x=[place.get(str(layer), np.nan) for layer in frame["layer"]], panel=panel)


def _drawn_bands(bands: pd.DataFrame, layers: int) -> list:
    """Bands along layers; one layer has a box, since no line goes through a point."""
    look = {"color": "look", "linetype": "look"}
    if layers > 1:
        middle = geom_line(aes(y="middle", **look), data=bands, size=0.5)
        return [geom_ribbon(aes(y="middle", ymin="low", ymax="high"), data=bands, fill=BAND), middle]
    bands = bands.assign(left=bands["x"] - _BOX, right=bands["x"] + _BOX, error_rate=bands["middle"])
    ends = {"xmin": "left", "xmax": "right", "ymin": "low", "ymax": "high"}
    middle = geom_segment(aes(x="left", xend="right", y="middle", yend="middle", **look), data=bands, size=0.5)
    return [geom_rect(aes(**ends), data=bands, fill=BAND), middle]


def _bands(untrained: pd.DataFrame) -> pd.DataFrame:
    cells = untrained.dropna(subset=["x"]).groupby(["panel", "x"], observed=True)["error_rate"]
    return cells.agg(low="min", middle="median", high="max").reset_index().assign(look=UNTRAINED)
