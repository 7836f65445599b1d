"""What a figure shows, in words, for those who cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd
from plotnine import ggplot

from layerstats.plots.drawn_numbers import MAPS, drawn_numbers, geom_names, is_sideways

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
    "errorbarh": "intervals",
    "linerange": "intervals",
    "boxplot": "boxes",
    "violin": "violins",
}
# More clauses than this nobody listens to.
MOST_CLAUSES = 6
MOST_NAMES = 8
# Places of a line, such as layers, are told one by one as long as they are no more than this.
MOST_PLACES = 6
# Of a map with more cells the extremes are told, of a smaller one every row.
MOST_CELLS, MOST_MAPS = 100, 3
LINES = {"line", "path", "step"}
# A correlation of this size is a trend that one sees.
CLEAR = 0.3


def describe_figure(figure: ggplot) -> str:
    """Say in words what a figure draws: its kind, axes, panels and groups, and of each how it goes and its extremes.

    Parameters
    ----------
    figure
        What the functions of `layerstats.plots` return.

    Examples
    --------
    >>> from plotnine import aes, geom_line, labs
    >>> frame = pd.DataFrame({"lag": [0, 1, 2], "r": [1.0, 0.5, 0.1]})
    >>> describe_figure(ggplot(frame, aes("lag", "r")) + geom_line() + labs(x="Lag", y="Correlation"))
    'Lines: Correlation by Lag. Falls from 1 at 0 to 0.1 at 2.'
    """
    kinds = list(dict.fromkeys(NAMES[kind] for kind in geom_names(figure) if kind in NAMES))
    kind = " and ".join(kinds) or "figure"
    across, up = (_label(figure, axis) for axis in ("x", "y"))
    axes = f": {up} by {across}" if across and up else f": {up or across}" if up or across else ""
    said = [f"{kind[0].upper()}{kind[1:]}{axes}."]
    numbers = drawn_numbers(figure)
    for column, what in (("panel", "panels"), ("group", "groups")):
        names = [name for name in dict.fromkeys(numbers[column]) if name]
        halves = [dict.fromkeys(numbers[half]) for half in ("row", "column")]
        grid = column == "panel" and all(len(half) > 1 for half in halves)
        listed = " by ".join(_listed(list(half)) for half in halves) if grid else _listed(names)
        said += [f"{len(names)} {what}: {listed}."] if len(names) > 1 else []
    return " ".join([*said, *_told(figure, numbers)])


def _label(figure: ggplot, axis: str) -> str:
    text = figure.labels.get(axis, "")
    return " ".join(text.split()) if isinstance(text, str) else ""


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _told(figure: ggplot, numbers: pd.DataFrame) -> list[str]:
    """Tell of each series; where these are many of each group, else of each panel, else of all together."""
    if numbers.empty:
        return []
    series = numbers.groupby(["panel", "group"], sort=False)
    if len(series) <= MOST_CLAUSES:
        parts = [(", ".join(filter(None, map(str, cast(tuple, key)))), part) for key, part in series]
        tell = _course if len(parts) <= MOST_MAPS or not MAPS & set(geom_names(figure)) else _extremes
        return [_clause(name if len(parts) > 1 else "", tell(figure, part)) for name, part in parts]
    for column, others in (
        ("group", ["panel"]),
        ("row", ["column", "group"]),
        ("column", ["row", "group"]),
        ("panel", ["group"]),
    ):
        if 1 < len(dict.fromkeys(numbers[column])) <= MOST_NAMES:
            parts = numbers.groupby(column, sort=False)
            return [_clause(str(name), _extremes(figure, part, *others)) for name, part in parts]
    return [_clause("", _extremes(figure, numbers, "panel", "group"))]


def _clause(name: str, told: str) -> str:
    if name:
        return f"{name}: {told}."
    # Not what somebody called a layer or a word.
    return f"{told[0].upper()}{told[1:]}." if told.startswith(("highest", "from", "rises", "falls")) else f"{told}."


def _course(figure: ggplot, part: pd.DataFrame) -> str:
    """Tell how one series goes: place by place where there are few, else from where to where."""
    kinds = set(geom_names(figure))
    if MAPS & kinds:
        return _rows_of_map(figure, part) or _extremes(figure, part)
    values = part["value"].to_numpy(dtype=float)
    if np.ptp(values) == 0:
        return f"{_number(values[0])}{' throughout' if len(values) > 1 else ''}"
    named = is_sideways(figure) or not pd.api.types.is_numeric_dtype(part["x"]) or _labels(figure, "x") is not None
    line = not is_sideways(figure) and (bool(LINES & kinds) or not named) and _one_a_place(part, kinds)
    if not named and not line:
        return _extremes(figure, part) if LINES & kinds else _cloud(part)
    places = [_place(figure, part, row) for row in range(len(part))]
    different = len(set(places))
    # Of a curve the labels of the axis are ticks.
    if line and (not named or different < len(part) or different > MOST_PLACES):
        return _path(figure, part)
    return _place_by_place(values, places) if different <= MOST_NAMES else _extremes(figure, part)


def _one_a_place(part: pd.DataFrame, kinds: set[str]) -> bool:
    """Whether there is one number a place: of points alone, at equal distances."""
    if not pd.api.types.is_numeric_dtype(part["x"]) or len(set(part["x"])) < len(part):
        return False
    steps = np.diff(np.sort(part["x"].to_numpy(dtype=float)))
    return bool(LINES & kinds) or bool(np.allclose(steps, steps[0]))


def _place_by_place(values: np.ndarray, places: Sequence[str]) -> str:
    """Tell the number at each place, or from where to where several lie."""
    told = []
    for place in dict.fromkeys(places):
        here = values[[other == place for other in places]]
        low, high = _number(here.min()), _number(here.max())
        told.append(f"{place} {low}" if low == high else f"{place} {low} to {high}")
    return ", ".join(told)


def _path(figure: ggplot, part: pd.DataFrame) -> str:
    part = part.sort_values("x", kind="stable")
    values = part["value"].to_numpy(dtype=float)
    first, last = (f"{_number(values[row])} at {_place(figure, part, row)}" for row in (0, -1))
    high, low = int(values.argmax()), int(values.argmin())
    if {high, low} == {0, len(values) - 1}:
        return f"{'rises' if low == 0 else 'falls'} from {first} to {last}"
    return f"from {first} to {last}, {_extremes(figure, part)}"


def _cloud(part: pd.DataFrame) -> str:
    """Tell where points lie, and whether they rise."""
    x, y = (part[name].to_numpy(dtype=float) for name in ("x", "value"))
    told = (
        f"{len(part)} points, mean {_number(y.mean())} at {_number(x.mean())}, {_number(y.min())} to {_number(y.max())}"
    )
    related = float(np.corrcoef(x, y)[0, 1]) if x.std() > 0 and len(part) > 2 else 0.0
    trend = f", {'rising' if related > 0 else 'falling'} (correlation {related:.2f})" if abs(related) > CLEAR else ""
    return told + trend


def _rows_of_map(figure: ggplot, part: pd.DataFrame) -> str:
    """Tell of a small table of shades which cell of each row is darkest."""
    if pd.api.types.is_numeric_dtype(part["y"]) or len(set(part["y"])) > MOST_NAMES or len(part) > MOST_CELLS:
        return ""
    told = []
    # Everything is like itself.
    itself = (part["x"].astype(str) == part["y"].astype(str)).to_numpy()
    values = part["value"].to_numpy(dtype=float)
    if itself.any() and values[itself].min() == values.max() and not itself.all():
        part = part.loc[~itself]
    for name, row in part.groupby("y", sort=False, observed=True):
        best = row.iloc[int(row["value"].to_numpy(dtype=float).argmax())]
        told.append(f"{' '.join(str(name).split())} most at {best['x']} ({_number(best['value'])})")
    return ", ".join(told)


def _extremes(figure: ggplot, part: pd.DataFrame, *named: str) -> str:
    values = part["value"].to_numpy(dtype=float)
    high, low = int(values.argmax()), int(values.argmin())
    if values[high] == values[low]:
        return f"{_number(values[high])} throughout"
    said = []
    for row in (high, low):
        whose = [str(part[name].iloc[row]) for name in named]
        said.append(f"{_number(values[row])} at {', '.join(filter(None, [_place(figure, part, row), *whose]))}")
    return f"highest {said[0]}, lowest {said[1]}"


def _number(value: float) -> str:
    # Less than this is what rounding left of zero.
    return f"{value if abs(value) > 1e-12 else 0.0:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _place(figure: ggplot, part: pd.DataFrame, row: int) -> str:
    """Return where a number stands: on the axis of what is not measured, of a map on both."""
    x, y = (_on_axis(figure, axis, part[axis].iloc[row]) for axis in ("x", "y"))
    if MAPS & set(geom_names(figure)):
        return f"{y}, {x}"
    return y if is_sideways(figure) else x


def _on_axis(figure: ggplot, axis: str, at: object) -> str:
    """Return a place on an axis, by its label where the axis has labels."""
    if not isinstance(at, (int, float, np.integer, np.floating)):
        return " ".join(str(at).split())
    named = _labels(figure, axis)
    if named is None:
        return _number(float(at))
    return named[min(named, key=lambda one: abs(float(at) - one))]


def _labels(figure: ggplot, axis: str) -> dict[float, str] | None:
    """Return the names of the places of an axis, or None where it has numbers."""
    for scale in figure.scales:
        breaks, labels = (getattr(scale, name, None) for name in ("breaks", "labels"))
        if axis not in scale.aesthetics or not isinstance(breaks, list) or not isinstance(labels, list) or not breaks:
            continue
        if len(breaks) == len(labels) and all(isinstance(one, (int, float)) for one in breaks):
            named = {float(at): " ".join(str(label).split()) for at, label in zip(breaks, labels, strict=True)}
            return None if all(label == f"{at:g}" for at, label in named.items()) else named
    return None
