"""The numbers that a figure draws, read back from its layers: what is measured, where, in which panel and group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from plotnine import ggplot

from layerstats.tables.readable_names import readable_name

# What lies behind the numbers, or marks them.
BEHIND = {"rect", "ribbon", "hline", "vline", "abline", "blank", "errorbar", "errorbarh", "linerange", "segment"}
BEHIND |= {"boxplot", "text", "crossbar"}
MAPS = {"tile", "raster"}
GROUPING = ("color", "fill", "linetype", "shape")
COLUMNS = ("x", "y", "value", "group", "row", "column", "panel")
# Less than this part of the largest number is nothing that one sees.
UNSEEN = 1e-4


def geom_names(figure: ggplot) -> list[str]:
    """Return the kind of each layer, such as "point", that draws what the figure is of.

    Others, such as waveforms that stand above, inherit nothing.
    """
    return [type(layer.geom).__name__.removeprefix("geom_") for layer in _layers(figure)]


def _layers(figure: ggplot) -> list[Any]:
    return [layer for layer in figure.layers if layer.inherit_aes]


def drawn_numbers(figure: ggplot) -> pd.DataFrame:
    """Return a row a number that is drawn: where, its value, and the names of its panel and its group.

    Of layers that draw the same group of the same panel, the one on top counts: a mean, not what it is the mean of.

    Parameters
    ----------
    figure
        What the functions of `layerstats.plots` return.

    Returns
    -------
    DataFrame : columns `x, y, value, group, row, column, panel`
        `value` is the height of a point, its distance to the right where things stand below each other, or the shade of
        a cell; `row` and `column` are the two halves of a panel's name in a grid.
    """
    layers = [one for number in range(len(_layers(figure))) if (one := _layer_numbers(figure, number)) is not None]
    kept: list[pd.DataFrame] = []
    seen: set[tuple[str, str]] = set()
    for place in reversed(range(len(layers))):
        numbers = layers[place]
        others = [other for index, other in enumerate(layers) if index != place]
        if not any(numbers["group"]) and any(_same_but_named(numbers, other) for other in others):
            continue
        keys = pd.Series(list(zip(numbers["panel"], numbers["group"], strict=True)), index=numbers.index, dtype=object)
        numbers = numbers.loc[~keys.isin(seen).to_numpy()]
        seen |= set(keys)
        kept.insert(0, numbers)
    if not kept:
        return pd.DataFrame(columns=list(COLUMNS))
    numbers = pd.concat(kept, ignore_index=True)
    unseen = numbers["value"].abs() <= UNSEEN * numbers["value"].abs().max()
    return numbers.assign(value=numbers["value"].mask(unseen, 0.0))


def _same_but_named(numbers: pd.DataFrame, other: pd.DataFrame) -> bool:
    same = len(numbers) == len(other) and numbers["value"].to_numpy().tolist() == other["value"].to_numpy().tolist()
    return same and any(other["group"])


def _layer_numbers(figure: ggplot, number: int) -> pd.DataFrame | None:
    layer = _layers(figure)[number]
    kind = geom_names(figure)[number]
    # Limits are dashed.
    if kind in BEHIND or layer.geom.aes_params.get("linetype") in ("dashed", "dotted"):
        return None
    data = layer._data if isinstance(layer._data, pd.DataFrame) and len(layer._data) else figure.data
    mapping = {**figure.mapping, **layer.mapping}
    if not isinstance(data, pd.DataFrame) or not {mapping.get("x"), mapping.get("y")} <= set(data.columns):
        return None
    value, panels = _measured(figure, kind, data, mapping), facet_columns(figure)
    # What stands in every panel lies behind the panel's own.
    if value is None or not set(panels) <= set(data.columns):
        return None
    # Marks of several groups stand about the line that the label names.
    y = "label" if kind not in MAPS and is_sideways(figure) and "label" in data else mapping["y"]
    parts = {"x": data[mapping["x"]], "y": data[y], "value": data[value].astype(float)}
    numbers = pd.DataFrame({name: column.to_numpy() for name, column in parts.items()})
    groups = [] if kind in MAPS else _grouping(data, mapping)
    numbers["group"] = [", ".join(map(_plain, names)) for names in data[groups].to_numpy()] if groups else ""
    for name, panel in zip(("row", "column"), panels if len(panels) == 2 else (), strict=False):
        numbers[name] = [_plain(one) for one in data[panel]]
    numbers["panel"] = [", ".join(map(_plain, names)) for names in data[panels].to_numpy()] if panels else ""
    numbers = numbers.reindex(columns=list(COLUMNS), fill_value="")
    return numbers.loc[np.isfinite(numbers["value"].to_numpy())].reset_index(drop=True)


def _measured(figure: ggplot, kind: str, data: pd.DataFrame, mapping: dict[str, object]) -> str | None:
    """Return the column of what is measured."""
    if kind in MAPS:
        fill = str(mapping.get("fill"))
        names: Sequence[str] = ("value", fill)
    elif is_sideways(figure):
        names = (str(mapping["x"]),)
    else:
        names = (str(mapping["y"]),)
    return next((name for name in names if name in data and pd.api.types.is_numeric_dtype(data[name])), None)


def is_sideways(figure: ggplot) -> bool:
    """Whether a figure measures to the right, and what is measured stands below each other."""
    if "errorbarh" in geom_names(figure):
        return True
    column = figure.mapping.get("y")
    data = figure.data
    return isinstance(data, pd.DataFrame) and column in data and not pd.api.types.is_numeric_dtype(data[column])


def facet_columns(figure: ggplot) -> list[str]:
    """Return the columns whose values head the panels: those of rows first."""
    facet = figure.facet
    names = [*(getattr(facet, "rows", None) or []), *(getattr(facet, "cols", None) or [])]
    return [str(name) for name in names or getattr(facet, "vars", None) or []]


def _grouping(data: pd.DataFrame, mapping: dict[str, object]) -> list[str]:
    columns = dict.fromkeys(str(mapping[name]) for name in GROUPING if mapping.get(name) in data.columns)
    words = [name for name in columns if not pd.api.types.is_numeric_dtype(data[name])]
    # A colour that is computed for each cell is no group.
    return [name for name in words if not data[name].astype(str).str.startswith("#").any()]


def _plain(name: object) -> str:
    return " ".join(readable_name(name).split())
