"""Means over tokens whose intervals are for other speakers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

# With fewer there is no spread between speakers.
LEAST_SPEAKERS = 2
# Standard errors of shares below it are what is left of sums that are the same.
ROUNDING = 1e-12


@dataclass(frozen=True)
class SpeakerMean:
    """A mean over tokens, with speakers as clusters.

    Parameters
    ----------
    mean
        Each token counts the same.
    std_error
        For other speakers; missing with one speaker.
    df
        Speakers - 1.
    """

    mean: float
    std_error: float
    df: float

    def interval(self, conf_level: float) -> tuple[float, float]:
        """Return the ends of the interval by Student's t."""
        reach = float(stats.t.ppf((1 + conf_level) / 2, self.df)) * self.std_error
        return self.mean - reach, self.mean + reach

    @property
    def statistic(self) -> float:
        """Mean over its standard error; missing where speakers do not differ."""
        return self.mean / self.std_error if self.std_error > 0 else np.nan

    @property
    def p_value(self) -> float:
        """Of both sides."""
        return float(2 * stats.t.sf(abs(self.statistic), self.df))


def speaker_mean(values: np.ndarray, speakers: np.ndarray) -> SpeakerMean:
    """Return the mean of values, (token,), with speakers as clusters (Liang & Zeger 1986).

    Examples
    --------
    >>> speaker_mean(np.array([1.0, 2.0, 6.0]), np.array(["p1", "p1", "p2"]))
    SpeakerMean(mean=3.0, std_error=2.0, df=1.0)
    """
    number = np.unique(speakers, return_inverse=True)[1]
    people = int(number.max()) + 1
    mean = float(values.mean())
    if people < LEAST_SPEAKERS:
        return SpeakerMean(mean, np.nan, np.nan)
    # How far each speaker moves the mean.
    moves = np.bincount(number, weights=values - mean) / len(values)
    error = float(np.sqrt(people / (people - 1) * np.sum(moves**2)))
    return SpeakerMean(mean, error if error > ROUNDING else 0.0, float(people - 1))
