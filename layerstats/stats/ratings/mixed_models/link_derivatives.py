"""Log probabilities of ordered categories and their derivatives, for the logit and the probit link.

A category is an interval of a latent variable, from `lower` to `upper` in its standard units; a linear predictor moves
both ends together. Sums over both ends are what it needs, and for the logit link they are sums of one-sided terms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

LINKS = ("logit", "probit")
# Stands for infinity where a category is open, so that 0 times it is 0.
OPEN_END = 1e10
_LOG_ROOT = 0.5 * np.log(2 * np.pi)
# From here on a logistic probability is 0 or 1 to every digit, and its odds are still a number.
_CERTAIN = 700.0


@dataclass(frozen=True, eq=False)
class IntervalDerivatives:
    """Derivatives of log(F(upper) - F(lower)), each (row,).

    Attributes
    ----------
    log_probability
        The logarithm itself.
    upper, lower
        First derivatives in the two ends.
    upper_both, lower_both
        Derivatives of these in both ends moved together.
    upper_thrice, lower_thrice
        Derivatives of these once more in both ends.
    across
        The derivative in one end and the other.
    """

    log_probability: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    upper_both: np.ndarray
    lower_both: np.ndarray
    upper_thrice: np.ndarray
    lower_thrice: np.ndarray
    across: np.ndarray


def interval_slopes(link: str, upper: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the log probability and its first two derivatives in both ends moved together, each (row,).

    Examples
    --------
    >>> value, first, second = interval_slopes("logit", np.array([0.0]), np.array([-OPEN_END]))
    >>> print(value.round(4), first.round(4), second.round(4))
    [-0.6931] [0.5] [-0.25]
    """
    if link == "logit":
        (above, value), (below, low_value) = _logistic_tail(upper), _logistic_tail(-lower)
        value = value + low_value + _log_width(upper - lower)
        return value, above - below, -above * (1 - above) - below * (1 - below)
    value = _normal_log_probability(upper, lower)
    high, low = _normal_ratio(upper, value), _normal_ratio(lower, value)
    first = high - low
    return value, first, low * lower - high * upper - first**2


def interval_derivatives(link: str, upper: np.ndarray, lower: np.ndarray) -> IntervalDerivatives:
    """Return the log probability of each interval and what its likelihood and gradient need.

    Parameters
    ----------
    link : str
        ``"logit"`` or ``"probit"``.
    upper, lower : numpy.ndarray
        (row,) ends of the interval, `OPEN_END` or its negative where it has none.
    """
    return _logistic(upper, lower) if link == "logit" else _normal(upper, lower)


def cumulative(link: str, values: np.ndarray) -> np.ndarray:
    """Return the distribution function F of a link: logistic, or normal."""
    return special.expit(values) if link == "logit" else special.ndtr(values)


def quantile(link: str, probabilities: np.ndarray) -> np.ndarray:
    """Return the inverse of `cumulative`."""
    return special.logit(probabilities) if link == "logit" else special.ndtri(probabilities)


def _log_width(width: np.ndarray) -> np.ndarray:
    return np.log(-np.expm1(-width))


def _logistic_tail(end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the logistic probability above `end`, and the logarithm of that below; scipy's take five times as long."""
    odds = np.exp(-np.clip(end, -_CERTAIN, _CERTAIN))
    return odds / (1 + odds), -np.log1p(odds)


def _logistic(upper: np.ndarray, lower: np.ndarray) -> IntervalDerivatives:
    (above, log_high), (below, log_low) = _logistic_tail(upper), _logistic_tail(-lower)
    width = upper - lower
    # Of the logarithm of 1 - exp(-width), which does not change where both ends move together.
    narrow = np.exp(-width) / -np.expm1(-width)
    steep_above, steep_below = above * (1 - above), below * (1 - below)
    return IntervalDerivatives(
        log_probability=log_high + log_low + _log_width(width),
        upper=above + narrow,
        lower=-below - narrow,
        upper_both=-steep_above,
        lower_both=-steep_below,
        upper_thrice=steep_above * (1 - 2 * above),
        lower_thrice=-steep_below * (1 - 2 * below),
        across=narrow * (1 + narrow),
    )


def _normal(upper: np.ndarray, lower: np.ndarray) -> IntervalDerivatives:
    value = _normal_log_probability(upper, lower)
    high, low = _normal_ratio(upper, value), _normal_ratio(lower, value)
    # Derivatives of the density over the probability, from the first on.
    high_2, low_2 = -upper * high, -lower * low
    high_3, low_3 = (upper**2 - 1) * high, (lower**2 - 1) * low
    moved = high - low
    bent = high_2 - low_2
    return IntervalDerivatives(
        log_probability=value,
        upper=high,
        lower=-low,
        upper_both=high_2 - high * moved,
        lower_both=-low_2 + low * moved,
        upper_thrice=high_3 - 2 * high_2 * moved - high * bent + 2 * high * moved**2,
        lower_thrice=-low_3 + 2 * low_2 * moved + low * bent - 2 * low * moved**2,
        across=high * low,
    )


def _normal_log_probability(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    # In the tail where both probabilities are small, so that their difference keeps its digits.
    flip = lower > 0
    high, low = np.where(flip, -lower, upper), np.where(flip, -upper, lower)
    log_high = special.log_ndtr(high)
    return log_high + np.log(-np.expm1(special.log_ndtr(low) - log_high))


def _normal_ratio(end: np.ndarray, log_probability: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * end**2 - _LOG_ROOT - log_probability)
