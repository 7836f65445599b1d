"""Intra-class correlations: which part of the variance of ratings is of the clips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_choice, check_share
from layerstats.errors import DataError
from layerstats.stats.interval_estimate import IntervalEstimate
from layerstats.stats.ratings.means.rating_cells import RatingCells
from layerstats.stats.ratings.means.two_way_variance import TwoWayVariance
from layerstats.tables.answers import check_ratings

Kind = Literal["ICC(1)", "ICC(2)", "ICC(3)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"]
KINDS = ("ICC(1)", "ICC(2)", "ICC(3)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
# Raters and clips are left out in so many lots at most.
_LOTS = 30


def icc(data: pd.DataFrame, kind: Kind = "ICC(2)", *, conf_level: float = 0.95) -> IntervalEstimate:
    """Estimate the intra-class correlation of ratings of clips (Shrout & Fleiss 1979; McGraw & Wong 1996).

    Parameters
    ----------
    data
        ``rater, clip, rating``; rows of roles other than "test" are left out.
    kind
        "ICC(1)": every clip has raters of its own. "ICC(2)": raters are a sample, and how strict they are counts as
        disagreement. "ICC(3)": these raters, and it does not. With ",k" of the mean of as many ratings as a clip has
        (of their harmonic mean, where clips have several numbers).
    conf_level
        Of the interval: F tests inverted where every rater rated every clip once, and for ICC(1). Else variances come
        from moments (see `TwoWayVariance`), and the interval, of Fisher's z, from leaving out raters and clips, which
        the notes say.

    Returns
    -------
    IntervalEstimate
        The correlation and its interval.

    Raises
    ------
    DataError
        There is one clip, no clip has two ratings, one rater (of ICC(2) and ICC(3)), or ratings do not vary.

    Examples
    --------
    >>> given = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> rows = [(f"judge{j}", f"target{t}", value) for t, row in enumerate(given) for j, value in enumerate(row)]
    >>> table = pd.DataFrame(rows, columns=["rater", "clip", "rating"])  # of Shrout & Fleiss
    >>> [round(icc(table, kind).estimate, 2) for kind in KINDS]
    [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    """
    check_choice("kind", kind, KINDS)
    check_share("conf_level", conf_level)
    table = check_ratings(data)
    cells = RatingCells.of(table, [])
    _check(cells, kind)
    per_clip = cells.clip_sums.counts
    raters = float(len(per_clip) / np.sum(1 / per_clip))
    complete = len(cells.counts) == len(cells.raters) * len(cells.clips) and bool(np.all(cells.counts == 1))
    notes: list[str] = []
    if kind.startswith("ICC(1"):
        single, ends = _one_way(cells, conf_level)
        if np.ptp(per_clip) > 0:
            notes.append("Clips have several numbers of ratings: the interval is approximate.")
    elif complete:
        single, ends = _two_way(cells, kind, conf_level)
    else:
        single, ends = _unbalanced(table, cells, kind, conf_level)
        notes.append(
            "Not every rater rated every clip once: variances are of moments, and the interval is of Fisher's z, from "
            "leaving out raters and clips by lots."
        )
    estimate, low, high = single, *ends
    if kind.endswith("k)"):
        estimate, low, high = (_of_mean(one, raters) for one in (single, *ends))
        notes.append(f"Of the mean of {raters:.4g} ratings.")
    # Where all variance is between raters both ends are the same but for rounding.
    low, high = min(low, high), max(low, high)
    method = f"{kind} of {len(cells.clips)} clips and {len(cells.raters)} raters"
    return IntervalEstimate(estimate, low, high, conf_level, method, tuple(notes))


def _check(cells: RatingCells, kind: str) -> None:
    if len(cells.clips) < 2:
        raise DataError("There is one clip only: nothing is known of how clips differ.")
    if cells.clip_sums.counts.max() < 2:
        raise DataError("No clip has two ratings: nothing is known of how far raters agree.")
    if not kind.startswith("ICC(1") and len(cells.raters) < 2:
        raise DataError("There is one rater only: nothing is known of how far raters agree.")
    if np.ptp(cells.sums / cells.counts) == 0 and np.allclose(cells.squares * cells.counts, cells.sums**2):
        raise DataError("All ratings are the same: there is no variance, so that the correlation is not defined.")


def _one_way(cells: RatingCells, conf_level: float) -> tuple[float, tuple[float, float]]:
    """Return ICC(1) and its interval, from the mean squares between and within clips."""
    sums = cells.clip_sums
    number, clips = float(cells.ratings[0]), len(cells.clips)
    within = float(np.sum(sums.squares - sums.sums**2 / sums.counts))
    between = float(np.sum(sums.sums**2 / sums.counts) - number * cells.means[0] ** 2)
    df = (clips - 1, number - clips)
    # What a clip's number of ratings counts for (Searle 1971), which is that number where all have the same.
    size = (number - float(np.sum(sums.counts**2)) / number) / (clips - 1)
    if within <= 0:
        return 1.0, (1.0, 1.0)
    ratio = (between / df[0]) / (within / df[1])
    return _of_ratio(ratio, size), _ends_of_ratio(ratio, df, size, conf_level)


def _two_way(cells: RatingCells, kind: str, conf_level: float) -> tuple[float, tuple[float, float]]:
    """Return ICC(2) or ICC(3) of a complete table and its interval."""
    clips, raters = len(cells.clips), len(cells.raters)
    number = clips * raters
    mean = cells.means[0]
    rows = float(np.sum(cells.clip_sums.sums**2)) / raters - number * mean**2
    columns = float(np.sum(cells.rater_sums.sums**2)) / clips - number * mean**2
    left = float(np.sum(cells.squares)) - number * mean**2 - rows - columns
    df = (clips - 1, (clips - 1) * (raters - 1))
    squares = _MeanSquares(rows / df[0], columns / (raters - 1), max(left, 0.0) / df[1], clips, raters)
    if kind.startswith("ICC(3"):
        if squares.noise <= 1e-12 * squares.clips:
            return 1.0, (1.0, 1.0)
        ratio = squares.clips / squares.noise
        return _of_ratio(ratio, raters), _ends_of_ratio(ratio, df, raters, conf_level)
    return squares.agreement(), squares.agreement_interval(conf_level)


@dataclass(frozen=True)
class _MeanSquares:
    """Mean squares between clips, between raters and of noise, and how many clips and raters there are."""

    clips: float
    raters: float
    noise: float
    n: int
    k: int

    def agreement(self) -> float:
        """Return ICC(2)."""
        extra = self.k * (self.raters - self.noise) / self.n
        total = self.clips + (self.k - 1) * self.noise + extra
        return float((self.clips - self.noise) / total) if total > 1e-12 * self.noise else -1.0

    def agreement_interval(self, conf_level: float) -> tuple[float, float]:
        """Return the interval of McGraw & Wong (1996, Psychol. Methods 1, 30-46, table 7)."""
        n, k, estimate = self.n, self.k, self.agreement()
        if estimate >= 1 - 1e-12:
            return estimate, estimate
        # Below zero the mean squares would be combined with negative weights, which have no degrees of freedom.
        weight = k * max(estimate, 0.0) / (n * (1 - estimate))
        own, other = weight * self.raters, (1 + weight * (n - 1)) * self.noise
        squares = own**2 / (k - 1) + other**2 / ((n - 1) * (k - 1))
        df = (own + other) ** 2 / squares if squares > 0 else 1.0
        tail = (1 - conf_level) / 2
        low, high = stats.f.isf(tail, n - 1, df), stats.f.isf(tail, df, n - 1)
        rest = k * self.raters + (k * n - k - n) * self.noise
        return (
            float(n * (self.clips - low * self.noise) / (low * rest + n * self.clips)),
            float(n * (high * self.clips - self.noise) / (rest + n * high * self.clips)),
        )


def _unbalanced(
    table: pd.DataFrame, cells: RatingCells, kind: str, conf_level: float
) -> tuple[float, tuple[float, float]]:
    """Return ICC(2) or ICC(3) from variances that are estimated as moments, and its interval by the jackknife.

    Leaving out raters and leaving out clips both have the noise of single ratings, which is taken off once (two-way
    clusters: Cameron, Gelbach & Miller 2011).
    """
    estimate = _of_components(cells, kind)
    units = [pd.factorize(table[name], sort=True)[0] for name in ("rater", "clip")]
    raters, clips = (_jackknife(table, of, kind) for of in units)
    noise = _jackknife(table, np.arange(len(table)), kind)
    variance = max(raters + clips - noise, raters, clips)
    freedom = min(_LOTS, len(cells.raters), len(cells.clips)) - 1
    width = float(stats.t.isf((1 - conf_level) / 2, freedom)) * np.sqrt(variance)
    centre = float(_fisher_z(np.array(estimate)))
    return estimate, (float(np.tanh(centre - width)), float(np.tanh(centre + width)))


def _jackknife(table: pd.DataFrame, unit_of: np.ndarray, kind: str) -> float:
    """Return the variance of Fisher's z of a correlation, from leaving out lots of units."""
    size = int(unit_of.max()) + 1
    lots = min(_LOTS, size)
    # In an order that has nothing to do with names, which may say conditions.
    lot = (np.random.default_rng(0).permutation(size) % lots)[unit_of]
    kept = [RatingCells.of(pd.DataFrame(table.loc[lot != one]), []) for one in range(lots)]
    z = _fisher_z(np.array([_of_components(one, kind) for one in kept]))
    return (lots - 1) * float(np.mean((z - z.mean()) ** 2))


def _fisher_z(correlations: np.ndarray) -> np.ndarray:
    return np.arctanh(np.clip(correlations, -1 + 1e-9, 1 - 1e-9))


def _of_components(cells: RatingCells, kind: str) -> float:
    raters, clips, noise = TwoWayVariance.of(cells).components[0]
    total = clips + noise + (raters if kind.startswith("ICC(2") else 0.0)
    return float(clips / total) if total > 0 else 0.0


def _of_ratio(ratio: float, size: float) -> float:
    """Return the correlation of a ratio of mean squares."""
    return float((ratio - 1) / (ratio + size - 1))


def _ends_of_ratio(ratio: float, df: tuple[float, float], size: float, conf_level: float) -> tuple[float, float]:
    tail = (1 - conf_level) / 2
    low, high = ratio / stats.f.isf(tail, *df), ratio * stats.f.isf(tail, df[1], df[0])
    return _of_ratio(float(low), size), _of_ratio(float(high), size)


def _of_mean(single: float, raters: float) -> float:
    """Return the correlation of means of several ratings (Spearman and Brown); it has no lowest value."""
    rest = 1 + (raters - 1) * single
    return raters * single / rest if rest > 1e-12 else float("-inf")
