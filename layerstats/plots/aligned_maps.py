"""Averages of aligned windows as maps of time and frequency (Krug & Stober 2018, Fig. 3 and supplement)."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from plotnine import (
    aes,
    coord_cartesian,
    element_blank,
    element_rect,
    element_text,
    facet_grid,
    geom_raster,
    geom_segment,
    geom_vline,
    ggplot,
    labs,
    scale_fill_gradientn,
    scale_x_continuous,
    scale_y_continuous,
    theme,
)

from layerstats.checks import check_choice
from layerstats.errors import DataError
from layerstats.plots.frames import band_marks, checked, column, in_order
from layerstats.plots.scales import AGAINST, FOR, FULL_COLOUR, inner_times
from layerstats.plots.theme import FAINT, PAGE_WIDTH, paper_theme
from layerstats.tables.readable_names import readable_name

LAG_LABEL = "Time from the alignment (ms)"
# Of all panels together, or of each by itself as published.
SCALES = ("common", "panel")
# Steps of colour on either side of 0: fewer than can be seen.
STEPS = 32
# Inches of a row of panels: nine of them and their legend fill a page.
ROW_HEIGHT = 0.93
# Of a name beside a row of panels, and of a letter of names.
ROW_NAME_INCHES, LETTER_INCHES = 0.8, 0.075


def aligned_maps(
    maps: pd.DataFrame,
    *,
    value: str = "pattern",
    row: str = "label",
    rows: Sequence[str] | None = None,
    beside: str = "alignment",
    scale: str = "common",
    marked: str | None = None,
    value_label: str = "",
    title: str = "",
    caption: str = "",
    row_height: float = ROW_HEIGHT,
) -> ggplot:
    """Draw maps of time and frequency, a row of panels a letter and a column an alignment, in colours about 0.

    Vermilion is above 0, blue below, grey what no window reaches. Colour is full at the 99.5 % quantile of absolute
    values, beyond which single values would fade all else.

    Parameters
    ----------
    maps : columns `lag_s, frequency_hz`, `value`, `row`, `beside`
        One row a lag and frequency band of each panel; a missing value is one that no window reaches. Bands are drawn
        equally high, as the network hears them; the axis is marked in Hz.
    value
        The column that is drawn.
    row, beside
        Columns that rows of panels and panels beside each other stand for.
    rows
        The levels of `row` that are drawn, such as the letters of one page; a common scale is that of all.
    scale : {"common", "panel"} or a column
        Whether all panels have one scale of colour, each its own as published, or all panels of one level of a column.
    marked
        A column of true and false: black lines go round what is true, for instance what a test may claim.
    value_label
        Title of the scale of colours, with the unit.
    title, caption
        What the figure shows, and what is to be said below it.
    row_height
        Inches of a row of panels.

    Raises
    ------
    ArgumentError
        If the scale is neither "common" nor "panel" nor a column.
    DataError
        If a column is missing, there is nothing to draw, or a panel has a band of a lag twice.
    """
    extra = [] if scale in SCALES else [scale]
    check_choice("scale", scale, [*SCALES, *(str(name) for name in maps.columns)])
    needed = ["lag_s", "frequency_hz", value, row, beside, *extra, *([marked] if marked else [])]
    data = _pixels(checked(maps, dict.fromkeys(needed), "aligned_maps"), value, row, beside, scale)
    if marked:
        data = data.assign(marked=pd.Series(maps[marked]).to_numpy(dtype=bool))
    if rows is not None:
        data = _only(data, rows, row)
    bands = np.sort(pd.unique(maps.loc[:, "frequency_hz"]))
    marks = band_marks(bands)
    count = len(column(data, "beside").cat.categories)
    beside_inches = (PAGE_WIDTH - 1.2) / count
    data = data.assign(
        row=_wrapped(column(data, "row"), ROW_NAME_INCHES), beside=_wrapped(column(data, "beside"), beside_inches)
    )
    drawn = len(column(data, "row").cat.categories)
    full = float(column(data, "full").max())
    below = (
        f"Vermilion: above 0, blue: below. Full colour at the {100 * FULL_COLOUR:g} % quantile{_scales(data, scale)}."
    )
    ends = (-1.0, 0.0, 1.0)
    figure = (
        ggplot(data, aes("time_ms", "band"))
        + geom_raster(aes(fill="part"))
        + geom_vline(xintercept=0, linetype="dotted", size=0.35, color="#404040")
        + facet_grid("row", "beside")
        + scale_fill_gradientn(
            colors=[to_hex(tuple(AGAINST)), "#ffffff", to_hex(tuple(FOR))],
            limits=(-1, 1),
            breaks=list(ends),
            labels=[f"{end * full:.3g}" for end in ends],
            na_value=FAINT,
            name=value_label or readable_name(value),
            guide="colorbar" if scale == "common" else None,
        )
        + scale_x_continuous(breaks=cast(Any, inner_times), expand=(0, 0))
        + scale_y_continuous(breaks=list(marks), labels=list(marks.values()), expand=(0, 0))
        + coord_cartesian()
        + labs(x=LAG_LABEL, y="Frequency (Hz)", title=title or None, caption=f"{below}\n{caption}".strip())
        + paper_theme(PAGE_WIDTH, 1.3 + row_height * drawn)
        + theme(
            panel_grid_major=element_blank(),
            panel_background=element_rect(fill=FAINT),
            panel_spacing=0.012,
            axis_text_y=element_text(size=6),
            strip_text_y=element_text(angle=0),
            legend_title=element_text(size=8),
            legend_key_width=90,
            legend_key_height=8,
        )
    )
    if marked is None:
        return figure
    lines = _outlines(data)
    if lines.empty:
        return figure
    ends_of = aes("time_ms", "band", xend="time_end", yend="band_end")
    return figure + geom_segment(ends_of, data=lines, size=0.45, color="black")


def _pixels(table: pd.DataFrame, value: str, row: str, beside: str, scale: str) -> pd.DataFrame:
    """Return place, panel and value of every pixel, the value as a part of what has full colour."""
    bands = np.sort(pd.unique(table.loc[:, "frequency_hz"]))
    data = pd.DataFrame(
        {
            # Lags of two panels that are the same but for rounding.
            "time_ms": (column(table, "lag_s") * 1000).round(9),
            "band": np.searchsorted(bands, table["frequency_hz"].to_numpy()),
            "row": in_order(column(table, row)),
            "beside": in_order(column(table, beside)),
            "value": column(table, value).astype(float),
        }
    )
    if data.duplicated(["time_ms", "band", "row", "beside"]).any():
        raise DataError(
            "The figure 'aligned_maps' shows one value a lag and band in a panel, but some have several. Select one, "
            "or name the columns that tell them apart (row=, beside=)."
        )
    absolute = column(data, "value").abs()
    own = {"common": np.zeros(len(data)), "panel": data.groupby(["row", "beside"], observed=True).ngroup()}
    full = absolute.groupby(own[scale] if scale in SCALES else column(table, scale)).transform(_full)
    return data.assign(
        full=full,
        scale=column(table, scale).astype(str) if scale not in SCALES else scale,
        part=(data["value"] / full * STEPS).round().clip(-STEPS, STEPS) / STEPS,
    )


def _scales(data: pd.DataFrame, scale: str) -> str:
    """Say which panels have a scale together, and its end where there are few."""
    if scale in SCALES:
        return " of each panel, which has a scale of its own" if scale == "panel" else ""
    ends = data.drop_duplicates("scale")
    return f" of each {scale}: " + ", ".join(
        f"{name} {end:.2g}" for name, end in zip(ends["scale"], ends["full"], strict=True)
    )


def _wrapped(names: pd.Series, inches: float) -> pd.Series:
    """Break names of panels that are longer than there is room."""
    every = list(names.cat.categories)
    return names.cat.rename_categories(["\n".join(wrap(name, int(inches / LETTER_INCHES))) or name for name in every])


def _only(data: pd.DataFrame, rows: Sequence[str], row: str) -> pd.DataFrame:
    """Return the rows of panels that are asked for."""
    for name in rows:
        check_choice(row, name, list(column(data, "row").cat.categories))
    some = data.loc[data["row"].isin(list(rows)).to_numpy()].reset_index(drop=True)
    return some.assign(row=column(some, "row").cat.remove_unused_categories())


def _full(absolute: Any) -> float:
    """Return the absolute value that has full colour; any where all are 0 or missing."""
    known = absolute[np.isfinite(absolute)]
    if not len(known):
        return 1.0
    return float(np.quantile(known, FULL_COLOUR)) or float(np.max(known)) or 1.0


def _outlines(data: pd.DataFrame) -> pd.DataFrame:
    """Return the lines round what is marked, along the edges of pixels, in each panel."""
    found = []
    for _, panel in data.groupby(["row", "beside"], observed=True, sort=False):
        times, bands = np.unique(panel["time_ms"]), np.unique(panel["band"])
        mask = np.zeros((len(bands), len(times)), bool)
        mask[np.searchsorted(bands, panel["band"]), np.searchsorted(times, panel["time_ms"])] = panel["marked"]
        # Edges of pixels lie half a step beside their centres.
        across, up = _edges(times), _edges(bands)
        padded = np.pad(mask, 1)
        flat = [(across[a], across[b], up[line], up[line]) for line, a, b in _runs(padded[1:] != padded[:-1])]
        upright = _runs((padded[:, 1:] != padded[:, :-1]).T)
        steep = [(across[line], across[line], up[a], up[b]) for line, a, b in upright]
        lines = pd.DataFrame([*flat, *steep], columns=["time_ms", "time_end", "band", "band_end"], dtype=float)
        found.append(lines.assign(row=panel["row"].iloc[0], beside=panel["beside"].iloc[0]))
    lines = pd.concat(found, ignore_index=True)
    levels = {name: column(data, name).cat.categories for name in ("row", "beside")}
    typed = {name: pd.Categorical(lines[name], categories=every, ordered=True) for name, every in levels.items()}
    return lines.assign(**typed)


def _edges(centres: np.ndarray) -> np.ndarray:
    """Return where pixels of these centres begin, and the last ends."""
    step = float(np.median(np.diff(centres))) if len(centres) > 1 else 1.0
    return np.append(centres - step / 2, centres[-1] + step / 2)


def _runs(edges: np.ndarray) -> list[tuple[int, int, int]]:
    """Return (line, first edge, last edge) of each run of true pixels of padded lines."""
    change = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(int), axis=1)
    (lines, starts), (_, stops) = np.nonzero(change == 1), np.nonzero(change == -1)
    # Pixels are counted from the padding, which is one before the first.
    return [(int(line), int(a) - 1, int(b) - 1) for line, a, b in zip(lines, starts, stops, strict=True)]
