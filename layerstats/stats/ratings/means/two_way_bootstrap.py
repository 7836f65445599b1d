"""Means of raters and clips that are drawn again, both at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from layerstats.parallel import RunOptions
from layerstats.stats.ratings.means.rating_cells import RatingCells
from layerstats.stats.resampling.blocks import in_blocks
from layerstats.stats.resampling.seeds import replicate_generator

# Draws that are made side by side by one generator, so that results do not depend on how many cores there are.
BLOCK = 50


def two_way_replicates(cells: RatingCells, draws: int, seed: int, run: RunOptions | None = None) -> np.ndarray:
    """Return means of raters and clips drawn with replacement, crossed, (draw, group).

    A rating counts as often as its rater was drawn times as often as its clip was (the pigeonhole bootstrap: Owen 2007,
    Ann. Appl. Stat. 1, 386-411; Owen & Eckles 2012). Clips that belong to one condition only are drawn within it, so
    that it keeps its number of clips; so are raters. NaN where nothing of a group was drawn.
    """
    raters, clips = cells.rater_sums, cells.clip_sums
    row = np.repeat(np.arange(len(clips.unit_of)), _cells_of(cells))
    shape = (len(clips.unit_of), raters.size)
    sums, counts = (sparse.csr_array((values, (row, cells.rater_of)), shape) for values in (cells.sums, cells.counts))
    starts = np.searchsorted(clips.group_of, np.arange(len(cells.groups)))
    drawn = _Drawn(sums, counts, starts, raters.strata, clips.strata, clips.unit_of, seed)
    return in_blocks(drawn.replicates, draws, run, BLOCK)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What a block of draws needs: sums and counts, (clip of a group, rater), and who is drawn among whom."""

    sums: sparse.csr_array
    counts: sparse.csr_array
    starts: np.ndarray
    rater_strata: np.ndarray
    clip_strata: np.ndarray
    unit_of: np.ndarray
    seed: int

    def replicates(self, numbers: range) -> np.ndarray:
        generator = replicate_generator(self.seed, numbers.start // BLOCK)
        rater_weights = drawn_weights(self.rater_strata, len(numbers), generator)
        clip_weights = drawn_weights(self.clip_strata, len(numbers), generator)[self.unit_of]
        added, number = (
            np.add.reduceat((matrix @ rater_weights) * clip_weights, self.starts, axis=0)
            for matrix in (self.sums, self.counts)
        )
        with np.errstate(invalid="ignore"):
            return (added / number).T


def drawn_weights(strata: np.ndarray, draws: int, generator: np.random.Generator) -> np.ndarray:
    """Return how often each unit is drawn with replacement within its stratum, (unit, draw).

    Examples
    --------
    >>> drawn_weights(np.array([0, 0, 1]), 4, np.random.default_rng(1)).sum(axis=0)
    array([3., 3., 3., 3.])
    """
    order = np.argsort(strata, kind="stable")
    sizes = np.bincount(strata)
    starts = np.cumsum(sizes) - sizes
    sorted_strata = strata[order]
    drawn = (generator.random((draws, len(strata))) * sizes[sorted_strata]).astype(np.int64) + starts[sorted_strata]
    drawn += len(strata) * np.arange(draws)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=draws * len(strata)).reshape(draws, -1)
    weights = np.empty((len(strata), draws))
    weights[order] = counts.T
    return weights


def bootstrap_interval(
    estimate: np.ndarray, replicates: np.ndarray, std_error: np.ndarray, critical: np.ndarray, conf_level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return percentiles of replicates whose spread is that of the standard error.

    Drawing raters and clips again counts noise three times and, with few of them, their variance too little:
    deviations from the estimate are scaled so that their standard deviation is the two-way standard error times t over
    normal quantiles, and keep their skewness.

    Parameters
    ----------
    estimate, std_error, critical
        (group,) estimates, their two-way standard errors and quantiles of t.
    replicates
        (draw, group)
    conf_level
        Of the interval.
    """
    tail = (1 - conf_level) / 2
    normal = _normal_quantile(tail)
    low, high = np.full((2, len(estimate)), np.nan)
    # By group, so that no second copy of the replicates is needed.
    for group in np.flatnonzero(np.isfinite(std_error)):
        own = replicates[:, group]
        own = own[np.isfinite(own)]
        spread = own.std(ddof=1) if len(own) > 1 else 0.0
        if spread <= 0:
            continue
        scale = std_error[group] / spread * critical[group] / normal
        ends = np.quantile(own, [tail, 1 - tail]) - own.mean()
        low[group], high[group] = estimate[group] + scale * ends
    return low, high


def _normal_quantile(tail: float) -> float:
    from scipy.stats import norm

    return float(norm.isf(tail))


def _cells_of(cells: RatingCells) -> np.ndarray:
    """Return how many cells each clip has in each group."""
    key = cells.group_of * len(cells.clips) + cells.clip_of
    return np.unique(key, return_counts=True)[1]
