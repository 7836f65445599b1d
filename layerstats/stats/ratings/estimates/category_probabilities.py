"""Probabilities of ordered categories for a rater and a clip that nobody has seen yet.

    P(Y <= j) = E F((threshold_j - predictor - b) / scale),    b ~ N(0, variance)

A mean at b = 0 is that of the median rater only: the link bends, so that the mean over raters lies nearer to the middle
of the scale. With a probit link the integral is a probit again; with a logit it is taken by the trapezoidal rule, whose
error falls exponentially with the step for functions like these (Trefethen & Weideman 2014, SIAM Review 56(3)):
Gauss-Hermite quadrature is off in the fourth digit where raters differ much.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from layerstats.checks import check_choice

LINKS = {"logit": special.expit, "probit": special.ndtr}
# In standard deviations: beyond the farthest nothing is left of a normal distribution.
_FARTHEST = 9.0
_LONGEST_STEP = 0.25
# The logistic has its poles at pi times i: a step of this over the standard deviation leaves an error of 1e-11.
_STEP = 2 * np.pi**2 / 25


def category_probabilities(
    thresholds: np.ndarray, predictor: np.ndarray, scale: np.ndarray, variance: np.ndarray, link: str
) -> np.ndarray:
    """Return the probability of each category, random effects integrated out.

    Parameters
    ----------
    thresholds : numpy.ndarray
        (category - 1,) where one category passes into the next, rising.
    predictor : numpy.ndarray
        (cell,) fixed part of the linear predictor.
    scale : numpy.ndarray
        (cell,) what differences from the thresholds are divided by; 1 without scale effects.
    variance : numpy.ndarray
        (cell,) of the sum of random effects; 0 for the rater and the clip in the middle.
    link : str
        "logit" or "probit".

    Returns
    -------
    numpy.ndarray
        (cell, category), rows sum to 1.

    Examples
    --------
    >>> thresholds, cell = np.array([-1.6237, 1.5134, 4.2285, 6.0888]), np.ones(1)
    >>> cold = category_probabilities(thresholds, np.array([0.9175]), cell, cell * 1.131**2, "logit")
    >>> print(cold.round(3))
    [[0.11  0.507 0.326 0.048 0.01 ]]
    """
    check_choice("link", link, tuple(LINKS))
    distance = thresholds[None, :] - predictor[:, None]
    if link == "probit":
        below = special.ndtr(distance / np.sqrt(scale**2 + variance)[:, None])
    elif not variance.any():
        below = LINKS[link](distance / scale[:, None])
    else:
        nodes, weights = _normal_nodes(float(np.sqrt(variance / scale**2).max()))
        moved = distance[:, :, None] - np.sqrt(variance)[:, None, None] * nodes
        below = LINKS[link](moved / scale[:, None, None]) @ weights
    ends = np.zeros((len(predictor), 1))
    return np.diff(np.hstack([ends, below, ends + 1]), axis=1)


def _normal_nodes(deviation: float) -> tuple[np.ndarray, np.ndarray]:
    """Return places on a standard normal distribution and their weights, close enough for logistics of `deviation`."""
    step = min(_LONGEST_STEP, _STEP / deviation)
    count = int(np.ceil(_FARTHEST / step))
    nodes = step * np.arange(-count, count + 1)
    weights = np.exp(-(nodes**2) / 2)
    return nodes, weights / weights.sum()
