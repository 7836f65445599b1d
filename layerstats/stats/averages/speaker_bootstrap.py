"""Patterns of labels from speakers' means, and what they would be with other speakers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from layerstats.stats.averages.averaging import Averaging

# Fewer speakers of a label do not say how speakers differ.
LEAST_SPEAKERS = 2


@dataclass(frozen=True, eq=False)
class SpeakerBootstrap:
    """Means and patterns of labels at the lags of a band, and replicates with speakers drawn with replacement.

    Attributes
    ----------
    averaging
        How speakers and labels are weighed.
    counted
        (speaker, label, lag), by how many windows each speaker's sum was divided.
    draws, seed
        Replicates.
    """

    averaging: Averaging
    counted: np.ndarray
    draws: int
    seed: int

    @cached_property
    def _weights(self) -> np.ndarray:
        return self.averaging.weights(self.counted)

    @cached_property
    def _drawn(self) -> np.ndarray:
        """How often each speaker is drawn, (replicate, speaker)."""
        speakers = len(self.counted)
        return np.random.default_rng(self.seed).multinomial(speakers, np.full(speakers, 1 / speakers), size=self.draws)

    @cached_property
    def _drawn_weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights of speakers' means, added up, and of labels, both (replicate, label, lag)."""
        return self._times(self._weights), self.averaging.label_weights(self._times(self.counted))

    @cached_property
    def speakers(self) -> np.ndarray:
        """How many speakers have each label at each lag, (label, lag)."""
        return (self.counted > 0).sum(axis=0)

    def estimates(self, means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the means of labels, (label, lag), and the mean over them, (lag,), of (speaker, label, lag)."""
        weights = self._weights
        found = _ratio((np.nan_to_num(means) * weights).sum(axis=0), weights.sum(axis=0))
        return found, _over_labels(found, self.averaging.label_weights(self.counted.sum(axis=0)))

    def replicates(self, means: np.ndarray) -> np.ndarray:
        """Return patterns with other speakers, (replicate, label, lag); NaN where none of these says a label."""
        weights, of_labels = self._drawn_weights
        found = _ratio(self._times(np.nan_to_num(means) * self._weights), weights)
        return found - _over_labels(found, of_labels)[:, None]

    def _times(self, values: np.ndarray) -> np.ndarray:
        return np.tensordot(self._drawn.astype(np.float32), values.astype(np.float32), axes=1)


def spread(replicates: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Return standard errors of replicates (replicate, ...), NaN with one speaker.

    Drawing some speakers with replacement understates variances by (speakers - 1) / speakers, which is put right.

    Parameters
    ----------
    replicates
        NaN where a replicate says nothing.
    speakers
        (...), how many there are.
    """
    there = np.isfinite(replicates)
    count = there.sum(axis=0)
    centre = np.where(there, replicates, 0).sum(axis=0) / np.maximum(count, 1)
    squares = np.where(there, np.square(replicates - centre), 0).sum(axis=0)
    enough = (speakers >= LEAST_SPEAKERS) & (count > 1)
    size = np.where(enough, speakers, LEAST_SPEAKERS)
    return np.where(enough, np.sqrt(squares / np.maximum(count - 1, 1) * size / (size - 1)), np.nan)


def _ratio(total: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.divide(total, weights, out=np.full(total.shape, np.nan, dtype=total.dtype), where=weights > 0)


def _over_labels(means: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean over labels, (..., lag), of (..., label, lag)."""
    return _ratio((np.nan_to_num(means) * weights).sum(axis=-2), weights.sum(axis=-2))
