"""Sensitivity in ABX."""

from __future__ import annotations

import numpy as np
from scipy import special

# Beyond it no share of right answers tells one sensitivity from another.
_MOST = 8.0
_STEPS = 60


def abx_sensitivity(share: np.ndarray) -> np.ndarray:
    """Return d' of shares of right answers in ABX, by the independent-observation model; 0 at and below one half.

    Right is who takes both the order of a and b and the side of x for what they are, or neither:

    share = ndtr(d / sqrt 2) ndtr(d / 2) + ndtr(-d / sqrt 2) ndtr(-d / 2)   (Macmillan & Creelman 2005, ch. 9)

    Examples
    --------
    >>> print(abx_sensitivity(np.array([0.5, 0.75, 0.9])).round(2))
    [0.   1.79 2.81]
    """
    share = np.asarray(share, dtype=float)
    low, high = np.zeros(share.shape), np.full(share.shape, _MOST)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        above = abx_share(middle) > share
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(np.isnan(share), np.nan, (low + high) / 2)


def abx_share(sensitivity: np.ndarray) -> np.ndarray:
    """Return the share of right answers in ABX at some d'.

    Examples
    --------
    >>> print(round(float(abx_share(np.array(0.0))), 3))
    0.5
    """
    apart, single = np.asarray(sensitivity) / np.sqrt(2), np.asarray(sensitivity) / 2
    return special.ndtr(apart) * special.ndtr(single) + special.ndtr(-apart) * special.ndtr(-single)
