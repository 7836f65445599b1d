"""A measure of a network layer by layer, beside untrained networks and the sound alone: one look for all."""

from __future__ import annotations

import math

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

from layerstats.plots.frames import column, in_order, rows
from layerstats.plots.theme import BAND, PAGE_WIDTH, paper_theme

TRAINED, UNTRAINED, ACOUSTICS = "trained network", "untrained networks", "acoustics"
# Colour, type of line.
LOOKS = {TRAINED: ("black", "solid"), UNTRAINED: ("#7f7f7f", "solid"), ACOUSTICS: ("#4d4d4d", "dashed")}
# Names of layers that need more room than this, in letters an inch of the figure, are turned.
_LETTERS = 9
# Names that are longer stand upright, below a figure that is higher by their length: a letter is so many inches.
_LONG, _LETTER = 16, 0.06
# Inches that a turned name takes along the axis, margins counted.
_LINE = 0.18
# Half of the width of a box, in layers.
_BOX = 0.2


def layers_beside(
    table: pd.DataFrame, networks: pd.DataFrame | None, value: str, chance: pd.DataFrame, title: str
) -> ggplot:
    """Draw a measure with its intervals, layer by layer, a panel a level of `panel`.

    Parameters
    ----------
    table : columns `layer, panel, conf_low, conf_high` and `value`
        The network; a row without an interval is a point.
    networks : columns `layer, panel, network_kind, trained` and `value`, optional
        One row a network, layer and panel. Untrained ones are a band from the smallest to the largest of each layer,
        about their median; the sound alone is a dashed line at the height of each of its layers.
    value
        The column that is drawn.
    chance : columns `panel, chance`
        Heights of a faint line.
    title
        Of the vertical axis.
    """
    layers = list(in_order(column(table, "layer")).cat.categories)
    place = {layer: float(number) for number, layer in enumerate(layers)}
    panels = list(in_order(column(table, "panel")).cat.categories)
    table = _placed(table, place, panels).assign(look=TRAINED, value=table[value])
    shown, beside = ([TRAINED] if len(layers) > 1 else []), []
    if networks is not None and len(networks):
        networks = rows(networks, networks["panel"].isin(panels))
        networks = networks.assign(value=networks[value])
        sound = (networks["network_kind"] == ACOUSTICS).to_numpy(dtype=bool)
        untrained = ~sound & ~networks["trained"].to_numpy(dtype=bool)
        bands = _bands(_placed(rows(networks, untrained), place, panels))
        heights = _placed(rows(networks, sound), place, panels).assign(look=ACOUSTICS)
        if len(bands):
            shown.append(UNTRAINED)
            beside += _drawn_bands(bands, len(layers))
        if len(heights):
            shown.append(ACOUSTICS)
            beside.append(geom_hline(aes(yintercept="value", color="look", linetype="look"), data=heights))
    if len(layers) > 1:
        beside.append(geom_line(aes(color="look", linetype="look"), size=0.5))
    width = PAGE_WIDTH if len(panels) > 1 else 4.5
    beside_each_other = len(layers) * min(len(panels), 2)
    longest = max(map(len, layers))
    crowded = longest * beside_each_other > _LETTERS * width
    upright = crowded and longest > _LONG
    turned = element_text(rotation=90, ha="center", va="top") if upright else element_text(rotation=45, ha="right")
    # As many names as there is room for.
    step = max(1, math.ceil(beside_each_other * _LINE / width))
    by_chance = chance.assign(panel=pd.Categorical(chance["panel"], categories=panels, ordered=True))
    return (
        ggplot(table, aes("x", "value"))
        + geom_hline(aes(yintercept="chance"), data=by_chance.dropna(), size=0.3, color="#b3b3b3")
        + beside
        + geom_errorbar(
            aes(ymin="conf_low", ymax="conf_high"),
            data=table.dropna(subset=["conf_low", "conf_high"]),
            width=0.12,
            size=0.6,
        )
        + geom_point(size=1.8)
        + scale_color_manual(values=[LOOKS[look][0] for look in shown], breaks=shown, name="")
        + scale_linetype_manual(values=[LOOKS[look][1] for look in shown], breaks=shown, name="")
        + scale_x_continuous(
            breaks=list(place.values())[::step],
            labels=layers[::step],
            minor_breaks=[],
            limits=(-0.5, len(layers) - 0.5),
            expand=(0, 0),
        )
        + (facet_wrap("panel", ncol=2) if len(panels) > 1 else facet_null())
        + expand_limits(y=0)
        + labs(x="Layer", y=title)
        + paper_theme(width, 3.2 + (_LETTER * longest if upright else 0))
        + theme(legend_position="none" if set(shown) <= {TRAINED} else "top")
        + (theme(axis_text_x=turned) if crowded else theme())
    )


def _placed(frame: pd.DataFrame, place: dict[str, float], panels: list[str]) -> pd.DataFrame:
    """Layers as positions on a continuous axis; the sound's own layers are none of them."""
    panel = pd.Categorical(frame["panel"].astype(str), categories=panels, ordered=True)
    return frame.assign(x=[place.get(str(layer), np.nan) for layer in frame["layer"]], panel=panel)


def _drawn_bands(bands: pd.DataFrame, layers: int) -> list:
    """Bands along layers; one layer has a box, since no line goes through a point."""
    look = {"color": "look", "linetype": "look"}
    if layers > 1:
        middle = geom_line(aes(y="middle", **look), data=bands, size=0.5)
        return [geom_ribbon(aes(y="middle", ymin="low", ymax="high"), data=bands, fill=BAND), middle]
    bands = bands.assign(left=bands["x"] - _BOX, right=bands["x"] + _BOX, value=bands["middle"])
    ends = {"xmin": "left", "xmax": "right", "ymin": "low", "ymax": "high"}
    middle = geom_segment(aes(x="left", xend="right", y="middle", yend="middle", **look), data=bands, size=0.5)
    return [geom_rect(aes(**ends), data=bands, fill=BAND), middle]


def _bands(untrained: pd.DataFrame) -> pd.DataFrame:
    cells = untrained.dropna(subset=["x"]).groupby(["panel", "x"], observed=True)["value"]
    return cells.agg(low="min", middle="median", high="max").reset_index().assign(look=UNTRAINED)
