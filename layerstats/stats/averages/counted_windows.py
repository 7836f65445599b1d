"""Sums over aligned windows, wherever they come from: windows in memory, windows of a store, or its stored sums."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from layerstats.checks import check_positive
from layerstats.errors import StoreError
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows
from layerstats.stats.averages.reading.stored_windows import (
    INPUT,
    LETTER,
    NONE,
    RELEVANCE,
    about_relevance,
    windows_of,
)
from layerstats.stats.averages.speaker_sums import CountedSpeaker, sums_of_store, sums_of_windows
from layerstats.store import Experiment, open_store

# What else may be said of how windows are read where sums over them are all there is.
_OF_SUMS = ("by", "alignment", "relevance", "quantity", "reach_s")
_WITHOUT_OTHERS = (
    "Averages are of stored sums over windows, of which other letters' windows under each letter are no part."
)
# A reach is a whole number of samples, but for rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class CountedWindows:
    """Sums over windows, a speaker at a time, and what their axes are.

    Attributes
    ----------
    speakers
        Goes through the windows once.
    labels, lags, bands, hop_s, band_name, quantity, alignment, notes
        As `AlignedWindows` has them.
    """

    speakers: Callable[[], Iterator[CountedSpeaker]]
    labels: tuple[str, ...]
    lags: np.ndarray
    bands: np.ndarray
    hop_s: float
    band_name: str
    quantity: str
    alignment: str
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls, source: AlignedWindows | Experiment | str | os.PathLike[str], reading: Mapping[str, Any], *, others: bool
    ) -> CountedWindows:
        """Return those of windows, or of a store; where it has no maps or alignments, or fewer will do, of its sums."""
        if isinstance(source, AlignedWindows):
            return cls._of_windows(windows_of(source, reading), others)
        store = source if isinstance(source, Experiment) else open_store(source)
        # Windows at their middle are the same under every label.
        stored = None if others and reading.get("alignment", NONE) != NONE else _stored_sums(store, reading)
        if stored is not None:
            return cls._of_sums(stored, reading)
        try:
            windows = windows_of(store, reading)
        except StoreError as error:
            stored = _stored_sums(store, reading)
            if stored is None:
                raise StoreError(f"{error} Its sums over windows are not of what is asked for either.") from error
            found = cls._of_sums(stored, reading)
            return found if found.alignment == NONE else replace(found, notes=(*found.notes, _WITHOUT_OTHERS))
        return cls._of_windows(windows, others)

    @classmethod
    def _of_windows(cls, windows: AlignedWindows, others: bool) -> CountedWindows:
        return cls(
            lambda: sums_of_windows(windows, others=others and windows.by_label),
            windows.labels,
            windows.lags,
            windows.bands,
            windows.hop_s,
            windows.band_name,
            windows.quantity,
            windows.alignment,
            windows.notes,
        )

    @classmethod
    def _of_sums(cls, stored: xr.Dataset, reading: Mapping[str, Any]) -> CountedWindows:
        lag_s = stored["lag_s"].to_numpy()
        hop_s, middle = float(np.diff(lag_s).mean()), int(np.abs(lag_s).argmin())
        alignment, quantity = reading.get("alignment", NONE), reading.get("quantity", INPUT)
        averaged = INPUT if quantity == INPUT else str(stored.attrs["quantity"])
        chosen = stored.sel(alignment=alignment)
        # At the alignment itself every window is there.
        chosen = chosen.assign(windows_of_letter=chosen["coverage"].isel(lag=middle))
        read = chosen["windows_of_letter"].sum("speaker").to_numpy() > 0
        chosen = chosen.isel(letter=np.flatnonzero(read))
        if reading.get("reach_s") is not None:
            check_positive("reach_s", reading["reach_s"])
            chosen = chosen.isel(lag=np.flatnonzero(np.abs(lag_s) <= reading["reach_s"] + _ROUNDING * hop_s))
        labels, missing = (stored["letter"].to_numpy()[some].astype(object) for some in (read, ~read))
        return cls(
            lambda: sums_of_store(chosen, INPUT if quantity == INPUT else RELEVANCE),
            tuple(labels),
            np.round(chosen["lag_s"].to_numpy() / hop_s).astype(int),
            chosen["frequency_hz"].to_numpy(),
            hop_s,
            "frequency",
            averaged,
            alignment,
            (
                *((f"No window is of the letter {', '.join(missing)}.",) if len(missing) else ()),
                *about_relevance(averaged, stored.attrs),
            ),
        )


def _stored_sums(store: Experiment, reading: Mapping[str, Any]) -> xr.Dataset | None:
    """Return the sums that are of all windows that are meant, as they are meant; None where there are none."""
    asked = {name: value for name, value in reading.items() if value is not None}
    there = store.sums.query("complete") if len(store.sums) else store.sums
    shown = store.name if store.has_recording and store.quantity != INPUT else None
    name = asked.get("relevance", shown)
    if name is None and len(there) == 1:
        name = there["name"].iloc[0]
    if name not in set(there["name"]) or asked.get("by", LETTER) != LETTER or not set(asked) <= set(_OF_SUMS):
        return None
    stored = store.window_sums(name)
    quantities = (INPUT, RELEVANCE, stored.attrs.get("quantity"))
    fits = (
        asked.get("alignment", NONE) in stored["alignment"].to_numpy().tolist(),
        asked.get("quantity", INPUT) in quantities,
        int(stored["windows"].sum()) == len(store.tokens),
        store.time_s is None,
    )
    return stored if all(fits) else None
