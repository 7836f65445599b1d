"""Patterns of labels from speakers' means, and what they would be with other speakers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from layerstats.checks import check_count
from layerstats.errors import ArgumentError
from layerstats.stats.averages.averaging import Averaging

# Fewer speakers of a label do not say how speakers differ.
LEAST_SPEAKERS = 2
# Bands of two speakers, with one degree of freedom, reach tens of times further than all others.
LEAST_SPEAKERS_OF_BANDS = 3
# Standard errors below this part of the largest are what rounding leaves.
ROUNDING = 1e-6


def check_draws(draws: int) -> None:
    """Raise `ArgumentError` unless there are replicates enough for a spread."""
    check_count("draws", draws)
    if draws < 2:
        raise ArgumentError("One replicate has no spread: take 2 'draws' at the very least, 200 for standard errors.")


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
        drawn = np.random.default_rng(self.seed).multinomial(speakers, np.full(speakers, 1 / speakers), size=self.draws)
        return drawn.astype(np.float32)

    @cached_property
    def speakers(self) -> np.ndarray:
        """How many speakers have each label at each lag, (label, lag)."""
        return (self.counted > 0).sum(axis=0)

    def estimates(self, means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the means of labels, (label, lag), and the mean over them, (lag,), of (speaker, label, lag)."""
        weights = self._weights
        found = _ratio((np.nan_to_num(means) * weights).sum(axis=0), weights.sum(axis=0))
        of_labels = self.averaging.label_weights(self.counted.sum(axis=0))
        return found, _ratio((np.nan_to_num(found) * of_labels).sum(axis=0), of_labels.sum(axis=0))

    def replicates(self, means: np.ndarray) -> np.ndarray:
        """Return patterns with other speakers, (replicate, label, lag); NaN where none of these says a label."""
        ratio, share, absent = self._drawn_ratios
        found = self._times(np.nan_to_num(means) * self._weights)
        found *= ratio
        found -= np.einsum("rlk,rlk->rk", found, share)[:, None]
        if absent is not None:
            found[absent] = np.nan
        return found

    @cached_property
    def _drawn_ratios(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """What makes sums over speakers means, and means of labels their mean, and what is not there.

        All are (replicate, label, lag), and the same in all bands.
        """
        weights = self._times(self._weights)
        of_labels = self.averaging.label_weights(self._times(self.counted)).astype(np.float32)
        there = weights > 0
        ratio = np.divide(1, weights, out=np.zeros_like(weights), where=there)
        share = of_labels / np.maximum(of_labels.sum(axis=1, keepdims=True), 1)
        return ratio, share, None if there.all() else ~there

    def _times(self, values: np.ndarray) -> np.ndarray:
        return np.tensordot(self._drawn, values.astype(np.float32), axes=1)


def spread(replicates: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Return standard errors of replicates (replicate, ...), NaN with one speaker.

    Drawing some speakers with replacement understates variances by (speakers - 1) / speakers, which is put right.

    Parameters
    ----------
    replicates
        NaN where a replicate says nothing.
    speakers
        (...), how many there are.

    Examples
    --------
    >>> drawn = np.random.default_rng(0).normal(size=(4000, 1))
    >>> spread(drawn, np.array([2])).round(1).tolist()  # the root of 2
    [1.4]
    """
    count = np.isfinite(replicates).sum(axis=0)
    enough = (speakers >= LEAST_SPEAKERS) & (count > 1)
    if (count == len(replicates)).all():
        variance = replicates.var(axis=0, ddof=1)
    else:
        there = np.nan_to_num(replicates)
        centre = there.sum(axis=0) / np.maximum(count, 1)
        squares = np.square(np.nan_to_num(replicates - centre)).sum(axis=0)
        variance = squares / np.maximum(count - 1, 1)
    size = np.where(enough, speakers, LEAST_SPEAKERS)
    return np.where(enough, np.sqrt(variance * size / (size - 1)), np.nan)


def simultaneous_reach(
    replicates: np.ndarray, speakers: np.ndarray, conf_level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return standard errors of a profile, and how far its simultaneous band reaches to both sides.

    The largest standardised deviation of whole replicates gives the critical value, which is moved from the normal to
    the t distribution with the degrees of freedom of each point's speakers.

    Parameters
    ----------
    replicates
        (replicate, point), NaN where a replicate says nothing.
    speakers
        (point,); points of fewer than three have no band.
    conf_level
        Of the whole band.
    """
    error = spread(replicates, speakers)
    banded = np.isfinite(error) & (speakers >= LEAST_SPEAKERS_OF_BANDS)
    known = banded & (error > ROUNDING * np.nanmax(error, initial=0))
    reach = np.where(banded, 0.0, np.nan)
    if not known.any():
        return error, reach
    drawn, size = replicates[:, known], speakers[known]
    raw = error[known] * np.sqrt((size - 1) / size)
    largest = np.nan_to_num(np.abs(drawn - np.nanmean(drawn, axis=0)) / raw).max(axis=1)
    critical = stats.t.isf(stats.norm.sf(np.quantile(largest, conf_level)), size - 1)
    reach[known] = critical * error[known]
    return error, reach


def _ratio(total: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.divide(total, weights, out=np.full(total.shape, np.nan, dtype=total.dtype), where=weights > 0)
