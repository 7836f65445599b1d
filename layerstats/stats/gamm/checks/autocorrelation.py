"""Autocorrelation of residuals within series."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.data.series_rows import lag_pairs, time_lag_pairs
from layerstats.tables import check_frame


def series_autocorrelation(
    residuals: np.ndarray, start: np.ndarray | None, lag: int, gaps: np.ndarray | None = None
) -> tuple[float, int]:
    """Return the correlation of residuals `lag` steps apart in the same series, and the number of such pairs.

    Residuals have mean zero by construction and are not centred again. The correlation is over pairs, so short series
    do not pull it towards zero; NaN where there is no pair.

    Parameters
    ----------
    residuals
        (row,) in order of series and time.
    start
        (row,) True where a series begins; None for one long series.
    lag
        In steps; pairs count that are nearer to it than to any other lag.
    gaps
        (row,) steps since the row before; None where every row is one step from the row before.

    Examples
    --------
    >>> series_autocorrelation(np.array([1.0, 1.0, -1.0, -1.0]), np.array([True, False, True, False]), 1)
    (1.0, 2)
    >>> series_autocorrelation(np.array([1.0, 1.0, -1.0]), None, 3, np.array([1.0, 1.0, 3.0]))
    (-1.0, 1)
    """
    starts = np.arange(len(residuals)) == 0 if start is None else start
    first, second = lag_pairs(starts, lag) if gaps is None else time_lag_pairs(starts, lag, gaps)
    early, late = residuals[first], residuals[second]
    scale = np.sqrt(np.sum(early**2) * np.sum(late**2))
    if scale == 0:
        return float("nan"), len(first)
    # Rounding may take a perfect correlation of few pairs a little beyond 1.
    return float(np.clip(np.sum(early * late) / scale, -1.0, 1.0)), len(first)


def autocorrelation_table(
    residuals: np.ndarray, start: np.ndarray | None, max_lag: int, gaps: np.ndarray | None = None
) -> pd.DataFrame:
    """Tabulate `series_autocorrelation` for the lags up to `max_lag` that have pairs.

    Returns
    -------
    pandas.DataFrame
        ``lag, autocorrelation, limit, pairs``; `limit` is the half width of the band in which 95 % of the values of
        white noise lie.

    Raises
    ------
    ArgumentError
        `max_lag` is below 1.
    """
    if max_lag < 1:
        raise ArgumentError(f"The 'max_lag' parameter must be 1 or more, but got {max_lag!r} instead.")
    rows = []
    for lag in range((max_lag if gaps is not None else min(max_lag, len(residuals) - 1)) + 1):
        value, pairs = series_autocorrelation(residuals, start, lag, gaps)
        if pairs == 0:
            continue
        rows.append({"lag": lag, "autocorrelation": value, "limit": 1.959964 / np.sqrt(pairs), "pairs": pairs})
    frame = pd.DataFrame(rows, columns=["lag", "autocorrelation", "limit", "pairs"])
    return check_frame(frame, "autocorrelation")
