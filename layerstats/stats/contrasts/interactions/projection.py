"""What the uncertainty of units adds to the covariance of a double difference."""

from __future__ import annotations

import numpy as np


def added_covariance(difference: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Return the covariance that curves of units of evidence give coefficients.

    Parameters
    ----------
    difference
        (time, column) what takes coefficients to the double difference at equally spaced times, its level and shape.
    curves
        (unit, bin) from `scale_curves`, in equal bins over the same stretch of time.

    Returns
    -------
    numpy.ndarray
        (column, column): of the coefficients whose curves are nearest to these.

    Examples
    --------
    >>> added_covariance(np.ones((4, 1)), np.array([[0.1, 0.1], [-0.1, -0.1]])).round(3).tolist()
    [[0.02]]
    """
    points, bins = len(difference), curves.shape[1]
    middles, places = (np.arange(bins) + 0.5) / bins, np.linspace(0, 1, points)
    at_places = np.stack([np.interp(places, middles, curve) for curve in curves])
    moved = np.linalg.lstsq(difference, at_places.T, rcond=None)[0]
    return moved @ moved.T
