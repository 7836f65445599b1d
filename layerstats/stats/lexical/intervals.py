"""Intervals from draws of clusters, and chance levels from permutations."""

from __future__ import annotations

import numpy as np
from scipy import stats


def cluster_interval(
    estimate: np.ndarray, draws: np.ndarray, clusters: int, conf_level: float, limits: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of intervals from a bootstrap of clusters.

    The draws give the spread about the estimate, not the place: what is maximised over, or counted in a table with few
    tokens a cell, is larger in every draw than in the data. The spread is widened as that of a mean of so many
    clusters: by the factor ``clusters / (clusters - 1)`` in its variance, and from the normal to the t distribution.

    Parameters
    ----------
    estimate
        (quantity,)
    draws
        (draw, quantity); draws in which a quantity is NaN do not count for it.
    limits
        Smallest and largest value that the quantity can have.

    Examples
    --------
    >>> draws = np.random.default_rng(0).normal(0.6, 0.1, (9999, 1))
    >>> low, high = cluster_interval(np.array([0.5]), draws, 1000, 0.95, (0, 1))
    >>> low.round(2), high.round(2)
    (array([0.3]), array([0.7]))
    """
    tail = (1 - conf_level) / 2
    widening = np.sqrt(clusters / (clusters - 1)) * stats.t.isf(tail, clusters - 1) / stats.norm.isf(tail)
    low, high = np.nanquantile(draws, [tail, 1 - tail], axis=0) - np.nanmean(draws, axis=0)
    ends = (estimate + widening * np.minimum(low, 0), estimate + widening * np.maximum(high, 0))
    return np.clip(ends[0], *limits), np.clip(ends[1], *limits)


def chance_level(draws: np.ndarray, conf_level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and quantiles of permutations (draw, quantity); the quantiles hold `conf_level` of them."""
    tail = (1 - conf_level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    return draws.mean(axis=0), low, high
