"""Intervals about a curve: pointwise, or simultaneous over all its points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.stats.gamm.families import Link
from layerstats.stats.gamm.r_random import NormalDraws
from layerstats.stats.symmetric_root import symmetric_root

# Points are drawn in blocks, so that 10,000 draws of a long curve need little memory.
_BLOCK = 1000


@dataclass(frozen=True, eq=False)
class CurveEstimate:
    """A linear function of the coefficients with its intervals.

    Attributes
    ----------
    fit, std_error, conf_low, conf_high
        (point,)
    critical_value
        Standard errors from the estimate to the end of the interval.
    """

    fit: np.ndarray
    std_error: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray
    critical_value: float


def on_response_scale(curve: CurveEstimate, link: Link) -> CurveEstimate:
    """Return `curve` on the scale of the response: its ends by the link itself, its standard error by the slope."""
    ends = np.sort([link.mean(curve.conf_low), link.mean(curve.conf_high)], axis=0)
    std_error = np.abs(link.slope(curve.fit)) * curve.std_error
    return CurveEstimate(link.mean(curve.fit), std_error, ends[0], ends[1], curve.critical_value)


def check_interval(interval: str, conf_level: float, draws: int) -> None:
    """Raise `ArgumentError` where the kind, level or number of draws of an interval is not allowed."""
    check_choice("interval", interval, ("pointwise", "simultaneous"))
    if not 0 < conf_level < 1:
        raise ArgumentError(f"The 'conf_level' parameter must be between 0 and 1, but got {conf_level!r} instead.")
    if draws < 100:
        raise ArgumentError(f"The 'draws' parameter must be 100 or more, but got {draws!r} instead.")


def estimate_curve(
    matrix: np.ndarray,
    coefficients: np.ndarray,
    covariance: np.ndarray,
    *,
    interval: str = "pointwise",
    conf_level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> CurveEstimate:
    """Return ``matrix @ coefficients`` with intervals from the posterior of the coefficients.

    Pointwise intervals use normal quantiles. Simultaneous ones replace the quantile by that of the largest absolute
    deviation over the curve, in standard errors, among `draws` of the posterior (Ruppert, Wand and Carroll 2003,
    section 6.5): all of the curve lies inside with probability `conf_level`.

    Parameters
    ----------
    matrix
        (point, coefficient)
    coefficients
        (coefficient,)
    covariance
        (coefficient, coefficient)

    Examples
    --------
    >>> curve = estimate_curve(np.eye(2), np.array([1.0, 2.0]), np.eye(2))
    >>> curve.conf_high.round(2)
    array([2.96, 3.96])
    """
    check_interval(interval, conf_level, draws)
    fit = matrix @ coefficients
    spread = matrix @ covariance @ matrix.T
    variance = np.clip(np.diag(spread), 0, None)
    std_error = np.sqrt(variance)
    if interval == "pointwise":
        critical = float(special.ndtri((1 + conf_level) / 2))
    else:
        critical = simultaneous_critical_value(spread, conf_level, draws, seed)
    return CurveEstimate(fit, std_error, fit - critical * std_error, fit + critical * std_error, critical)


def simultaneous_critical_value(spread: np.ndarray, conf_level: float, draws: int, seed: int) -> float:
    """Return the quantile of the largest absolute standardised deviation of a curve with covariance `spread`.

    Parameters
    ----------
    spread
        (point, point) covariance of the curve. Points without variance do not count.
    """
    scale = np.sqrt(np.clip(np.diag(spread), 0, None))
    # A point that is fixed by construction has only rounding error for a variance.
    moving = scale > 1e-10 * scale.max(initial=0)
    if not moving.any():
        return float(special.ndtri((1 + conf_level) / 2))
    correlation = spread[np.ix_(moving, moving)] / np.outer(scale[moving], scale[moving])
    root = symmetric_root(correlation)
    normal = NormalDraws(seed)
    largest = []
    for done in range(0, draws, _BLOCK):
        shape = (min(_BLOCK, draws - done), len(root))
        largest.append(np.abs(normal.take(shape[0] * shape[1]).reshape(shape) @ root).max(axis=1))
    return float(np.quantile(np.concatenate(largest), conf_level))


def stretches_above_zero(place: np.ndarray, value: np.ndarray) -> list[tuple[float, float]]:
    """Return where a curve lies above zero, its crossings interpolated linearly between the points.

    Parameters
    ----------
    place
        (point,) ascending.
    value
        (point,)

    Examples
    --------
    >>> [(float(start), float(end)) for start, end in stretches_above_zero(np.arange(4), np.array([-1, 1, 1, -3]))]
    [(0.5, 2.25)]
    """
    above = value > 0
    stretches = []
    for first in map(int, np.flatnonzero(above & ~np.concatenate([[False], above[:-1]]))):
        after = np.flatnonzero(~above[first:])
        last = first + int(after[0]) - 1 if len(after) else len(above) - 1
        start = place[first] if first == 0 else _crossing(place, value, first - 1)
        end = place[last] if last == len(above) - 1 else _crossing(place, value, last)
        stretches.append((start, end))
    return stretches


def _crossing(place: np.ndarray, value: np.ndarray, left: int) -> float:
    share = value[left] / (value[left] - value[left + 1])
    return place[left] + share * (place[left + 1] - place[left])
