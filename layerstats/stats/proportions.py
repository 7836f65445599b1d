"""Intervals of shares, which do not pass 0 and 1."""

from __future__ import annotations

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from layerstats.checks import check_count, check_share
from layerstats.errors import ArgumentError
from layerstats.stats.interval_estimate import IntervalEstimate


def wilson(successes: int, trials: int, conf_level: float = 0.95) -> IntervalEstimate:
    """Return a share with Wilson's interval (Wilson 1927; Newcombe 1998, method 3), which takes trials for independent.

    Parameters
    ----------
    successes, trials
        Whole numbers; no more successes than trials.
    conf_level
        Of the interval.

    Returns
    -------
    IntervalEstimate
        The share, and ends that do not pass 0 and 1.

    Raises
    ------
    ArgumentError
        There are no trials, or successes are no part of them.

    Examples
    --------
    >>> share = wilson(81, 263)  # Newcombe 1998: .2553-.3662
    >>> round(share.estimate, 4), round(share.conf_low, 4), round(share.conf_high, 4)
    (0.308, 0.2553, 0.3662)
    """
    check_count("trials", trials)
    check_share("conf_level", conf_level)
    if int(successes) != successes or not 0 <= successes <= trials:
        raise ArgumentError(f"'successes' must be a whole number from 0 to the {trials} trials, but is {successes!r}.")
    low, high = wilson_interval(np.array([successes]), np.array([trials]), conf_level)
    return IntervalEstimate(successes / trials, float(low[0]), float(high[0]), conf_level, "Wilson")


def wilson_interval(count: np.ndarray, trials: np.ndarray, conf_level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's interval of each share (Wilson 1927; Newcombe 1998, method 3), NaN where there are no trials.

    Parameters
    ----------
    count, trials
        (cell,) successes and trials.
    conf_level
        Of the interval.

    Examples
    --------
    >>> low, high = wilson_interval(np.array([81.0, 0.0]), np.array([263.0, 20.0]))
    >>> low.round(4), high.round(4)  # Newcombe 1998: .2553-.3662 and 0-.1611
    (array([0.2553, 0.    ]), array([0.3662, 0.1611]))
    """
    count, trials = np.asarray(count, dtype=float), np.asarray(trials, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = proportion_confint(count, np.where(trials > 0, trials, np.nan), 1 - conf_level, method="wilson")
    # Rounding takes ends beyond 0 and 1, and past the share itself where that is 0 or 1 (statsmodels#7386).
    low, high = np.where(count <= 0, 0.0 * low, low), np.where(count >= trials, 0.0 * high + 1, high)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def effective_wilson(
    rate: float, variance: float, freedom: float, trials: int, conf_level: float = 0.95
) -> tuple[float, float]:
    """Return Wilson's interval of a rate whose variance is that of so many independent trials as make it so large.

    The effective number of trials is ``rate (1 - rate) / variance``, and the quantile that of t (Korn & Graubard 1998;
    Dean & Pagano 2015, for surveys). A rate of 0 or 1 has no variance: there trials count as they are.

    Examples
    --------
    >>> low, high = effective_wilson(81 / 263, 81 * 182 / 263**3, np.inf, 263)
    >>> round(low, 4), round(high, 4)
    (0.2553, 0.3662)
    """
    if not np.isfinite(rate) or trials == 0:
        return np.nan, np.nan
    product = max(rate * (1 - rate), 0.0)
    # A variance that is rounding only stands for more trials than numbers can tell.
    effective = min(float(product) / float(variance), 1e15) if product > 0 and variance > 0 else float(trials)
    quantile = float(stats.t.isf((1 - conf_level) / 2, freedom)) ** 2
    half = np.sqrt(quantile * (product * effective + quantile / 4))
    low, high = ((rate * effective + quantile / 2 + sign * half) / (effective + quantile) for sign in (-1, 1))
    # The interval holds the rate; rounding must not take it out.
    return float(np.clip(min(low, rate), 0, 1)), float(np.clip(max(high, rate), 0, 1))
