"""Bands from bootstrapped curves."""

from __future__ import annotations

import numpy as np
from scipy import stats


def band_of(curves: np.ndarray, clusters: int | None, conf_level: float) -> tuple[np.ndarray, float]:
    """Return standard errors of a curve and the critical value of its simultaneous band.

    Resampling `clusters` clusters underestimates variances by the factor ``(clusters - 1) / clusters``, which is put
    right, and knows nothing of the uncertainty of the variance itself: the critical value is moved from the normal to
    the t distribution with ``clusters - 1`` degrees of freedom, at the level that the bootstrapped curves ask for.

    Parameters
    ----------
    curves
        (replicate, time)
    clusters
        How many were resampled; None where data came from a model, whose variances need no such correction.

    Examples
    --------
    >>> error, critical = band_of(np.random.default_rng(0).standard_normal((9999, 1)), 1000, 0.95)
    >>> error.round(1), round(critical, 1)
    (array([1.]), 2.0)
    """
    error = curves.std(axis=0, ddof=1)
    moving = error > 1e-10 * error.max(initial=0)
    deviation = np.abs(curves - curves.mean(axis=0))[:, moving] / error[moving]
    largest = float(np.quantile(deviation.max(axis=1), conf_level))
    if clusters is None:
        return error, largest
    return error * np.sqrt(clusters / (clusters - 1)), float(stats.t.isf(stats.norm.sf(largest), clusters - 1))


def pointwise_critical(clusters: int | None, conf_level: float) -> float:
    """Return the critical value of one point of a band."""
    tail = (1 - conf_level) / 2
    return float(stats.norm.isf(tail) if clusters is None else stats.t.isf(tail, clusters - 1))
