"""Intervals from draws of clusters, and chance levels from permutations."""

from __future__ import annotations

import numpy as np
import pandas as pd
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


def measure_rows(
    measure: str,
    own: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    clusters: int,
    conf_level: float,
    limits: tuple[float, float] = (0.0, 1.0),
) -> pd.DataFrame:
    """Return a row a quantity: `measure, estimate, conf_low, ..., chance, chance_low, chance_high`.

    Parameters
    ----------
    own
        The estimates (1, quantity), draws of clusters (draw, quantity) and permutations (draw, quantity); the latter
        may be None: then there is no chance level.
    """
    estimate, drawn, permuted = own
    low, high = cluster_interval(estimate[0], drawn, clusters, conf_level, limits)
    tail = (1 - conf_level) / 2
    quantiles = np.full((2, len(low)), np.nan) if permuted is None else np.quantile(permuted, [tail, 1 - tail], axis=0)
    return pd.DataFrame(
        {
            "measure": measure,
            "estimate": estimate[0],
            "conf_low": low,
            "conf_high": high,
            "conf_level": conf_level,
            "interval": "bootstrap",
            "chance": np.nan if permuted is None else permuted.mean(axis=0),
            "chance_low": quantiles[0],
            "chance_high": quantiles[1],
        }
    )


def permutation_p_value(estimate: np.ndarray, permuted: np.ndarray, smaller: bool = False) -> np.ndarray:
    """Return the share of assignments, the observed one counted, that are as large or larger (smaller), (quantity,)."""
    sign = -1 if smaller else 1
    # A permutation that gives the same value counts, also where rounding has moved it.
    extreme = sign * permuted >= sign * estimate - 1e-9
    return (1 + extreme.sum(axis=0)) / (1 + len(permuted))
