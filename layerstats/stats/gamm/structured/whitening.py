"""AR(1) residuals made independent, as mgcv does: by rows, the first of each series as it is."""

from __future__ import annotations

import numpy as np


def whiten(rows: np.ndarray, rho: float, start: np.ndarray) -> np.ndarray:
    """Return ``(x[t] - rho x[t-1]) / sqrt(1 - rho^2)``, and ``x[t]`` where a series starts.

    Parameters
    ----------
    rows
        (row, ...) in order of series and time.
    rho
        AR(1) parameter.
    start
        (row,) True where a series begins.

    Examples
    --------
    >>> whiten(np.array([1.0, 1.0, 2.0]), 0.6, np.array([True, False, True])).round(12)
    array([1. , 0.5, 2. ])
    """
    if rho == 0:
        return rows
    whitened = np.empty_like(rows, dtype=float)
    whitened[0] = rows[0]
    whitened[1:] = (rows[1:] - rho * rows[:-1]) / np.sqrt(1 - rho**2)
    whitened[start] = rows[start]
    return whitened


def log_determinant(rho: float, start: np.ndarray) -> float:
    """Return the log determinant of the transformation: what it adds to the log likelihood."""
    return -0.5 * np.log1p(-(rho**2)) * float(np.sum(~start))
