"""Whether residuals are what the model says: normal, of equal variance, without outliers, independent."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from layerstats.stats.gamm.checks.autocorrelation import series_autocorrelation
from layerstats.tables import check_frame

# Standard deviations beyond which a residual is counted as an outlier.
_FAR = 4.0
# Lags that are checked: AR(1) that fits the first may make the others worse.
LAGS = 3
# In large tables everything is significant: a check fails only where what it estimates is also large.
_KURTOSIS, _VARIANCE_EXPLAINED, _OUTLIERS, _AUTOCORRELATION = 3.0, 0.05, 0.005, 0.2
_ALPHA = 0.01


def residual_checks_table(
    fitted: np.ndarray,
    residuals: np.ndarray,
    start: np.ndarray | None,
    gaps: np.ndarray | None = None,
    implied: np.ndarray | None = None,
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
    implied
        (lag,) from 1, the autocorrelation of residuals where the model is right; see `implied_autocorrelation`. Zero
        where that is not known.

    Returns
    -------
    pandas.DataFrame
        ``check, estimate, implied, statistic, p_value, passed, note``. Checks: ``normality`` (Jarque-Bera; estimate is
        the excess kurtosis), ``equal variance`` (Breusch-Pagan on the fitted values as studentised by Koenker; estimate
        is the share of the variance of squared residuals that the fitted values explain), ``outliers`` (estimate is the
        share of residuals beyond 4 standard deviations; the p-value is that of the largest, corrected for their
        number), ``autocorrelation`` (estimate is the lag-1 autocorrelation within series, which is compared with what
        the model itself implies) and the same at lags 2 and 3. `passed` is False where the p-value is below 0.01 and
        the estimate is large enough to matter: excess kurtosis beyond 3, 5 % of the variance of squared residuals,
        0.5 % of residuals, an autocorrelation further than 0.2 from the implied one.
    """
    rows = [_normality(residuals), _equal_variance(fitted, residuals), _outliers(residuals)]
    if start is not None:
        expected = np.zeros(LAGS) if implied is None else np.nan_to_num(implied)
        rows += [_autocorrelation(residuals, start, gaps, lag, expected[lag - 1]) for lag in range(1, LAGS + 1)]
    # Series of two points have no second lag.
    table = pd.DataFrame([row for row in rows if row is not None])
    large = [_is_large(row) for row in table.to_dict("records")]
    table["passed"] = ~((table["p_value"] < _ALPHA).to_numpy() & np.array(large))
    columns = ["check", "estimate", "implied", "statistic", "p_value", "passed", "note"]
    return check_frame(table.reindex(columns=columns).astype({"implied": float}))


def failed_checks(table: pd.DataFrame) -> list[str]:
    """Name the checks that residuals fail, each once.

    Examples
    --------
    >>> checks = ["normality", "autocorrelation", "autocorrelation at lag 3"]
    >>> failed_checks(pd.DataFrame({"check": checks, "passed": [True, False, False]}))
    ['autocorrelation']
    """
    failed = table.loc[~table["passed"].to_numpy(dtype=bool), "check"]
    return list(dict.fromkeys(str(name).partition(" at ")[0] for name in failed))


def _is_large(row: dict) -> bool:
    if row["check"] == "normality":
        return abs(row["estimate"]) > _KURTOSIS
    if row["check"] == "equal variance":
        return row["estimate"] > _VARIANCE_EXPLAINED
    if row["check"] == "outliers":
        return row["estimate"] > _OUTLIERS
    return abs(row["estimate"] - row["implied"]) > _AUTOCORRELATION


def _normality(residuals: np.ndarray) -> dict[str, object]:
    # scipy.stats takes as long to import as all else that a fit needs.
    from scipy import stats

    statistic, p_value = map(float, stats.jarque_bera(residuals))
    skewness, kurtosis = float(stats.skew(residuals)), float(stats.kurtosis(residuals))
    note = f"skewness {skewness:.3g}, excess kurtosis {kurtosis:.3g}"
    return _row("normality", kurtosis, statistic, p_value, note)


def _equal_variance(fitted: np.ndarray, residuals: np.ndarray) -> dict[str, object]:
    if np.ptp(fitted) == 0:
        return _row("equal variance", np.nan, np.nan, np.nan, "the fitted values are all equal")
    share = float(np.corrcoef(fitted, residuals**2)[0, 1] ** 2)
    statistic = len(residuals) * share
    slope = np.cov(fitted, residuals**2)[0, 1]
    note = f"variance {'grows' if slope > 0 else 'falls'} with the fitted value"
    return _row("equal variance", share, statistic, float(special.chdtrc(1, statistic)), note)


def _outliers(residuals: np.ndarray) -> dict[str, object]:
    deviations = np.abs(residuals - residuals.mean()) / residuals.std()
    largest = float(deviations.max())
    p_value = min(1.0, 2 * float(special.ndtr(-largest)) * len(residuals))
    note = f"{int(np.sum(deviations > _FAR))} residuals beyond {_FAR:g} standard deviations"
    return _row("outliers", float(np.mean(deviations > _FAR)), largest, p_value, note)


def _autocorrelation(
    residuals: np.ndarray, start: np.ndarray, gaps: np.ndarray | None, lag: int, implied: float
) -> dict[str, object] | None:
    value, pairs = series_autocorrelation(residuals, start, lag, gaps)
    if pairs == 0:
        return None
    statistic = (value - implied) * np.sqrt(pairs)
    name = "autocorrelation" if lag == 1 else f"autocorrelation at lag {lag}"
    p_value = float(2 * special.ndtr(-abs(statistic)))
    return _row(name, value, float(statistic), p_value, f"within series, {pairs} pairs") | {"implied": implied}


def _row(check: str, estimate: float, statistic: float, p_value: float, note: str) -> dict[str, object]:
    return {"check": check, "estimate": estimate, "statistic": statistic, "p_value": p_value, "note": note}
