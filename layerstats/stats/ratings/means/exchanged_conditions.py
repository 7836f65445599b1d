"""The null of differences between conditions: the labels of clips are exchanged, within what the same raters heard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from layerstats.stats.ratings.means.rating_cells import RatingCells
from layerstats.stats.resampling.blocks import in_blocks
from layerstats.stats.resampling.exchange import Exchanger
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.resampling.westfall_young import permutation_p_values


def exchange_p_values(
    table: pd.DataFrame,
    cells: RatingCells,
    pairs: Sequence[tuple[int, int]],
    permutations: int,
    seed: int,
    workers: int = 1,
) -> np.ndarray:
    """Return p-values of differences when the labels of clips are exchanged, (pair,).

    A clip has all its ratings under one label, so clips are what is exchanged: among clips that the same raters heard
    where every clip has such of the other label, else among all. The statistic is the difference over its two-way
    standard error, so that raters may differ in what they think of a condition.

    Parameters
    ----------
    table
        The ratings, from which every rater's mean is taken off.
    cells
        The same ratings as sums, by condition.
    pairs
        Numbers of the groups that are compared.
    permutations, seed, workers
        How many, and drawn how.
    """
    centred = table["rating"] - table.groupby("rater")["rating"].transform("mean")
    by = list(cells.groups.columns)
    taken = RatingCells.of(table, by, np.asarray(centred, dtype=float))

    def of_pair(numbers: range) -> np.ndarray:
        (number,) = numbers
        # In one order, so that swapping two conditions changes nothing.
        return np.array([_exchange(taken, sorted(pairs[number]), permutations, seed)])

    return in_blocks(of_pair, len(pairs), workers, block=1)


def _exchange(cells: RatingCells, pair: Sequence[int], permutations: int, seed: int) -> float:
    statistic = PairStatistic.of(cells, pair)
    exchanger = Exchanger.of(statistic.labels, statistic.blocks)
    generator = replicate_generator(seed, *map(int, pair))
    labels = np.stack([statistic.labels, *(exchanger.draw(generator) for _ in range(permutations))], axis=1)
    values = np.abs(statistic.of_labels(labels))
    if not np.isfinite(values[0]):
        return float("nan")
    # Where nothing varies under an assignment its difference is as large as can be.
    return float(permutation_p_values(np.nan_to_num(values, nan=np.inf)[:, None])[0])


class PairStatistic:
    """The studentised difference of two conditions under any assignment of labels to clips."""

    def __init__(
        self, sums: sparse.csr_array, counts: sparse.csr_array, squares: np.ndarray, clips: np.ndarray
    ) -> None:
        self.sums, self.counts, self.squares, self.clips = sums, counts, squares, clips
        self.labels = np.empty(0, dtype=np.int64)
        self.blocks = np.empty(0, dtype=np.int64)

    @classmethod
    def of(cls, cells: RatingCells, pair: Sequence[int]) -> PairStatistic:
        """Take the ratings of two groups; what is exchanged is a clip in a group."""
        own = np.flatnonzero(np.isin(cells.group_of, pair))
        keys, row = np.unique(cells.group_of[own] * len(cells.clips) + cells.clip_of[own], return_inverse=True)
        raters, column = np.unique(cells.rater_of[own], return_inverse=True)
        shape = (len(raters), len(keys))
        sums, counts = (sparse.csr_array((each[own], (column, row)), shape) for each in (cells.sums, cells.counts))
        found = cls(sums, counts, np.bincount(row, cells.squares[own], len(keys)), keys % len(cells.clips))
        found.labels = (keys // len(cells.clips) == pair[0]).astype(np.int64)
        found.blocks = found._blocks(row, column)
        return found

    def _blocks(self, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Return within what clips are exchanged, (clip,): the same raters, one clip in both conditions, or all."""
        if len(np.unique(self.clips)) < len(self.clips):
            return self.clips
        order = np.lexsort([column, row])
        heard = np.split(column[order], np.flatnonzero(np.diff(row[order])) + 1)
        names: dict[bytes, int] = {}
        blocks = np.array([names.setdefault(raters.tobytes(), len(names)) for raters in heard])
        first, second = (np.bincount(blocks, side, len(names)) for side in (self.labels, 1 - self.labels))
        return blocks if np.all((first > 0) & (second > 0)) else np.zeros(len(blocks), dtype=np.int64)

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
