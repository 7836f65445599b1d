"""One token, from its waveform to the last layer (Begus & Zhou 2022, Fig. 2)."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    coord_cartesian,
    facet_grid,
    geom_blank,
    geom_line,
    geom_point,
    geom_ribbon,
    geom_text,
    geom_vline,
    ggplot,
    labs,
)

from layerstats.checks import check_columns, check_positive
from layerstats.errors import ArgumentError, DataError
from layerstats.plots.frames import (
    ACTIVATION_LABEL,
    TIME_LABEL,
    beside,
    checked,
    column,
    count,
    in_order,
    milliseconds,
    rows,
)
from layerstats.plots.sounds_above import envelope
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("layer", "value")
PHONE_COLUMNS = ("label", "onset_s", "offset_s")

WAVEFORM = "waveform"
FEW_PANELS = 3
# More steps of the envelope than this cannot be seen in print.
STEPS = 1200
# Up to this many outputs a layer's samples are shown as points on its line.
FEW_SAMPLES = 80


def layer_series(
    waveform: np.ndarray | None,
    rate_hz: float | None,
    frame: pd.DataFrame,
    *,
    phones: pd.DataFrame | None = None,
    title: str = "",
    limits_ms: tuple[float, float] | None = None,
    value_label: str = ACTIVATION_LABEL,
) -> ggplot:
    """Draw a token's waveform and below it the averaged activation of each layer, on one axis of time.

    Parameters
    ----------
    waveform : (sample,) or None
        The clip that the network heard; its first sample is at time 0. None where the speech is not at hand: the
        layers alone are drawn.
    rate_hz
        Its sampling rate, in Hz.
    frame : columns `layer, time_s (or time_ms), value`
        The series of this one token, not up-sampled: points mark the outputs of layers that have few.
    phones : columns `label, onset_s, offset_s`, optional
        Phones of this token in clip time: boundaries go through all panels, labels stand in the uppermost.
    title
        For instance the word and the speaker.
    limits_ms
        The stretch of time to show; all by default.
    value_label
        What the values of the layers are, with units.

    Raises
    ------
    DataError
        If a column is missing, there are no rows, or there is more than one token.
    ArgumentError
        If the waveform is not a series of numbers.
    """
    frame = checked(frame, REQUIRED_COLUMNS, "layer_series")
    if waveform is not None:
        _check_waveform(waveform, rate_hz)
    if "token" in frame.columns and count(column(frame, "token")) > 1:
        raise DataError(
            f"The figure 'layer_series' shows one token, but got {count(column(frame, 'token'))} "
            f"({', '.join(map(str, frame['token'].unique()[:3]))}, ...). Select one."
        )
    layers = in_order(column(frame, "layer"))
    names = list(layers.cat.categories)
    panels = [*([] if waveform is None else [beside(WAVEFORM, names)]), *names]
    series = pd.DataFrame({"x": milliseconds(frame, "layer_series"), "y": frame["value"], "panel": layers})
    series["panel"] = pd.Categorical(series["panel"].astype(str), categories=panels, ordered=True)
    sizes = Counter(layers.astype(str))
    few = [sizes[layer] <= FEW_SAMPLES for layer in layers.astype(str)]
    # Two or three panels are too low for a title of one line.
    apart = "\n" if len(panels) <= FEW_PANELS else " "
    figure = (
        ggplot(series, aes("x", "y"))
        + _waveform(waveform, rate_hz, panels)
        + geom_line(size=0.4)
        + geom_point(data=rows(series, few), size=0.9)
        + facet_grid("panel", None, scales="free_y")
        + labs(
            x=TIME_LABEL,
            y=value_label + ("" if waveform is None else f";{apart}amplitude of the waveform"),
            title=title,
        )
        + paper_theme(PAGE_WIDTH, max(2.6, 0.8 + 0.95 * len(panels)))
    )
    if phones is not None and len(phones):
        uppermost = series.loc[series["panel"] == panels[0], "y"] if waveform is None else waveform
        figure += _phones(phones, panels, float(np.abs(uppermost).max()))
    if limits_ms is not None:
        figure += coord_cartesian(xlim=limits_ms)
    return figure


def _check_waveform(waveform: np.ndarray, rate_hz: float | None) -> None:
    if rate_hz is None:
        raise ArgumentError("A waveform needs its sampling rate: give the 'rate_hz' parameter, in Hz.")
    check_positive("rate_hz", rate_hz)
    if waveform.ndim != 1 or waveform.size == 0 or not np.issubdtype(waveform.dtype, np.number):
        raise ArgumentError(
            "The 'waveform' parameter must be one series of numbers (sample,), but got an array of shape "
            f"{waveform.shape} and dtype {waveform.dtype} instead."
        )


def _waveform(waveform: np.ndarray | None, rate_hz: float | None, panels: list[str]) -> list:
    if waveform is None or rate_hz is None:
        return []
    envelope = _envelope(waveform, rate_hz, panels)
    line = aes("x", ymin="low", ymax="high")
    return [geom_ribbon(line, data=envelope, inherit_aes=False, fill="#595959", color="#595959", size=0.2)]


def _envelope(waveform: np.ndarray, rate_hz: float, panels: list[str]) -> pd.DataFrame:
    """Lowest and highest value in each of `STEPS` steps of time, which is what a drawn line covers."""
    middles, low, high = envelope(waveform, STEPS)
    return pd.DataFrame(
        {
            "x": middles / rate_hz * 1000,
            "low": low,
            "high": high,
            "panel": pd.Categorical([panels[0]] * len(middles), categories=panels, ordered=True),
        }
    )


def _phones(phones: pd.DataFrame, panels: list[str], peak: float) -> list:
    check_columns(phones, PHONE_COLUMNS, "the table of phones for the figure 'layer_series'")
    boundaries = pd.DataFrame({"x": np.unique(phones[["onset_s", "offset_s"]].to_numpy(dtype=float)) * 1000})
    names = pd.DataFrame(
        {
            "x": (phones["onset_s"] + phones["offset_s"]) * 500,
            "y": 1.3 * peak,
            "name": phones["label"].astype(str),
            "panel": pd.Categorical([panels[0]] * len(phones), categories=panels, ordered=True),
        }
    )
    return [
        geom_vline(aes(xintercept="x"), data=boundaries, linetype="dashed", size=0.35, color="#7f7f7f"),
        geom_text(aes("x", "y", label="name"), data=names, inherit_aes=False, size=8),
        # Room for the labels: axes take no account of the height of letters.
        geom_blank(aes("x", "y"), data=names.assign(y=1.6 * peak), inherit_aes=False),
    ]
