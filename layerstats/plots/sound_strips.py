"""Strips at the top of panels, or a row of them, in which waveforms and phones stand above series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from mizani.breaks import breaks_extended
from plotnine import aes, geom_blank, geom_ribbon, geom_segment, geom_text, scale_y_continuous

from layerstats.errors import ArgumentError
from layerstats.plots.frames import beside, column, rows
from layerstats.plots.scales import COLOURS
from layerstats.plots.sounds_above import SoundsAbove

# The row of panels that is no layer, and an inch of its axis: as little as no series has, which tells it apart.
SOUND = "sound"
ROW_INCH = 1e-30
GREY = "#595959"
# Inches: of a waveform, of a line of labels, between what stands above each other, of a letter.
WAVE, LINE, GAP, LETTER = 0.24, 0.1, 0.05, 0.062
LETTER_SIZE = 6


def sound_strips(
    above: SoundsAbove | None,
    places: pd.DataFrame,
    *,
    axis: str,
    per_inch: float,
    colours: Mapping[str, str] | None = None,
) -> tuple[list[Any], float]:
    """Return what draws the strips, and how many inches they take of each panel.

    Parameters
    ----------
    above
        The sounds; None, and sounds that are not at hand, are no strips.
    places
        A row a strip: ``sound`` (whose), ``place`` (counted upwards from 0), the columns of the panel, ``foot`` (where
        on the vertical axis strips begin) and ``inch`` (how much of that axis is an inch).
    axis
        The column of time of the series.
    per_inch
        How much of the axis of time is an inch.
    colours
        Of each sound, where several stand in one panel.

    Raises
    ------
    ArgumentError
        The sounds are laid out along another axis than the series.
    """
    if above is None or above.tokens.empty:
        return [], 0.0
    check_along(above, axis)
    labels = _with_lines(above.phones.rename(columns={"group": "sound"}), per_inch)
    lines = 1 + int(np.nanmax(labels["line"].to_numpy())) if len(labels) else 0
    height = GAP + WAVE + LINE * lines
    here = rows(places, column(places, "sound").isin(above.tokens["group"]))
    base = here["foot"] + here["inch"] * (GAP + here["place"] * height)
    here = here.assign(base=base, middle=base + here["inch"] * WAVE / 2)
    inches = GAP + height * (1 + int(here["place"].to_numpy().max()))
    waves = here.merge(above.waveforms.rename(columns={"group": "sound"}), on="sound")
    waves = waves.assign(
        **{name: waves["middle"] + waves[name] * waves["inch"] * WAVE / 2 for name in ("low", "high")},
        strip=waves["sound"] + "/" + waves["place"].astype(str),
    )
    ends = labels[["sound", "start", "end"]].melt(id_vars="sound", value_name="x").drop_duplicates(["sound", "x"])
    marks = here.merge(ends, on="sound").assign(stop=lambda one: one["base"] + one["inch"] * WAVE)
    named = here.merge(labels.dropna(subset="line"), on="sound")
    named = named.assign(y=named["base"] + named["inch"] * (WAVE + LINE * (named["line"] + 0.5)))
    tops = pd.concat([here.assign(y=here["foot"]), here.assign(y=here["foot"] + here["inch"] * inches)])
    tops = tops.assign(x=waves["x"].iloc[0])
    drawn: list[Any] = []
    for colour, sounds in _by_colour(here, colours).items():
        own = rows(waves, column(waves, "sound").isin(sounds))
        shape = aes("x", ymin="low", ymax="high", group="strip")
        drawn.append(geom_ribbon(shape, data=own, inherit_aes=False, fill=colour, color=colour, size=0.1))
    lines_of = aes("x", "base", xend="x", yend="stop")
    return [
        *drawn,
        geom_segment(lines_of, data=marks, inherit_aes=False, linetype="dashed", size=0.3, color="#7f7f7f"),
        geom_text(aes("x", "y", label="label"), data=named, inherit_aes=False, size=LETTER_SIZE),
        geom_blank(aes("x", "y"), data=tops, inherit_aes=False),
    ], inches


def check_along(above: SoundsAbove, axis: str) -> None:
    """Refuse sounds that are laid out along another axis than the series."""
    wanted = "time" if axis == "time" else "time_ms"
    if axis not in ("time", "time_ms", "time_s") or above.along != wanted:
        raise ArgumentError(
            f"The sounds run along {above.along!r}, but the series along {axis!r}: make them with "
            f"sounds_above(..., along={wanted!r}); along any other covariate sounds cannot be drawn."
        )


def panel_places(data: pd.DataFrame, facets: Sequence[str], height: float, *, together: bool) -> pd.DataFrame:
    """Return where strips begin in each panel: `foot` and `inch`, from the largest and smallest value in it.

    Parameters
    ----------
    data : columns `facets`, `low`, `high`
        What is drawn.
    facets
        The columns that tell panels apart.
    height
        Inches that what is drawn has of a panel.
    together
        Whether all panels share a vertical axis.
    """
    found = data.groupby(list(facets), observed=True).agg(low=("low", "min"), high=("high", "max")).reset_index()
    low, high = (found["low"].min(), found["high"].max()) if together else (found["low"], found["high"])
    return found.assign(foot=high, inch=(high - low) / height).drop(columns=["low", "high"])


def strips_of_groups(
    above: SoundsAbove | None,
    data: pd.DataFrame,
    groups: Sequence[str],
    axis: str,
    panels_per_inch: float,
    height: float,
) -> tuple[list[Any], float]:
    """Return strips of all groups in every panel, the first group's uppermost, in the colours of their curves.

    Parameters
    ----------
    above, axis
        As of `sound_strips`.
    data : columns `panel, x, low, high`
        What is drawn.
    groups
        In the order of their colours.
    panels_per_inch
        How many panels stand side by side on an inch.
    height
        Inches that curves have of a panel.
    """
    own = pd.DataFrame({"sound": list(groups), "place": np.arange(len(groups))[::-1]})
    if above is not None:
        # Those without a sound leave no gap.
        own = rows(own, own["sound"].isin(above.tokens["group"])).assign(place=lambda one: np.arange(len(one))[::-1])
    places = panel_places(data, ["panel"], height, together=False).merge(own, how="cross")
    per_inch = float(np.ptp(data["x"])) * panels_per_inch
    return sound_strips(above, places, axis=axis, per_inch=per_inch, colours=dict(zip(groups, COLOURS, strict=False)))


def sound_row(places: pd.DataFrame, layers: Sequence[str]) -> pd.DataFrame:
    """Return places of strips in a row of panels of their own above those of the layers."""
    above = beside(SOUND, layers)
    panel = pd.Categorical([above] * len(places), categories=[above, *layers], ordered=True)
    return places.assign(panel=panel, foot=0.0, inch=ROW_INCH)


def below_sound_row(data: pd.DataFrame, inches: float) -> pd.DataFrame:
    """Put the panels of layers below the row of strips, where there are any."""
    panel = column(data, "panel")
    layers = list(panel.cat.categories)
    return data.assign(panel=panel.cat.set_categories([beside(SOUND, layers), *layers])) if inches else data


def breaks_below(height: float, inches: float) -> list[Any]:
    """Return a vertical axis that is marked below the strips only; nothing where there are none."""

    def breaks(limits: tuple[float, float]) -> list[float]:
        top = limits[0] + (limits[1] - limits[0]) * height / (height + inches)
        return [float(one) for one in breaks_extended(5)((limits[0], top)) if one <= top]

    return [scale_y_continuous(breaks=cast(Any, breaks))] if inches else []


def breaks_of_layers(inches: float) -> list[Any]:
    """Return a vertical axis that is not marked where strips have a row of panels of their own."""

    def breaks(limits: tuple[float, float]) -> list[float]:
        strips = float(np.abs(limits).max()) < 2 * inches * ROW_INCH
        return [] if strips else [float(one) for one in breaks_extended(5)(limits)]

    return [scale_y_continuous(breaks=cast(Any, breaks))] if inches else []


def label_lines(words: pd.DataFrame, letter: float, gap: float) -> np.ndarray:
    """Return on which of two lines each label stands, 0 or 1, so that none meets another; missing where it would.

    Parameters
    ----------
    words : columns `x, text`
    letter, gap
        Of a letter and between two labels, in units of `x`.
    """
    free = [-np.inf, -np.inf]
    found = np.full(len(words), np.nan)
    order = np.argsort(words["x"].to_numpy(), kind="stable")
    for place in order:
        middle, half = float(words["x"].iloc[place]), len(str(words["text"].iloc[place])) * letter / 2
        open_lines = [line for line in (0, 1) if middle - half >= free[line]]
        if open_lines:
            found[place] = open_lines[0]
            free[open_lines[0]] = middle + half + gap
    return found


def _with_lines(phones: pd.DataFrame, per_inch: float) -> pd.DataFrame:
    """Return phones with the middle that is seen of them and the line of their label."""
    placed = phones.assign(x=(phones["start"] + phones["end"]) / 2, text=phones["label"]).reset_index(drop=True)
    lines = [label_lines(own, LETTER * per_inch, 0.03 * per_inch) for _, own in placed.groupby("sound", sort=False)]
    return placed.assign(line=np.concatenate(lines) if lines else np.zeros(0))


def _by_colour(places: pd.DataFrame, colours: Mapping[str, str] | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for sound in dict.fromkeys(places["sound"].astype(str)):
        found.setdefault((colours or {}).get(sound, GREY), []).append(sound)
    return found
