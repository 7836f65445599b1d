"""Relevance laid over the spectrogram that it is the relevance of (Krug & Stober 2018, Fig. 2)."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from plotnine import (
    aes,
    coord_cartesian,
    element_blank,
    facet_grid,
    geom_blank,
    geom_raster,
    geom_ribbon,
    geom_text,
    geom_vline,
    ggplot,
    labs,
    scale_fill_identity,
    scale_x_continuous,
    scale_y_continuous,
    theme,
)

from layerstats.checks import check_columns
from layerstats.errors import DataError
from layerstats.plots.frames import TIME_LABEL, band_marks, checked, column, in_order, rows
from layerstats.plots.layer_series import PHONE_COLUMNS
from layerstats.plots.scales import AGAINST, FOR, FULL_COLOUR, inner_times
from layerstats.plots.sound_strips import GREY, check_along, label_lines
from layerstats.plots.sounds_above import SoundsAbove
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("time_s", "frequency_hz", "input", "relevance")
# What a photocopy still shows of the loudest part of a spectrogram below the colour.
DARKEST = 0.25
# Steps of colour: fewer than can be seen.
STEPS = 32
# Of a waveform above the spectrogram: as a part of its height, and in inches.
WAVE_PART, WAVE_INCHES = 0.16, 0.2


def relevance_map(
    maps: pd.DataFrame,
    phones: pd.DataFrame | None = None,
    *,
    row: str | None = None,
    beside: str | None = None,
    with_input: bool = True,
    title: str = "",
    x_label: str = TIME_LABEL,
    above: SoundsAbove | None = None,
) -> ggplot:
    """Draw relevance in colour over the spectrogram in grey, with frequency in Hz, time in ms and phones marked.

    The spectrogram is white at its quietest and grey at its loudest, each by itself. Colour is full at the
    99.5 % quantile of absolute relevance of its panel, whose sign it shows: vermilion for the score, blue against it.

    Parameters
    ----------
    maps : columns `time_s, frequency_hz, input, relevance`
        One row a frame and frequency band. Bands are drawn equally high, as the network hears them, whatever their
        distance in Hz; the axis is marked in Hz.
    phones : columns `label, onset_s, offset_s`, optional
        In the time of the maps: boundaries go through all panels, labels stand above the uppermost; and, where `row` is
        a column of theirs too, those of each row in its panels.
    row, beside
        Columns that rows of panels (windows, tokens) and panels beside each other (methods, rules) stand for.
    with_input
        Whether the spectrogram alone stands on the left.
    title
        For instance the word and the speaker.
    x_label
        Title of the axis of time, for instance where 0 is the middle of a window.
    above
        Waveforms of the tokens, a group a row of panels, see `sounds_above`; phones are those of `phones`.

    Raises
    ------
    DataError
        If a column is missing, there is nothing to draw, or a panel has a band of a frame twice.
    """
    needed = [*REQUIRED_COLUMNS, *(name for name in (row, beside) if name)]
    table = checked(maps, needed, "relevance_map")
    bands = np.sort(pd.unique(table.loc[:, "frequency_hz"]))
    data = pd.DataFrame(
        {
            # Frames of two windows at the same time but for rounding. Coarser, and frames are unevenly spaced.
            "time_ms": (column(table, "time_s") * 1000).round(9),
            "band": np.searchsorted(bands, table["frequency_hz"].to_numpy()),
            "row": in_order(column(table, row)) if row else "",
            "beside": in_order(column(table, beside)) if beside else "relevance",
            "input": column(table, "input").astype(float),
            "relevance": column(table, "relevance").astype(float),
        }
    )
    if data.duplicated(["time_ms", "band", "row", "beside"]).any():
        raise DataError(
            "The figure 'relevance_map' shows one value a frame and band in a panel, but some have several. Select one "
            "window, or name the columns that tell them apart (row=, beside=)."
        )
    panels = _panels(data, with_input)
    names = list(panels["beside"].cat.categories)
    count = len(panels["row"].cat.categories)
    wave = _waveforms(above, panels, len(bands), names, row)
    marks = band_marks(bands)
    figure = (
        ggplot(panels, aes("time_ms", "band"))
        + geom_raster(aes(fill="colour"))
        + wave
        + (facet_grid("row", "beside") if row else facet_grid(cols="beside"))
        + scale_fill_identity()
        + scale_x_continuous(breaks=cast(Any, inner_times), expand=(0, 0))
        + scale_y_continuous(breaks=list(marks), labels=list(marks.values()), expand=(0, 0))
        + coord_cartesian()
        + labs(
            x=x_label,
            y="Frequency (Hz)",
            title=title or None,
            caption="Grey: what the network heard. Vermilion: relevance for the score, blue: against it;\n"
            f"full colour at the {100 * FULL_COLOUR:g} % quantile of each panel.",
        )
        + paper_theme(PAGE_WIDTH, 1.1 + (1.7 + (WAVE_INCHES if wave else 0)) * count)
        + theme(panel_grid_major=element_blank(), legend_position="none")
    )
    if phones is None or phones.empty:
        return figure
    return figure + _phones(phones, panels, len(bands) * (1 + WAVE_PART * bool(wave)), row, names)


def _waveforms(
    above: SoundsAbove | None, panels: pd.DataFrame, bands: int, names: list[str], row: str | None
) -> list[Any]:
    """Return waveforms between the spectrograms and the labels of phones, each in the panels of its row."""
    if above is None or above.tokens.empty:
        return []
    check_along(above, "time_ms")
    places = panels.loc[:, ["row", "beside"]].drop_duplicates()
    if row:
        data = places.assign(group=places["row"].astype(str)).merge(above.waveforms, on="group")
    else:
        data = places.merge(above.waveforms, how="cross")
    inside = (data["x"] >= panels["time_ms"].min()) & (data["x"] <= panels["time_ms"].max())
    half = bands * WAVE_PART / 2
    data = rows(data, inside).assign(**{name: bands + half * (1 + 0.9 * data[name]) for name in ("low", "high")})
    shape = aes("x", ymin="low", ymax="high")
    return [geom_ribbon(shape, data=data, inherit_aes=False, fill=GREY, color=GREY, size=0.1)]


def _panels(data: pd.DataFrame, with_input: bool) -> pd.DataFrame:
    """Return a colour for each cell of each panel, the spectrogram alone first."""
    spots = [_coloured(panel) for _, panel in data.groupby(["row", "beside"], observed=True, sort=False)]
    found = pd.concat(spots, ignore_index=True)
    names = list(in_order(column(data, "beside")).cat.categories)
    if with_input:
        alone = found.loc[found["beside"].astype(str) == names[0]].assign(relevance=0.0)
        plain = [_coloured(panel) for _, panel in alone.groupby("row", observed=True, sort=False)]
        found = pd.concat([pd.concat(plain).assign(beside="input"), found], ignore_index=True)
        names = ["input", *names]
    beside = pd.Categorical(found["beside"].astype(str), categories=names, ordered=True)
    every = list(in_order(column(data, "row")).cat.categories)
    return found.assign(beside=beside, row=pd.Categorical(found["row"].astype(str), categories=every, ordered=True))


def _coloured(panel: pd.DataFrame) -> pd.DataFrame:
    """Mix the grey of the input with the colour of the relevance, as much as there is of it."""
    heard, relevance = panel["input"].to_numpy(), panel["relevance"].to_numpy()
    low, high = float(heard.min()), float(heard.max())
    loud = (heard - low) / (high - low) if high > low else np.zeros_like(heard)
    grey = (1 - (1 - DARKEST) * np.rint(loud * (STEPS - 1)) / (STEPS - 1))[:, None] * np.ones(3)
    full = float(np.quantile(np.abs(relevance), FULL_COLOUR)) or float(np.abs(relevance).max()) or 1.0
    much = np.rint(np.clip(np.abs(relevance) / full, 0, 1) * (STEPS - 1))[:, None] / (STEPS - 1)
    colour = np.where(relevance[:, None] > 0, FOR, AGAINST)
    mixed, place = np.unique((1 - much) * grey + much * colour, axis=0, return_inverse=True)
    return panel.assign(colour=np.array([to_hex(one) for one in mixed])[place.reshape(-1)])


def _phones(phones: pd.DataFrame, panels: pd.DataFrame, bands: float, row: str | None, names: list[str]) -> list:
    """Mark boundaries in all panels, and write labels above, where there is room."""
    check_columns(phones, PHONE_COLUMNS, "the table of phones for the figure 'relevance_map'")
    low, high = float(np.min(panels["time_ms"])), float(np.max(panels["time_ms"]))
    every = list(panels["row"].cat.categories)
    own = column(phones, row).astype(str) if row and row in phones.columns else None
    frames = []
    for number, name in enumerate(every):
        here = phones if own is None else rows(phones, own == name)
        # Where all rows have the same phones, they are named once, above the uppermost.
        frames.append(here.assign(row=name, named=own is not None or number == 0))
    marked = pd.concat(frames, ignore_index=True)
    marked = marked.assign(row=pd.Categorical(marked["row"], categories=every, ordered=True))
    ends = marked.melt(id_vars="row", value_vars=["onset_s", "offset_s"], value_name="x").assign(
        x=lambda one: one["x"] * 1000
    )
    ends = ends.loc[(ends["x"] > low) & (ends["x"] < high)].drop_duplicates(["row", "x"])
    start = np.maximum(marked["onset_s"].to_numpy(dtype=float) * 1000, low)
    stop = np.minimum(marked["offset_s"].to_numpy(dtype=float) * 1000, high)
    words = marked.assign(x=(start + stop) / 2, text=marked["label"].astype(str))
    words = words.loc[words["named"].to_numpy(dtype=bool) & (stop > start)]
    # Inches of a letter and of the gap between two labels, as parts of a panel.
    letter, gap = (inches * len(names) / (PAGE_WIDTH - 0.9) * (high - low) for inches in (0.06, 0.04))
    half = words["text"].str.len().to_numpy() * letter / 2
    words = words.loc[(words["x"] - half >= low) & (words["x"] + half <= high)]
    lines = [label_lines(own, letter, gap) for _, own in words.groupby("row", observed=True, sort=False)]
    words = words.assign(line=np.concatenate(lines) if lines else 0.0).dropna(subset="line")
    above = 1.06 + 0.09 * words["line"].to_numpy()
    return [
        geom_vline(aes(xintercept="x"), data=ends, linetype="dashed", size=0.3, color="#595959"),
        geom_text(aes("x", "y", label="text"), data=words.assign(y=above * bands), size=7),
        geom_blank(aes("x", "y"), data=words.assign(y=(above + 0.07) * bands)),
    ]
