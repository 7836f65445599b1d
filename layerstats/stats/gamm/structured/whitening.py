"""AR(1) residuals made independent, as mgcv does: by rows, the first of each series as it is."""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.engine_interface import ModelRequest


def whiten(rows: np.ndarray, correlation: float | np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return ``(x[t] - r x[t-1]) / sqrt(1 - r^2)``, and ``x[t]`` where a series starts.

    Parameters
    ----------
    rows
        (row, ...) in order of series and time.
    correlation
        r, the correlation of the residuals of a row and the row before: one number, or (row,).
    start
        (row,) True where a series begins.

    Examples
    --------
    >>> whiten(np.array([1.0, 1.0, 2.0]), 0.6, np.array([True, False, True])).round(12)
    array([1. , 0.5, 2. ])
    """
    if not np.any(correlation):
        return rows
    later = np.broadcast_to(correlation, len(rows))[1:].reshape(-1, *(1,) * (rows.ndim - 1))
    whitened = np.empty_like(rows, dtype=float)
    whitened[0] = rows[0]
    whitened[1:] = (rows[1:] - later * rows[:-1]) / np.sqrt(1 - later**2)
    whitened[start] = rows[start]
    return whitened


def log_determinant(correlation: float | np.ndarray, start: np.ndarray) -> float:
    """Return the log determinant of the transformation: what it adds to the log likelihood."""
    return -0.5 * float(np.sum(np.log1p(-np.square(np.broadcast_to(correlation, len(start))[~start]))))


def series_start(request: ModelRequest) -> np.ndarray:
    """Return where series begin, (row,): every row by itself where residuals are independent."""
    if request.rho == 0:
        return np.ones(len(request.frame), dtype=bool)
    if request.series_start is None:
        return np.arange(len(request.frame)) == 0
    return request.series_start


def neighbour_correlation(request: ModelRequest, rho: float) -> float | np.ndarray:
    """Return the correlation of a row and the row before: rho, or (row,) rho to the power of the gap."""
    return rho if request.series_gaps is None or rho == 0 else rho**request.series_gaps
