"""The autocorrelation that a model leaves in its residuals although its errors have none."""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.engine_interface import EngineFit, FitRequest
from layerstats.stats.gamm.structured.whitening import neighbour_correlation, whiten

# Enough for an expectation to two digits; so many at a time, whose columns stand side by side.
_SERIES = 96
_TOGETHER = 16


def implied_autocorrelation(request: FitRequest, fit: EngineFit, lags: int) -> np.ndarray:
    """Return what the autocorrelation of whitened residuals is on average where the model is right, (lag,) from 1.

    Smooths take up a part of the errors, most of it where each series has a curve of its own, and what they leave
    alternates: errors that are independent have residuals that are not. For a penalised model the covariance of the
    residuals is proportional to I - A, A being the influence matrix of the whitened data (Wood 2017, section 6.2), and
    the autocorrelation within series is a mean over its diagonals.

    Parameters
    ----------
    request, fit
        A fitted model with series; up to 96 of them, evenly spaced, stand for all.
    lags
        The largest lag, in rows.

    Returns
    -------
    numpy.ndarray
        NaN where rows of a series are not one step apart, a lag is longer than the series, or errors are not Gaussian.
    """
    if request.series_start is None or request.series_gaps is not None or request.family != "gaussian":
        return np.full(lags, np.nan)
    edges = np.append(np.flatnonzero(request.series_start), len(request.frame))
    chosen = np.unique(np.linspace(0, len(edges) - 2, min(_SERIES, len(edges) - 1)).round().astype(int))
    sums = np.zeros(lags + 1)
    for some in np.array_split(chosen, -(-len(chosen) // _TOGETHER)):
        lengths = edges[some + 1] - edges[some]
        rows = np.concatenate([np.arange(int(edges[one]), int(edges[one + 1])) for one in some.tolist()])
        sums += _diagonals(request, fit, rows, lengths, lags)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(sums[1:] == 0, np.nan, sums[1:] / sums[0])


def _diagonals(request: FitRequest, fit: EngineFit, rows: np.ndarray, lengths: np.ndarray, lags: int) -> np.ndarray:
    """Return the sums over the diagonals of I - A within some series, from the main one to that of the largest lag."""
    design = fit.design(request.frame.iloc[rows].reset_index(drop=True), ())
    ends = np.cumsum(lengths)
    start = np.zeros(len(rows), dtype=bool)
    start[ends - lengths] = True
    weights = np.ones(len(rows)) if request.weights is None else request.weights[rows]
    matrix = whiten(design.matrix * np.sqrt(weights)[:, None], neighbour_correlation(request, request.rho), start)
    covariance = design.covariance / float(fit.glance["scale"].iloc[0])
    sums = np.zeros(lags + 1)
    for first, end in zip(ends - lengths, ends, strict=True):
        used = np.flatnonzero(matrix[first:end].any(axis=0))
        own = matrix[first:end, used]
        kept = np.eye(end - first) - own @ covariance[np.ix_(used, used)] @ own.T
        sums += [np.trace(kept, offset=lag) if lag < len(kept) else 0.0 for lag in range(lags + 1)]
    return sums
