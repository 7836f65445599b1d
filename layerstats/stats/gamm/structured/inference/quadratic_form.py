"""Tail probabilities of weighted sums of chi-square variables, to full relative accuracy however small they are.

P(Q > q) is an integral of exp(K(s) - sq) / s along a line upwards in the complex plane, K the cumulant generating
function. Through the saddlepoint the integrand falls off fast and does not cancel (Helstrom 1996, IEEE Trans. Inf. Theory
42), where Davies' integral along the imaginary axis is lost in rounding errors.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_NODES = 400
_BEND = 0.5


def weighted_chi_square_tail(value: float, weights: np.ndarray, freedom: np.ndarray) -> float:
    """Return P(sum_j w_j X_j > value), X_j independent chi-square with `freedom` degrees of freedom.

    Parameters
    ----------
    value
        The threshold.
    weights, freedom
        (part,) weights, of any sign, and degrees of freedom.

    Examples
    --------
    >>> tail = weighted_chi_square_tail(200.0, np.array([1.0]), np.array([2.0]))
    >>> bool(abs(tail / np.exp(-100) - 1) < 1e-8)
    True
    """
    return float(np.exp(log_weighted_chi_square_tail(value, weights, freedom)))


def log_weighted_chi_square_tail(value: float, weights: np.ndarray, freedom: np.ndarray) -> float:
    """Return the logarithm of `weighted_chi_square_tail`, which is finite where the probability underflows."""
    used = (weights != 0) & (freedom > 0)
    weights, freedom = np.asarray(weights, dtype=float)[used], np.asarray(freedom, dtype=float)[used]
    scale = np.abs(weights).max(initial=0.0)
    if scale == 0:
        return 0.0 if value < 0 else -np.inf
    weights, value = weights / scale, value / scale
    if weights.max() <= 0 and value >= 0:
        return -np.inf
    if weights.min() >= 0 and value <= 0:
        return 0.0
    if weights.max() <= 0:
        return float(np.log1p(-np.exp(_log_tail(-value, -weights, freedom))))
    return _log_tail(value, weights, freedom)


def f_like_tail(statistic: float, weights: np.ndarray, freedom: np.ndarray, residual: float) -> float:
    """Return P(sum_j w_j X_j / (Y / residual) > statistic), Y chi-square with `residual` degrees of freedom."""
    whole = max(1, round(residual))
    return weighted_chi_square_tail(
        0.0, np.append(weights, -statistic / whole), np.append(freedom, float(whole))
    )


def _log_tail(value: float, weights: np.ndarray, freedom: np.ndarray) -> float:
    """Integrate along the line through the saddlepoint; some weight is positive."""

    def exponent(point: np.ndarray) -> np.ndarray:
        factors = np.log(1 - 2 * weights * point[..., None])
        return -0.5 * (factors @ freedom) - point * value

    saddle = _saddlepoint(value, weights, freedom)
    curvature = 2 * np.sum(freedom * weights**2 / (1 - 2 * weights * saddle) ** 2) + 1 / saddle**2
    width = 1 / np.sqrt(curvature)
    top = float(exponent(np.array([saddle + 0j]))[0].real - np.log(saddle))
    # The steps grow exponentially: fine where the integrand is large, far where it falls off slowly.
    reach = _reach(exponent, saddle, width, top)
    place = (np.arange(_NODES) + 0.5) * reach / _NODES
    point = _contour(saddle, width, place)
    direction = width * (1j * np.cosh(place) + _BEND * np.sinh(place))
    integrand = (np.exp(exponent(point) - np.log(point) - top) * direction).imag
    total = float(integrand.sum()) * reach / _NODES / np.pi
    return min(0.0, top + float(np.log(max(total, np.finfo(float).tiny))))


def _contour(saddle: float, width: float, place: np.ndarray) -> np.ndarray:
    """Return points of the path: through the saddlepoint, then bent to where exp(-sq) falls off."""
    return saddle + width * (1j * np.sinh(place) + _BEND * (np.cosh(place) - 1))


def _saddlepoint(value: float, weights: np.ndarray, freedom: np.ndarray) -> float:
    """Return the minimum over 0 < s < 1 / (2 max w) of K(s) - s value - log s, a convex function."""
    low, high = 0.0, 0.5 / weights.max()
    point = high / 2
    for _ in range(200):
        left = 1 - 2 * weights * point
        slope = np.sum(freedom * weights / left) - value - 1 / point
        low, high = (point, high) if slope < 0 else (low, point)
        # Newton's step, or the middle where it leaves the bracket.
        step = slope / (2 * np.sum(freedom * (weights / left) ** 2) + 1 / point**2)
        new = point - step if low < point - step < high else (low + high) / 2
        if abs(new - point) <= 1e-14 * point or high - low <= 1e-14 * high:
            break
        point = new
    return point


def _reach(exponent: Callable[[np.ndarray], np.ndarray], saddle: float, width: float, top: float) -> float:
    """Return where the integrand has fallen to nothing."""
    angles = np.linspace(0.5, 60.0, 477)
    point = _contour(saddle, width, angles)
    size = exponent(point).real - np.log(np.abs(point)) + np.log(np.cosh(angles)) - top
    below = np.flatnonzero(size < -40)
    return float(angles[below[0]]) if len(below) else float(angles[-1])
