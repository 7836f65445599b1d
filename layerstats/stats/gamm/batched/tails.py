"""Tail probabilities of many F-like ratios at once.

`structured.inference.quadratic_form` explains the integral; here each row has its own weights and takes the same path.
"""

from __future__ import annotations

import numpy as np

# The integrand falls off doubly exponentially: more nodes change the thirteenth digit.
_NODES = 128
_BEND = 0.5
_ANGLES = np.linspace(0.5, 60.0, 120)
# What an array of (test, node, weight) may hold.
_PIECE = 256


def f_like_tails(statistic: np.ndarray, weights: np.ndarray, df: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Return P(sum_j w_j X_j / (Y / residual) > statistic) for each test, (test,).

    Parameters
    ----------
    statistic
        (test,) above zero.
    weights, df
        (test, part) positive weights of independent chi-square variables, and their degrees of freedom; parts without
        freedom do not count.
    residual
        (test,) degrees of freedom of Y, rounded as in the structured engine.

    Examples
    --------
    >>> from scipy import stats
    >>> tail = f_like_tails(np.array([2.0]), np.ones((1, 1)), np.full((1, 1), 3.0), np.array([50.0]))
    >>> bool(np.isclose(tail[0], stats.f.sf(2.0 / 3, 3, 50), rtol=1e-9))
    True
    """
    pieces = [slice(begin, begin + _PIECE) for begin in range(0, len(statistic), _PIECE)]
    tails = [_tails(statistic[piece], weights[piece], df[piece], residual[piece]) for piece in pieces]
    return np.concatenate([np.zeros(0), *tails])


def _tails(statistic: np.ndarray, weights: np.ndarray, df: np.ndarray, residual: np.ndarray) -> np.ndarray:
    whole = np.maximum(1.0, np.round(residual))
    weights = np.column_stack([np.where(df > 0, weights, 0.0), -statistic / whole])
    df = np.column_stack([df, whole])
    weights = weights / np.abs(weights).max(axis=1, keepdims=True)
    saddle = _saddlepoints(weights, df)
    bend = 2 * np.sum(df * weights**2 / (1 - 2 * weights * saddle[:, None]) ** 2, axis=1) + 1 / saddle**2
    width = 1 / np.sqrt(bend)
    top = np.real(_exponent(saddle[:, None] + 0j, weights, df)[:, 0]) - np.log(saddle)
    point = _contour(saddle, width, np.broadcast_to(_ANGLES, (len(saddle), len(_ANGLES))))
    size = np.real(_exponent(point, weights, df)) - np.log(np.abs(point)) + np.log(np.cosh(_ANGLES)) - top[:, None]
    fallen = size < -40
    reach = np.where(fallen.any(axis=1), _ANGLES[fallen.argmax(axis=1)], _ANGLES[-1])
    place = (np.arange(_NODES) + 0.5) * reach[:, None] / _NODES
    point = _contour(saddle, width, place)
    direction = width[:, None] * (1j * np.cosh(place) + _BEND * np.sinh(place))
    integrand = np.exp(_exponent(point, weights, df) - np.log(point) - top[:, None]) * direction
    total = np.imag(integrand).sum(axis=1) * reach / _NODES / np.pi
    return np.exp(np.minimum(0.0, top + np.log(np.maximum(total, np.finfo(float).tiny))))


def _exponent(point: np.ndarray, weights: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Return the cumulant generating function at (test, node) points."""
    total = np.zeros_like(point)
    for part in np.flatnonzero(df.any(axis=0)):
        total -= 0.5 * df[:, part, None] * np.log(1 - 2 * weights[:, part, None] * point)
    return total


def _contour(saddle: np.ndarray, width: np.ndarray, place: np.ndarray) -> np.ndarray:
    return saddle[:, None] + width[:, None] * (1j * np.sinh(place) + _BEND * (np.cosh(place) - 1))


def _saddlepoints(weights: np.ndarray, df: np.ndarray) -> np.ndarray:
    low, high = np.zeros(len(weights)), 0.5 / weights.max(axis=1)
    for _ in range(60):
        middle = (low + high) / 2
        slope = np.sum(df * weights / (1 - 2 * weights * middle[:, None]), axis=1) - 1 / middle
        below = slope < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2
