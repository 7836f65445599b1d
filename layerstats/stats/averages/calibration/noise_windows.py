"""Noise that a small network listens to, and letters that have nothing to do with it, or a pattern that is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from layerstats.stats.averages.reading.aligned_windows import AlignedWindows

TRUTHS = ("none", "inserted")
# How windows of noise are aligned; the gradient's extremes are those of the same small network.
NONE = "none"
RELEVANCE, RELEVANCE_BY_TIME = "maximum of relevance", "maximum of relevance by time"
GRADIENT_MAXIMUM, GRADIENT_MINIMUM = "maximum of the gradient", "minimum of the gradient"
ALIGNMENTS = (NONE, RELEVANCE, RELEVANCE_BY_TIME, GRADIENT_MAXIMUM, GRADIENT_MINIMUM)
_BANDS, _SAMPLES = 4, 20
# Samples that a detector hears at once, and its norm: the larger, the more one place decides.
_WIDTH, _NORM = 5, 3.0
# Lags that are tested: beyond them few windows reach.
REACH = 4
# Standard deviation of speakers' own spectra, and of what speakers do with the pattern, where its mean is 1.
_SPECTRUM_SD, PATTERN_SD = 0.3, 0.4
# Samples about the middle among which the pattern begins.
_JITTER = 3


@dataclass(frozen=True)
class NoiseWorld:
    """White noise, letters that have nothing to do with it, and a small network that listens for each letter.

    The network has a detector a letter, a convolution whose responses are pooled over time by the logarithm of the
    mean of their exponentials. Its gradient and its relevance (input times gradient) are known in closed form.

    Parameters
    ----------
    name
        In tables.
    speakers, windows
        How many, and how many of each speaker on average; speakers have from half to one and a half times as many.
    chances
        How often a window has each letter.
    inserted
        Root of the sum of squares of the pattern that windows of the first letter have, where noise has variance 1.
    """

    name: str
    speakers: int
    windows: int
    chances: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)
    inserted: float = 4.0

    @property
    def labels(self) -> tuple[str, ...]:
        """The letters."""
        return tuple("abcdefghijklmnopqrstuvwxyz"[: len(self.chances)])

    @property
    def detectors(self) -> np.ndarray:
        """(letter, band, sample) what the network listens for."""
        drawn = np.random.default_rng(0).standard_normal((len(self.chances), _BANDS, _WIDTH))
        return _NORM * drawn / np.sqrt(np.sum(drawn**2, axis=(1, 2), keepdims=True))

    def draw(self, generator: np.random.Generator, truth: str) -> dict[str, AlignedWindows]:
        """Return the windows of a data set, by how they are aligned."""
        counts = generator.integers(-(-self.windows // 2), self.windows + self.windows // 2 + 1, self.speakers)
        speaker = np.repeat(np.arange(self.speakers), counts)
        label = generator.choice(len(self.chances), len(speaker), p=self.chances)
        values = generator.standard_normal((len(speaker), _BANDS, _SAMPLES))
        values += generator.normal(0, _SPECTRUM_SD, (self.speakers, _BANDS))[speaker][:, :, None]
        own = generator.normal(1, PATTERN_SD, self.speakers)[speaker]
        first = generator.integers(-_JITTER, _JITTER + 1, len(speaker)) + (_SAMPLES - _WIDTH) // 2
        if truth == "inserted":
            with_it = np.flatnonzero(label == 0)
            pattern = self.inserted / _NORM * self.detectors[0]
            for offset in range(_WIDTH):
                values[with_it, :, first[with_it] + offset] += own[with_it, None] * pattern[:, offset]
        found = {}
        for alignment, samples in places(values, self.detectors).items():
            windows = AlignedWindows.from_arrays(
                values, [self.labels[code] for code in label], speaker.astype(str).tolist(), samples,
                levels=self.labels, alignment=alignment,
            )  # fmt: skip
            found[alignment] = replace(windows, lags=np.arange(-REACH, REACH + 1))
        return found


def places(values: np.ndarray, detectors: np.ndarray) -> dict[str, np.ndarray]:
    """Return the sample at which windows are aligned for every letter, by alignment: (window, letter) or (window,).

    Parameters
    ----------
    values
        (window, band, sample).
    detectors
        (letter, band, sample).
    """
    responses = np.einsum("wbtk,lbk->wlt", sliding_window_view(values, detectors.shape[2], axis=2), detectors)
    weights = np.exp(responses - responses.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    count, letters, steps = weights.shape
    gradient = np.zeros((count, letters, *values.shape[1:]))
    for offset in range(detectors.shape[2]):
        gradient[..., offset : offset + steps] += weights[:, :, None] * detectors[:, :, offset, None]
    relevance = values[:, None] * gradient
    return {
        NONE: np.full(count, values.shape[2] // 2),
        RELEVANCE: relevance.max(axis=2).argmax(axis=2),
        RELEVANCE_BY_TIME: relevance.sum(axis=2).argmax(axis=2),
        GRADIENT_MAXIMUM: gradient.max(axis=2).argmax(axis=2),
        GRADIENT_MINIMUM: gradient.min(axis=2).argmin(axis=2),
    }
