"""Means over speakers, or over the utterances of one, with Student's intervals: windows of one speaker are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from layerstats.stats.proportions import effective_wilson


@dataclass(frozen=True)
class ClusterMean:
    """The mean over clusters of the means in each.

    Attributes
    ----------
    estimate, std_error, df
        Of the mean; one cluster has no standard error.
    clusters, items
        How many there are.
    """

    estimate: float
    std_error: float
    df: int
    clusters: int
    items: int

    @property
    def statistic(self) -> float:
        """The t against zero; missing where nothing varies."""
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

    def share_interval(self, conf_level: float) -> tuple[float, float]:
        """Return the ends for a share, which do not pass 0 and 1: see `effective_wilson`."""
        if not self.df > 0:
            return np.nan, np.nan
        return effective_wilson(self.estimate, self.std_error**2, self.df, self.items, conf_level)


def cluster_mean(
    values: np.ndarray,
    clusters: np.ndarray,
    null_variance: np.ndarray | float = 0.0,
    null_covariance: np.ndarray | float = 0.0,
) -> ClusterMean:
    """Average within clusters, then over clusters, so that each counts the same.

    Parameters
    ----------
    values
        (item,) missing ones are left out.
    clusters
        (item,) which cluster each is of.
    null_variance, null_covariance
        (item,) variance that a value has where chance alone decides, items apart from each other, and its covariance
        with the mean of its cluster where items are alike. The standard error is at least what follows from either:
        hits that are rare are all alike in few clusters, and would have none.

    Examples
    --------
    >>> mean = cluster_mean(np.array([1.0, 3.0, 4.0]), np.array(["s1", "s1", "s2"]))
    >>> mean.estimate, mean.std_error, mean.df
    (3.0, 1.0, 1)
    """
    keep = np.isfinite(values)
    names, place = np.unique(np.asarray(clusters, dtype=str)[keep], return_inverse=True)
    count, size = len(names), np.bincount(place, minlength=len(names))
    if count == 0:
        return ClusterMean(np.nan, np.nan, 0, 0, 0)
    means = np.bincount(place, values[keep]) / size
    error = float(np.std(means, ddof=1) / np.sqrt(count)) if count > 1 else np.nan
    # Rounding is no spread.
    error = 0.0 if error <= 1e-12 * np.abs(means).max() else error
    if count > 1:
        apart, alike = (np.broadcast_to(one, values.shape)[keep] for one in (null_variance, null_covariance))
        least = max(np.sum(np.bincount(place, apart) / size**2), np.sum(np.bincount(place, alike) / size))
        error = max(error, float(np.sqrt(least)) / count)
    return ClusterMean(float(means.mean()), error, count - 1, count, int(keep.sum()))
