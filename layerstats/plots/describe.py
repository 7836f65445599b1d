"""What a figure shows, in words, for those who cannot see it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import ggplot

from layerstats.plots.frames import rows

# What lies behind the numbers, or marks them.
BEHIND = {"rect", "ribbon", "hline", "vline", "abline", "blank", "errorbar", "linerange", "segment", "boxplot"}
NAMES = {
    "point": "points",
    "line": "lines",
    "path": "paths",
    "step": "steps",
    "col": "bars",
    "bar": "bars",
    "tile": "a map of cells",
    "raster": "a map of cells",
    "text": "numbers",
    "ribbon": "bands",
    "errorbar": "intervals",
    "linerange": "intervals",
    "boxplot": "boxes",
    "violin": "violins",
}
GROUPING = ("color", "fill", "linetype", "shape")
# More clauses than this nobody listens to.
MOST_CLAUSES = 6
MOST_NAMES = 8


def describe_figure(figure: ggplot) -> str:
    """Say in words what a figure draws: its kind, axes, panels and groups, and where it is highest and lowest.

    Parameters
    ----------
    figure
        What the functions of `layerstats.plots` return.

    Examples
    --------
    >>> from plotnine import aes, geom_line, labs
    >>> frame = pd.DataFrame({"lag": [0, 1, 2], "r": [1.0, 0.5, 0.1]})
    >>> describe_figure(ggplot(frame, aes("lag", "r")) + geom_line() + labs(x="Lag", y="Correlation"))
    'Lines: Correlation by Lag. Highest 1 at 0, lowest 0.1 at 2.'
    """
    kinds = list(dict.fromkeys(NAMES[kind] for kind in _kinds(figure) if kind in NAMES))
    kind = " and ".join(kinds) or "figure"
    across, up = (_label(figure, axis) for axis in ("x", "y"))
    axes = f": {up} by {across}" if across and up else f": {up or across}" if up or across else ""
    said = [f"{kind[0].upper()}{kind[1:]}{axes}."]
    numbers = _numbers(figure)
    if numbers is not None:
        for column, what in (("panel", "Panels"), ("group", "Groups")):
            names = [name for name in dict.fromkeys(numbers[column]) if name]
            said += [f"{what}: {_listed(names)}."] if len(names) > 1 else []
        # Of a map the vertical axis is a place, not what is measured.
        said += [] if {"tile", "raster"} & set(_kinds(figure)) else _extremes(figure, numbers)
    return " ".join(said)


def _kinds(figure: ggplot) -> list[str]:
    """Return the kinds of the layers that draw what the figure is of; others, such as waveforms, inherit nothing."""
    return [type(layer.geom).__name__.removeprefix("geom_") for layer in figure.layers if layer.inherit_aes]


def _label(figure: ggplot, axis: str) -> str:
    text = figure.labels.get(axis, "")
    return " ".join(text.split()) if isinstance(text, str) else ""


def _numbers(figure: ggplot) -> pd.DataFrame | None:
    """Return the columns `x, y, group, panel` of the first layer that is not behind others; groups may be empty."""
    for layer in figure.layers:
        if type(layer.geom).__name__.removeprefix("geom_") in BEHIND:
            continue
        data = layer._data if isinstance(layer._data, pd.DataFrame) and len(layer._data) else figure.data
        mapping = {**figure.mapping, **layer.mapping}
        if not isinstance(data, pd.DataFrame) or not {mapping.get("x"), mapping.get("y")} <= set(data.columns):
            continue
        numbers = pd.DataFrame({axis: data[mapping[axis]] for axis in ("x", "y")}).reset_index(drop=True)
        if not pd.api.types.is_numeric_dtype(numbers["y"]):
            return None
        named = {"group": _grouping(data, mapping), "panel": _panel(figure, data)}
        for name, column in named.items():
            numbers[name] = data[column].astype(str).to_numpy() if column else ""
        return rows(numbers, pd.Series(np.isfinite(numbers["y"].astype(float))))
    return None


def _grouping(data: pd.DataFrame, mapping: dict[str, object]) -> str:
    columns = [str(mapping[name]) for name in GROUPING if mapping.get(name) in data.columns]
    words = [name for name in columns if not pd.api.types.is_numeric_dtype(data[name])]
    # A colour that is computed for each cell is no group.
    return next((name for name in words if not data[name].astype(str).str.startswith("#").any()), "")


def _panel(figure: ggplot, data: pd.DataFrame) -> str:
    columns = [name for name in getattr(figure.facet, "vars", []) or [] if name in data.columns]
    return str(columns[0]) if columns else ""


def _listed(names: list[str]) -> str:
    plain = [" ".join(name.split()) for name in names]
    more = len(plain) - MOST_NAMES
    return ", ".join(plain[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _extremes(figure: ggplot, numbers: pd.DataFrame) -> list[str]:
    """Say where each group of each panel, or all together where these are many, is highest and lowest."""
    if numbers.empty:
        return []
    keys = dict.fromkeys(zip(numbers["panel"], numbers["group"], strict=True))
    parts = [
        (panel, group, rows(numbers, (numbers["panel"] == panel) & (numbers["group"] == group)))
        for panel, group in keys
    ]
    if len(parts) > MOST_CLAUSES:
        parts = [("", "", numbers)]
    said = []
    for panel, group, part in parts:
        values = part["y"].to_numpy(dtype=float)
        high, low = int(values.argmax()), int(values.argmin())
        names = [" ".join(name.split()) for name in (panel, group) if name] if len(parts) > 1 else []
        before = f"{', '.join(names)}: " if names else ""
        places = [_place(figure, part["x"].iloc[place]) for place in (high, low)]
        told = f"highest {values[high]:.3g} at {places[0]}, lowest {values[low]:.3g} at {places[1]}"
        if values[high] == values[low]:
            told = f"{values[high]:.3g}"
        said.append(f"{before}{told if names else told[0].upper() + told[1:]}.")
    return said


def _place(figure: ggplot, x: object) -> str:
    """Return a place on the horizontal axis, by its label where the axis has labels."""
    if not isinstance(x, (int, float, np.integer, np.floating)):
        return str(x)
    for scale in figure.scales:
        breaks, labels = (getattr(scale, name, None) for name in ("breaks", "labels"))
        if "x" not in scale.aesthetics or not isinstance(breaks, list) or not isinstance(labels, list) or not breaks:
            continue
        if len(breaks) == len(labels) and all(isinstance(one, (int, float)) for one in breaks):
            return str(labels[int(np.argmin([abs(float(x) - one) for one in breaks]))])
    return f"{float(x):.3g}"
