"""Krippendorff's alpha from counts of the values that each clip was given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse

from layerstats.checks import check_choice, check_count, check_seed, check_share
from layerstats.errors import DataError
from layerstats.stats.interval_estimate import IntervalEstimate
from layerstats.stats.ratings.agreement.rated_units import RatedUnits
from layerstats.stats.ratings.means.two_way_bootstrap import BLOCK, drawn_weights
from layerstats.stats.resampling.blocks import blocks_of
from layerstats.stats.resampling.seeds import replicate_generator

Level = Literal["nominal", "ordinal", "interval", "ratio"]
LEVELS = ("nominal", "ordinal", "interval", "ratio")
# Of ratios every value is compared with every other.
_MOST_VALUES = 2000


def krippendorff_alpha(
    data: pd.DataFrame,
    level: Level,
    *,
    value: str = "rating",
    unit: str = "clip",
    conf_level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> IntervalEstimate:
    """Measure how far raters agree, beyond what ratings at random would: 1 is agreement, 0 none.

    One less observed over expected disagreement of pairs of ratings of one clip (Krippendorff 2011, "Computing
    Krippendorff's alpha-reliability"). Raters may have rated any number of clips; a clip that one rater rated tells
    nothing. From counts of values, so that the time grows with ratings and not with pairs of raters.

    Parameters
    ----------
    data
        A row a rating: ``rater``, `unit` and `value`. Missing values are no category. Rows of roles other than "test"
        are left out.
    level
        Of measurement: what the disagreement of two values is. "nominal": 1 unless they are the same; "ordinal": the
        square of the ratings between them; "interval": of their difference; "ratio": of their difference over their
        sum.
    value, unit
        Columns: what was said, and of what.
    conf_level
        Of the interval: percentiles of units drawn with replacement. It is for other clips that these raters rate; for
        other raters too it is too narrow where raters are few (``docs/how-to/listening.md``: how often the tests err).
    draws, seed
        Of the interval.

    Returns
    -------
    IntervalEstimate
        Alpha and its interval.

    Raises
    ------
    DataError
        No clip has two ratings, or all ratings are the same, so that alpha is not defined; or ratings are no numbers,
        or below zero where ratios are compared.

    Examples
    --------
    >>> rows = [("r1", "a", 1), ("r2", "a", 1), ("r1", "b", 3), ("r2", "b", 4), ("r1", "c", 2), ("r2", "c", 2)]
    >>> round(krippendorff_alpha(pd.DataFrame(rows, columns=["rater", "clip", "rating"]), "interval").estimate, 4)
    0.878
    """
    check_choice("level", level, LEVELS)
    check_share("conf_level", conf_level)
    check_count("draws", draws)
    check_seed(seed)
    rated = RatedUnits.of(data, value, unit, numeric=level != "nominal")
    counts = ValueCounts.of(rated, level, unit)
    size = len(counts.ratings)
    estimate = float(counts.alpha(np.ones((size, 1)))[0])
    drawn = []
    for numbers in blocks_of(draws, BLOCK):
        generator = replicate_generator(seed, numbers.start)
        drawn.append(counts.alpha(drawn_weights(np.zeros(size, dtype=np.int64), len(numbers), generator)))
    replicates = np.concatenate(drawn)
    known = replicates[np.isfinite(replicates)]
    tail = (1 - conf_level) / 2
    low, high = np.quantile(known, [tail, 1 - tail]) if size > 1 and len(known) else (np.nan, np.nan)
    notes = [*rated.notes, *counts.notes]
    if size == 1:
        notes.append(f"There is one {unit} with two ratings or more: alpha has no interval.")
    elif len(known) < draws:
        notes.append(f"In {draws - len(known)} of {draws} draws all ratings are the same; they are left out.")
    method = f"Krippendorff's alpha ({level}), {size} {unit}s drawn again"
    return IntervalEstimate(estimate, float(low), float(high), conf_level, method, tuple(notes))


@dataclass(frozen=True, eq=False)
class ValueCounts:
    """How often each unit was given each value, of units with two ratings or more.

    Attributes
    ----------
    counts
        (unit, value)
    values
        (value,) as numbers; their places where the level is nominal.
    level
        Of measurement.
    notes
        What is left out.
    """

    counts: sparse.csr_array
    values: np.ndarray
    level: str
    notes: tuple[str, ...]

    @classmethod
    def of(cls, rated: RatedUnits, level: str, unit: str) -> ValueCounts:
        """Count, and refuse what has no alpha."""
        shape = (int(rated.units.max()) + 1, len(rated.given))
        counts = sparse.coo_array((np.ones(len(rated.units)), (rated.units, rated.codes)), shape).tocsr()
        paired = np.asarray(counts.sum(axis=1)) >= 2
        if not paired.any():
            raise DataError(f"No {unit} has two ratings: nothing is known of how far raters agree.")
        counts = counts[np.flatnonzero(paired)]
        used = np.flatnonzero(np.asarray(counts.sum(axis=0)))
        if len(used) == 1:
            raise DataError(
                f"All ratings of {unit}s with two or more are the same ({rated.given[used[0]]}): there is no "
                "disagreement that could be expected, so that alpha is not defined."
            )
        values = np.arange(len(used), dtype=float) if level == "nominal" else rated.given[used].astype(float)
        if level == "ratio" and values.min() < 0:
            raise DataError(f"Ratios are of ratings of zero or above, but one is {values.min():g}.")
        if level == "ratio" and len(values) > _MOST_VALUES:
            raise DataError(
                f"There are {len(values)} different ratings: of ratios at most {_MOST_VALUES} are compared."
            )
        alone = int(np.sum(~paired))
        notes = (f"{alone} {unit}s with one rating tell nothing of agreement and are left out.",) if alone else ()
        return cls(counts[:, used].tocsr(), values, level, notes)

    @cached_property
    def ratings(self) -> np.ndarray:
        """(unit,) how many ratings."""
        return np.asarray(self.counts.sum(axis=1))

    def alpha(self, weights: np.ndarray) -> np.ndarray:
        """Return alpha where each unit counts so often, (draw,); NaN where all ratings are the same.

        Parameters
        ----------
        weights
            (unit, draw)
        """
        totals = self.counts.T @ weights
        if self.level == "ordinal":
            # Two values are as far apart as the ratings between them, half of their own included: midranks.
            observed, expected = self._squares(np.cumsum(totals, axis=0) - totals / 2, weights, totals)
        elif self.level == "interval":
            # Whole numbers stay whole, so that an alpha of zero is zero.
            centred = self.values - np.round(np.mean(self.values))
            observed, expected = self._squares(np.repeat(centred[:, None], weights.shape[1], axis=1), weights, totals)
        else:
            observed = self._disagreement @ weights
            expected = np.einsum("vd,vd->d", totals, self._differences @ totals)
        # Of values that are all the same rounding may leave something.
        varies = (totals > 0).sum(axis=0) > 1
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(varies, 1 - observed / (expected / (totals.sum(axis=0) - 1)), np.nan)

    def _squares(self, places: np.ndarray, weights: np.ndarray, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return observed and expected sums of squared differences between places of values, (draw,) each."""
        ratings = self.ratings[:, None]
        within = 2 * (ratings * (self.counts @ places**2) - (self.counts @ places) ** 2) / (ratings - 1)
        expected = 2 * (totals.sum(axis=0) * (totals * places**2).sum(axis=0) - (totals * places).sum(axis=0) ** 2)
        return (within * weights).sum(axis=0), expected

    @cached_property
    def _differences(self) -> np.ndarray:
        """(value, value) disagreement of two values."""
        one, two = self.values[:, None], self.values[None, :]
        if self.level == "nominal":
            return (one != two).astype(float)
        with np.errstate(invalid="ignore"):
            return np.nan_to_num(((one - two) / (one + two)) ** 2)

    @cached_property
    def _disagreement(self) -> np.ndarray:
        """(unit,) disagreement of pairs of its ratings, over the ratings less one."""
        found = np.empty(len(self.ratings))
        for numbers in blocks_of(len(found), 1000):
            own = self.counts[numbers.start : numbers.stop].toarray()
            found[numbers.start : numbers.stop] = ((own @ self._differences) * own).sum(axis=1)
        return found / (self.ratings - 1)
