"""Windows of real speech whose letters are shuffled, with or without a pattern that is known."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.stats.averages.calibration.noise_windows import (
    GRADIENT_MAXIMUM,
    GRADIENT_MINIMUM,
    NONE,
    PATTERN_SD,
    REACH,
    RELEVANCE,
    RELEVANCE_BY_TIME,
)
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows
from layerstats.stats.averages.reading.stored_windows import read_windows
from layerstats.store import Experiment, open_store

ADAPTED, GRADIENT = "adapted", "gradient"
# What is pooled (bands and samples), how many letters there are, and windows of each a speaker.
_POOLED_BANDS, _POOLED_SAMPLES = 16, 4
_LETTERS, _OF_EACH = 4, 4
# Pooled bands and samples that the pattern has in speech, from its alignment on.
_PATTERN_BANDS, _PATTERN_SAMPLES = slice(2, 4), range(2)
# How stored windows are aligned: the alignment and, by the method that made the relevance, the recording.
_STORED = {
    NONE: ("none", ADAPTED),
    RELEVANCE: ("max_relevance", ADAPTED),
    RELEVANCE_BY_TIME: ("max_relevance_by_time", ADAPTED),
    GRADIENT_MAXIMUM: ("max_relevance", GRADIENT),
    GRADIENT_MINIMUM: ("min_relevance", GRADIENT),
}


@dataclass(frozen=True, eq=False)
class SpeechWorld:
    """Windows of real speech whose letters are shuffled within speakers: where they are aligned is the network's.

    Parameters
    ----------
    windows
        By how they are aligned; all have the same values and letters.
    name
        In tables.
    inserted
        Height of the pattern that windows of the first letter have from their maximum of relevance on, in standard
        deviations of the values.

    Examples
    --------
    >>> windows = AlignedWindows.from_arrays(np.zeros((4, 1, 3)), ["a", "b", "a", "b"], ["s1", "s1", "s2", "s2"])
    >>> SpeechWorld({"adapted": windows}).name
    'speech'
    """

    windows: Mapping[str, AlignedWindows]
    name: str = "speech"
    inserted: float = 1.0

    @classmethod
    def of(cls, experiment: Experiment | str | os.PathLike[str]) -> SpeechWorld:
        """Read the most frequent letters of a store, at low resolution, a few windows of each letter a speaker.

        Parameters
        ----------
        experiment
            A store whose tokens are windows, recorded with maps and alignments by the adapted rule and the gradient
            (recordings "adapted" and "gradient").

        Returns
        -------
        SpeechWorld
            Its values are pooled over 16 bands and 4 samples.

        Raises
        ------
        DataError
            Its tokens are no windows of letters.
        StoreError
            The store has no maps, or no alignments under every letter.
        """
        store = experiment if isinstance(experiment, Experiment) else open_store(experiment)
        check_columns(store.tokens, ["letter"], f"the tokens of {store.path}")
        frequent = store.tokens["letter"].value_counts().index[:_LETTERS]
        labels = tuple(sorted(map(str, frequent)))
        found = {}
        values: np.ndarray | None = None
        for alignment, (stored, method) in _STORED.items():
            whole = read_windows(store, alignment=stored, relevance=method)
            table = whole.table.reset_index(drop=True)
            among = table[table["label"].isin(labels)]
            rows = among.groupby(["speaker", "label"]).head(_OF_EACH).index.to_numpy()
            if values is None:
                values = _pooled(whole, rows)
            samples = whole.samples[rows]
            if whole.by_label:
                samples = samples[:, [whole.labels.index(label) for label in labels]]
            found[alignment] = replace(
                whole,
                table=table.iloc[rows].reset_index(drop=True),
                labels=labels,
                samples=np.minimum(samples // _POOLED_SAMPLES, values.shape[2] - 1),
                lags=np.arange(-REACH, REACH + 1),
                bands=np.arange(values.shape[1]),
                size=values.shape[2],
                hop_s=whole.hop_s * _POOLED_SAMPLES,
                read=partial(_rows_of, values),
                alignment=alignment,
            )
        return cls(found)

    @property
    def speakers(self) -> int:
        """How many."""
        return len(set(self.windows[NONE].table["speaker"]))

    @cached_property
    def values(self) -> np.ndarray:
        """(window, band, sample)."""
        windows = self.windows[NONE]
        return windows.read(np.arange(len(windows.table)))

    def draw(self, generator: np.random.Generator, truth: str) -> dict[str, AlignedWindows]:
        """Return the windows with their letters shuffled, by how they are aligned."""
        table = self.windows[NONE].table
        shuffled = table.groupby("speaker")["label"].transform(lambda own: generator.permutation(own.to_numpy()))
        speaker = pd.factorize(table["speaker"])[0]
        own = generator.normal(1, PATTERN_SD, speaker.max() + 1)[speaker]
        drawn = {
            alignment: replace(windows, table=table.assign(label=shuffled))
            for alignment, windows in self.windows.items()
        }
        if truth != "inserted":
            return drawn
        values = self.values.copy()
        places = drawn[RELEVANCE].own_samples
        height = self.inserted * values.std()
        for offset in _PATTERN_SAMPLES:
            with_it = np.flatnonzero((shuffled == self.windows[NONE].labels[0]) & (places + offset < values.shape[2]))
            values[with_it, _PATTERN_BANDS, places[with_it] + offset] += height * own[with_it, None]
        return {alignment: replace(windows, read=partial(_rows_of, values)) for alignment, windows in drawn.items()}


def _pooled(windows: AlignedWindows, rows: np.ndarray) -> np.ndarray:
    """Return means over neighbouring bands and samples; what is left over at the ends is left out."""
    bands, samples = len(windows.bands) // _POOLED_BANDS, windows.size // _POOLED_SAMPLES
    pooled = np.empty((len(rows), bands, samples), np.float32)
    for first in range(0, len(rows), 256):
        values = windows.read(rows[first : first + 256])[:, : bands * _POOLED_BANDS, : samples * _POOLED_SAMPLES]
        shape = (len(values), bands, _POOLED_BANDS, samples, _POOLED_SAMPLES)
        pooled[first : first + 256] = values.reshape(shape).mean(axis=(2, 4))
    return pooled


def _rows_of(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return values[rows]
