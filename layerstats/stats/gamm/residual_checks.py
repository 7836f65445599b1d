"""Whether residuals are what the model says: normal, of equal variance, without outliers, independent."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from layerstats.stats.gamm.autocorrelation import series_autocorrelation
from layerstats.tables import check_frame

# Standard deviations beyond which a residual is counted as an outlier.
_FAR = 4.0


def residual_checks_table(
    fitted: np.ndarray, residuals: np.ndarray, start: np.ndarray | None, gaps: np.ndarray | None = None
) -> pd.DataFrame:
    """Test residuals, one row a check.

    Parameters
    ----------
    fitted, residuals
        (row,) in order of series and time; residuals whitened where the model has AR(1) residuals.
    start
        (row,) True where a series begins, or None; then there is no check of autocorrelation.
    gaps
        (row,) steps since the row before; None where every row is one step from the row before.

    Returns
    -------
    pandas.DataFrame
        ``check, estimate, statistic, p_value, note``. Checks: ``normality`` (Jarque-Bera; estimate is the excess
        kurtosis), ``equal variance`` (Breusch-Pagan on the fitted values as studentised by Koenker; estimate is the
        share of the variance of squared residuals that the fitted values explain), ``outliers`` (estimate is the share
        of residuals beyond 4 standard deviations; the p-value is that of the largest, corrected for their number),
        ``autocorrelation`` (estimate is the lag-1 autocorrelation within series).
    """
    rows = [_normality(residuals), _equal_variance(fitted, residuals), _outliers(residuals)]
    if start is not None:
        rows.append(_autocorrelation(residuals, start, gaps))
    return check_frame(pd.DataFrame(rows, columns=["check", "estimate", "statistic", "p_value", "note"]))


def _normality(residuals: np.ndarray) -> tuple[str, float, float, float, str]:
    # scipy.stats takes as long to import as all else that a fit needs.
    from scipy import stats

    statistic, p_value = map(float, stats.jarque_bera(residuals))
    skewness, kurtosis = float(stats.skew(residuals)), float(stats.kurtosis(residuals))
    note = f"skewness {skewness:.3g}, excess kurtosis {kurtosis:.3g}"
    return "normality", kurtosis, statistic, p_value, note


def _equal_variance(fitted: np.ndarray, residuals: np.ndarray) -> tuple[str, float, float, float, str]:
    if np.ptp(fitted) == 0:
        return "equal variance", float("nan"), float("nan"), float("nan"), "the fitted values are all equal"
    share = float(np.corrcoef(fitted, residuals**2)[0, 1] ** 2)
    statistic = len(residuals) * share
    slope = np.cov(fitted, residuals**2)[0, 1]
    note = f"variance {'grows' if slope > 0 else 'falls'} with the fitted value"
    return "equal variance", share, statistic, float(special.chdtrc(1, statistic)), note


def _outliers(residuals: np.ndarray) -> tuple[str, float, float, float, str]:
    deviations = np.abs(residuals - residuals.mean()) / residuals.std()
    largest = float(deviations.max())
    p_value = min(1.0, 2 * float(special.ndtr(-largest)) * len(residuals))
    note = f"{int(np.sum(deviations > _FAR))} residuals beyond {_FAR:g} standard deviations"
    return "outliers", float(np.mean(deviations > _FAR)), largest, p_value, note


def _autocorrelation(
    residuals: np.ndarray, start: np.ndarray, gaps: np.ndarray | None
) -> tuple[str, float, float, float, str]:
    value, pairs = series_autocorrelation(residuals, start, 1, gaps)
    statistic = value * np.sqrt(pairs)
    note = f"lag 1 within series, {pairs} pairs"
    return "autocorrelation", value, float(statistic), float(2 * special.ndtr(-abs(statistic))), note
