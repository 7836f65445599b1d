"""Estimates with what each speaker adds to them, so that intervals and differences count speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats


@dataclass(frozen=True, eq=False)
class SpeakerEstimate:
    """A number and how far it moves with each speaker.

    Attributes
    ----------
    estimate
        The number.
    influence
        (speaker,) the first-order change of the estimate by each speaker; they sum to zero but for rounding.

    Examples
    --------
    >>> mean = SpeakerEstimate(2.0, np.array([-1.0, 0.0, 1.0]) / 3)  # of 1, 2 and 3
    >>> round(mean.std_error, 4), mean.df  # as that of a mean
    (0.5774, 2)
    """

    estimate: float
    influence: np.ndarray

    @property
    def df(self) -> int:
        """Speakers minus one."""
        return len(self.influence) - 1

    @cached_property
    def std_error(self) -> float:
        """Standard error over speakers (linearised; the infinitesimal jackknife)."""
        count = len(self.influence)
        if count < 2:
            return np.nan
        spread = self.influence - self.influence.mean()
        error = float(np.sqrt(count / (count - 1) * np.sum(spread**2)))
        # Rounding is no spread.
        return 0.0 if error <= 1e-12 * max(abs(self.estimate), 1e-300) else error

    @property
    def statistic(self) -> float:
        """The t against zero; missing where speakers do not differ."""
        return self.estimate / self.std_error if self.std_error > 0 else np.nan

    @property
    def p_value(self) -> float:
        """Two-sided, of Student's t."""
        return float(2 * stats.t.sf(abs(self.statistic), self.df)) if self.df > 0 else np.nan

    def interval(self, conf_level: float, limits: tuple[float, float] = (-np.inf, np.inf)) -> tuple[float, float]:
        """Return the ends of Student's interval, kept within limits."""
        if not self.df > 0:
            return np.nan, np.nan
        reach = float(stats.t.isf((1 - conf_level) / 2, self.df)) * self.std_error
        low, high = np.clip([self.estimate - reach, self.estimate + reach], *limits)
        return float(low), float(high)

    def held_out(self, folds: int) -> SpeakerEstimate:
        """Return the estimate with the standard error of one from so many folds of cross-validation.

        Probes that learned from other speakers would answer otherwise, which the speakers' spread about one estimate
        does not hold. Nadeau & Bengio (2003, section 3.2) add ``n_held / n_learned`` to ``1 / folds`` in the variance
        of the mean over folds: the standard error grows by ``sqrt(1 + folds / (folds - 1))``.

        Examples
        --------
        >>> SpeakerEstimate(0.5, np.array([-0.1, 0.1])).held_out(5).std_error.__round__(4)  # of .2
        0.3
        """
        return SpeakerEstimate(self.estimate, self.influence * np.sqrt(1 + folds / (folds - 1)))

    def minus(self, other: SpeakerEstimate | float) -> SpeakerEstimate:
        """Return the difference from an estimate of the same speakers, or from a number."""
        if isinstance(other, SpeakerEstimate):
            return SpeakerEstimate(self.estimate - other.estimate, self.influence - other.influence)
        return SpeakerEstimate(self.estimate - other, self.influence)


def mean_estimate(estimates: Sequence[SpeakerEstimate]) -> SpeakerEstimate:
    """Return the mean of estimates of the same speakers."""
    values = [one.estimate for one in estimates]
    return SpeakerEstimate(float(np.mean(values)), np.mean([one.influence for one in estimates], axis=0))


def jackknife_estimate(without: np.ndarray) -> SpeakerEstimate:
    """Return an estimate whose standard error is the jackknife's over speakers.

    Parameters
    ----------
    without
        (1 + speaker,) the estimate, then that without each speaker.

    Examples
    --------
    >>> mean = jackknife_estimate(np.array([2.0, 2.5, 2.0, 1.5]))  # of 1, 2 and 3
    >>> round(mean.std_error, 4)
    0.5774
    """
    speakers = len(without) - 1
    return SpeakerEstimate(float(without[0]), (speakers - 1) / speakers * (without[1:].mean() - without[1:]))


@dataclass(frozen=True, eq=False)
class SpeakerCounts:
    """How many phones of each speaker and level there are, and how many of them were recognised.

    Attributes
    ----------
    hits, phones
        (speaker, level) whole numbers.

    Examples
    --------
    >>> counts = SpeakerCounts(np.array([[3, 0], [3, 1]]), np.array([[4, 1], [4, 1]]))
    >>> counts.accuracy().estimate, counts.balanced_accuracy().estimate
    (0.7, 0.625)
    """

    hits: np.ndarray
    phones: np.ndarray

    def accuracy(self) -> SpeakerEstimate:
        """Return the share of phones that were recognised."""
        hits, phones = self.hits.sum(axis=1), self.phones.sum(axis=1)
        share = hits.sum() / phones.sum()
        return SpeakerEstimate(float(share), (hits - share * phones) / phones.sum())

    def balanced_accuracy(self) -> SpeakerEstimate:
        """Return the mean over levels of the share of each that was recognised."""
        totals = self.phones.sum(axis=0)
        there = totals > 0
        recalls = self.hits.sum(axis=0)[there] / totals[there]
        influence = (self.hits[:, there] - recalls * self.phones[:, there]) / totals[there]
        return SpeakerEstimate(float(recalls.mean()), influence.mean(axis=1))
