"""Differences of one number between two conditions, in units of the natural spread between speakers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.errors import DataError
from layerstats.stats.exaggeration.feature_items import LEAST_ITEMS, FeatureItems


@dataclass(frozen=True)
class UnitDifference:
    """A difference between the means of two conditions over speakers and starts.

    Attributes
    ----------
    diff, std_error, df
        In the units of what is compared, always the first condition minus the second.
    counts
        Speakers or starts of each condition.
    paired
        Whether they are compared within speakers.
    natural_sd, natural_speakers
        The standard deviation between natural speakers, and their number.
    """

    diff: float
    std_error: float
    df: float
    counts: tuple[int, int]
    paired: bool
    natural_sd: float
    natural_speakers: int

    @property
    def in_sd(self) -> float:
        """The difference in natural standard deviations; missing where natural speakers do not differ."""
        return self.diff / self.natural_sd if self.natural_sd > 0 else np.nan

    @property
    def in_sd_std_error(self) -> float:
        """Its standard error, which holds that of the standard deviation (delta method)."""
        spread = self.in_sd / np.sqrt(2 * (self.natural_speakers - 1))
        return float(np.hypot(self.std_error / self.natural_sd, spread)) if self.natural_sd > 0 else np.nan

    @property
    def statistic(self) -> float:
        """The t of the difference; missing where nothing varies."""
        return self.diff / self.std_error if self.std_error > 0 else np.nan

    def described(self) -> dict[str, object]:
        """Return what tables say of it in any case."""
        return {
            "design": "within speakers" if self.paired else "between speakers and starts",
            "tokens_1": self.counts[0],
            "tokens_2": self.counts[1],
            "diff": self.diff,
            "natural_sd": self.natural_sd,
        }

    def in_sd_interval(self, conf_level: float) -> tuple[float, float]:
        """Return the ends of the t interval of `in_sd`."""
        reach = float(stats.t.ppf((1 + conf_level) / 2, self.df)) * self.in_sd_std_error
        return self.in_sd - reach, self.in_sd + reach


def unit_difference(
    items: FeatureItems, values: np.ndarray, word: str, condition: str, reference: str
) -> UnitDifference:
    """Compare two conditions of a word: by Welch's t test, or within speakers where they are in pairs.

    Parameters
    ----------
    items
        From `feature_items`.
    values
        (item,) what is compared; items of one speaker are averaged.

    Raises
    ------
    DataError
        Fewer than three speakers have both items of a pair.
    """
    ours, theirs, paired = items.compared(word, condition, reference)
    first, second = (_by_speaker(items, values, rows) for rows in (ours, theirs))
    natural = _by_speaker(items, values, items.rows(word, items.spread_of(word, reference)))
    sd = float(natural.to_numpy().std(ddof=1))
    diff, error, df = paired_t(first, second) if paired else welch_t(first.to_numpy(), second.to_numpy())
    return UnitDifference(diff, error, df, (len(first), len(second)), paired, sd, len(natural))


def _by_speaker(items: FeatureItems, values: np.ndarray, rows: np.ndarray) -> pd.Series:
    means = pd.DataFrame({"value": values[rows], "speaker": items.tokens["speaker"].to_numpy()[rows]})
    return pd.Series(means.groupby("speaker")["value"].mean())


def welch_t(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """Return the difference of two means, its standard error, and Welch's degrees of freedom.

    Examples
    --------
    >>> diff, error, df = welch_t(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 9.0]))
    >>> round(diff, 3), round(error, 3), round(df, 3)
    (-3.0, 2.16, 2.306)
    """
    parts = np.array([np.var(one, ddof=1) / len(one) for one in (first, second)])
    freedom = np.array([len(first) - 1, len(second) - 1])
    total, spent = float(parts.sum()), float(np.sum(parts**2 / freedom))
    return float(first.mean() - second.mean()), float(np.sqrt(total)), total**2 / spent if spent > 0 else freedom.sum()


def paired_t(first: pd.Series, second: pd.Series) -> tuple[float, float, float]:
    """Return the mean difference within speakers, its standard error, and the degrees of freedom."""
    differences = pd.Series(first - second).dropna().to_numpy(dtype=float)
    count = len(differences)
    if count < LEAST_ITEMS:
        raise DataError(f"Only {count} speakers have both items of a pair; {LEAST_ITEMS} are needed.")
    return float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(count)), float(count - 1)
