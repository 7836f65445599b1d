"""The null of differences between conditions: the labels of clips are exchanged, within what the same raters heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse

from layerstats.parallel import RunOptions
from layerstats.stats.one_thread import run_on_one_thread_each
from layerstats.stats.ratings.means.rating_cells import RatingCells
from layerstats.stats.resampling.exchange import Exchanger
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.resampling.westfall_young import permutation_p_values


def exchange_p_values(
    cells: RatingCells, pairs: Sequence[tuple[int, int]], permutations: int, seed: int, run: RunOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Return p-values of differences when the labels of clips are exchanged, and how many ways there are, (pair,) each.

    A clip has all its ratings under one label, so clips are what is exchanged: among clips that the same raters heard
    where every clip has such of the other label, else among all. The statistic is the difference over its two-way
    standard error, so that raters may differ in what they think of a condition.

    Parameters
    ----------
    cells
        Ratings as sums, by condition.
    pairs
        Numbers of the groups that are compared.
    permutations, seed
        How many, and drawn how.
    run
        Where; a task a pair.
    """
    # In one order, so that swapping two conditions changes nothing.
    ordered = [tuple(sorted(pair)) for pair in pairs]
    p_values, ways = np.array(run_on_one_thread_each(partial(_exchange, cells, permutations, seed), ordered, run)).T
    return p_values, ways


def _exchange(cells: RatingCells, permutations: int, seed: int, pair: Sequence[int]) -> tuple[float, float]:
    statistic = PairStatistic.of(cells, pair)
    exchanger = Exchanger.of(statistic.labels, statistic.blocks)
    ways = float(min(exchanger.count(), 10**9))
    generator = replicate_generator(seed, *map(int, pair))
    labels = np.stack([statistic.labels, *(exchanger.draw(generator) for _ in range(permutations))], axis=1)
    values = np.abs(statistic.of_labels(labels))
    if not np.isfinite(values[0]):
        return float("nan"), ways
    # Where nothing varies under an assignment its difference is as large as can be.
    return float(permutation_p_values(np.nan_to_num(values, nan=np.inf)[:, None])[0]), ways


@dataclass(frozen=True, eq=False)
class PairStatistic:
    """The studentised difference of two conditions under any assignment of labels to clips.

    Attributes
    ----------
    sums, counts
        (rater, clip) sums of ratings and how many; a clip that both conditions have is two.
    squares
        (clip,) sums of squares.
    labels
        (clip,) 1 of the first condition, else 0.
    blocks
        (clip,) within what labels are exchanged.
    """

    sums: sparse.csr_array
    counts: sparse.csr_array
    squares: np.ndarray
    labels: np.ndarray
    blocks: np.ndarray

    @classmethod
    def of(cls, cells: RatingCells, pair: Sequence[int]) -> PairStatistic:
        """Take the ratings of two groups, less the mean of every rater who heard both."""
        own = np.flatnonzero(np.isin(cells.group_of, pair))
        keys, row = np.unique(cells.group_of[own] * len(cells.clips) + cells.clip_of[own], return_inverse=True)
        raters, column = np.unique(cells.rater_of[own], return_inverse=True)
        labels = (keys // len(cells.clips) == pair[0]).astype(np.int64)
        number, total = cells.counts[own], cells.sums[own]
        heard = [np.bincount(column, number * (labels[row] == side), len(raters)) for side in (0, 1)]
        # Of raters who heard one condition only the mean is a part of the difference.
        means = np.bincount(column, total, len(raters)) / (heard[0] + heard[1])
        means = np.where((heard[0] > 0) & (heard[1] > 0), means, total.sum() / number.sum())[column]
        squares = cells.squares[own] - 2 * means * total + number * means**2
        shape = (len(raters), len(keys))
        sums, counts = (sparse.csr_array((one, (column, row)), shape) for one in (total - number * means, number))
        blocks = _blocks(keys % len(cells.clips), labels, row, column)
        return cls(sums, counts, np.bincount(row, squares, len(keys)), labels, blocks)

    def of_labels(self, labels: np.ndarray) -> np.ndarray:
        """Return the statistic of assignments, (assignment,); `labels` is (clip, assignment), 1 or 0."""
        rater_sums, rater_counts = self.sums.sum(axis=1)[:, None], self.counts.sum(axis=1)[:, None]
        clip_sums, clip_counts = (np.asarray(each.sum(axis=0)) for each in (self.sums, self.counts))
        first = labels.astype(float)
        sums, counts = self.sums @ first, self.counts @ first
        of_raters, of_clips, noise, means = 0.0, 0.0, 0.0, []
        sides = ((sums, counts, first), (rater_sums - sums, rater_counts - counts, 1 - first))
        for sign, (side_sums, side_counts, chosen) in zip((1, -1), sides, strict=True):
            number = clip_counts @ chosen
            mean = clip_sums @ chosen / number
            means.append(mean)
            of_raters = of_raters + sign * (side_sums - side_counts * mean) / number
            # The sum over clips of squared deviations, without a matrix of them.
            clip_squares = clip_sums**2 @ chosen - 2 * mean * ((clip_sums * clip_counts) @ chosen)
            of_clips = of_clips + (clip_squares + mean**2 * (clip_counts**2 @ chosen)) / number**2
            noise = noise + (self.squares @ chosen - number * mean**2) / number**2
        rater_part = np.sum(np.square(of_raters), axis=0)
        variance = np.maximum(rater_part + of_clips - noise, np.maximum(rater_part, of_clips))
        with np.errstate(divide="ignore", invalid="ignore"):
            return (means[0] - means[1]) / np.sqrt(np.where(variance > 1e-12, variance, np.nan))


def _blocks(clips: np.ndarray, labels: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return within what clips are exchanged, (clip,): the same raters, one clip in both conditions, or all."""
    if len(np.unique(clips)) < len(clips):
        return clips
    order = np.lexsort([column, row])
    heard = np.split(column[order], np.flatnonzero(np.diff(row[order])) + 1)
    names: dict[bytes, int] = {}
    blocks = np.array([names.setdefault(raters.tobytes(), len(names)) for raters in heard])
    first, second = (np.bincount(blocks, side, len(names)) for side in (labels, 1 - labels))
    return blocks if np.all((first > 0) & (second > 0)) else np.zeros(len(blocks), dtype=np.int64)
