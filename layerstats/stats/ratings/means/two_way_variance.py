"""Variances of mean ratings for other raters and other clips, from ratings that need not be balanced."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from layerstats.stats.ratings.means.rating_cells import RatingCells, UnitSums

# What is smaller than this part of the mean square is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class TwoWayVariance:
    """Variances and covariances of the means of groups when raters and clips are drawn anew.

    Every rating is the mean of its group plus effects of its rater and its clip plus noise. The three variances of a
    group come from sums of squares within raters, within clips and in all, as moments (Gao & Owen 2017, Electron. J.
    Stat. 11, 1235-1296); in a balanced table these are the ones of the analysis of variance. So noise counts once,
    which resampling both raters and clips counts three times (Owen 2007, Ann. Appl. Stat. 1, 386-411). Between two
    groups, raters and clips that they share covary as their own means do (two-way clusters: Cameron, Gelbach & Miller
    2011).

    Attributes
    ----------
    cells
        The ratings.
    components
        (group, 3) variances between raters, between clips and of noise; where the table does not tell them apart, such
        as give the variance of the mean all the same.
    """

    cells: RatingCells
    components: np.ndarray

    @classmethod
    def of(cls, cells: RatingCells) -> TwoWayVariance:
        """Estimate the variances of each group."""
        size = len(cells.groups)
        raters, clips = cells.rater_sums, cells.clip_sums
        number = cells.ratings
        per_rater, per_clip = (unit.per_group(unit.counts**2, size) for unit in (raters, clips))
        spread = np.bincount(cells.group_of, cells.squares, size) - number * cells.means**2
        found = np.stack([_within(raters, size), _within(clips, size), spread * number], axis=1)
        rater_parts, clip_parts = (unit.per_group(unit.own_squares / unit.counts, size) for unit in (raters, clips))
        count_raters, count_clips = (unit.per_group(np.ones(len(unit.counts)), size) for unit in (raters, clips))
        zero = np.zeros(size)
        expected = np.array(
            [
                [zero, number - rater_parts, number - count_raters],
                [number - clip_parts, zero, number - count_clips],
                [number**2 - per_rater, number**2 - per_clip, number**2 - number],
            ]
        ).transpose(2, 0, 1)
        units = np.stack([number, number, number**2], axis=1)
        solved = np.linalg.pinv(expected / units[:, :, None], rcond=1e-9) @ (found / units)[:, :, None]
        return cls(cells, solved[:, :, 0])

    @cached_property
    def _shares(self) -> np.ndarray:
        """(group, 3) how much of each variance is in the variance of the mean."""
        size, number = len(self.cells.groups), self.cells.ratings
        units = (self.cells.rater_sums, self.cells.clip_sums)
        squares = [unit.per_group(unit.counts**2, size) / number**2 for unit in units]
        return np.stack([*squares, 1 / number], axis=1)

    @cached_property
    def parts(self) -> np.ndarray:
        """(group, 2) variance of the mean were only raters drawn anew, and were only clips."""
        parts = self.components * self._shares
        return np.clip(parts[:, :2] + parts[:, 2:], 0, None)

    @cached_property
    def _totals(self) -> np.ndarray:
        """(group,) variance of each mean as moments have it, which may be below what raters alone make."""
        return (self.components * self._shares).sum(axis=1)

    @cached_property
    def of_means(self) -> np.ndarray:
        """(group,) variance of each mean; NaN where ratings do not vary or there is only one."""
        total = np.maximum(self._totals, self.parts.max(axis=1))
        known = (self.cells.ratings > 1) & (total > _ROUNDING * np.maximum(self.cells.means**2, _ROUNDING))
        return np.where(known, total, np.nan)

    @cached_property
    def freedom(self) -> np.ndarray:
        """(group,) degrees of freedom by Satterthwaite: of raters and clips, as many as they count for."""
        size = len(self.cells.groups)
        effective = [
            self.cells.ratings**2 / unit.per_group(unit.counts**2, size)
            for unit in (self.cells.rater_sums, self.cells.clip_sums)
        ]
        return _satterthwaite(self.of_means, self.parts[:, 0], effective[0] - 1, self.parts[:, 1], effective[1] - 1)

    def of_difference(self, first: int, second: int) -> tuple[float, float]:
        """Return the variance of the difference of two means and its degrees of freedom."""
        sides = [first, second]
        known = np.isfinite(self.of_means[sides])
        if not known.any():
            return np.nan, np.nan
        raters, clips = (self._unit_difference(unit, first, second) for unit in self._unit_matrices)
        covariance = self._covariance(first, second, raters, clips)
        # A condition in which all ratings are the same adds nothing that is known.
        total = float(self._totals[sides][known].sum()) - 2 * covariance
        total = max(total, raters.variance, clips.variance)
        # Where every rater says the same of both conditions what is left is rounding.
        if total <= _ROUNDING * max(float(np.square(self.cells.means[sides]).max()), _ROUNDING):
            return np.nan, np.nan
        own = self.parts[sides]
        parts = [
            (kind.variance, kind.freedom)
            if kind.both > 0
            else (float(own[:, place].sum()), _welch(own[:, place], kind.effective - 1))
            for place, kind in enumerate((raters, clips))
        ]
        (rater_part, rater_freedom), (clip_part, clip_freedom) = parts
        freedom = _satterthwaite(*map(np.array, (total, rater_part, rater_freedom, clip_part, clip_freedom)))
        return total, float(freedom)

    @cached_property
    def _unit_matrices(self) -> tuple[_UnitMatrices, _UnitMatrices]:
        raters, clips = (_UnitMatrices.of(self.cells, unit) for unit in (self.cells.rater_sums, self.cells.clip_sums))
        return raters, clips

    def _unit_difference(self, unit: _UnitMatrices, first: int, second: int) -> _UnitDifference:
        return _UnitDifference.of(*(unit.column(group) for group in (first, second)))

    def _covariance(self, first: int, second: int, raters: _UnitDifference, clips: _UnitDifference) -> float:
        """Return the covariance of two means.

        Raters whose clips differ, and clips whose raters do, covary by their own means. Where raters heard the same
        clips in both conditions, covariances of raters, clips and noise are those of the moments of sums less those of
        differences.
        """
        one, two = (slice(*np.searchsorted(self.cells.group_of, [group, group + 1])) for group in (first, second))
        cells, size = self.cells, len(self.cells.clips)
        names = [cells.rater_of[own] * size + cells.clip_of[own] for own in (one, two)]
        shared, rows, columns = np.intersect1d(names[0], names[1], return_indices=True)
        if not len(shared):
            return raters.covariance + clips.covariance
        counts = [cells.counts[own][place] for own, place in ((one, rows), (two, columns))]
        sums = [cells.sums[own][place] for own, place in ((one, rows), (two, columns))]
        number = cells.ratings[first] * cells.ratings[second]
        if 2 * len(shared) < min(map(len, names)):
            centred = (
                total - count * cells.means[group]
                for total, count, group in zip(sums, counts, (first, second), strict=True)
            )
            # What raters' and clips' covariances both hold counts once.
            return raters.covariance + clips.covariance - float(np.prod(list(centred), axis=0).sum() / number)
        values = [total / count for total, count in zip(sums, counts, strict=True)]
        both = TwoWayVariance.of(_paired_cells(cells, shared, values[0] + values[1], values[0] - values[1])).components
        weights = (raters.both, clips.both, float(counts[0] @ counts[1] / number))
        return float((both[0] - both[1]) @ weights / 4)


def _paired_cells(cells: RatingCells, names: np.ndarray, sums: np.ndarray, differences: np.ndarray) -> RatingCells:
    """Return sums and differences of what raters gave a clip in two groups, as ratings of two groups."""
    values = np.concatenate([sums, differences])
    return RatingCells(
        groups=pd.DataFrame(index=[0, 1]),
        raters=cells.raters,
        clips=cells.clips,
        group_of=np.repeat([0, 1], len(names)),
        rater_of=np.tile(names // len(cells.clips), 2),
        clip_of=np.tile(names % len(cells.clips), 2),
        counts=np.ones(len(values)),
        sums=values,
        squares=values**2,
    )


@dataclass(frozen=True, eq=False)
class _UnitMatrices:
    """What each unit weighs in each group, and what it moves its mean by; sorted by group."""

    starts: np.ndarray
    unit_of: np.ndarray
    weights: np.ndarray
    deviations: np.ndarray

    @classmethod
    def of(cls, cells: RatingCells, unit: UnitSums) -> _UnitMatrices:
        number = cells.ratings[unit.group_of]
        deviations = (unit.sums - unit.counts * cells.means[unit.group_of]) / number
        starts = np.searchsorted(unit.group_of, np.arange(len(cells.groups) + 1))
        return cls(starts, unit.unit_of, unit.counts / number, deviations)

    def column(self, group: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        own = slice(self.starts[group], self.starts[group + 1])
        return self.unit_of[own], self.weights[own], self.deviations[own]


@dataclass(frozen=True)
class _UnitDifference:
    """Raters' or clips' part in a difference of two means."""

    covariance: float
    variance: float
    freedom: float
    both: float
    effective: np.ndarray

    @classmethod
    def of(
        cls, first: tuple[np.ndarray, np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> _UnitDifference:
        names = np.union1d(first[0], second[0])
        weights, moves = np.zeros((2, len(names))), np.zeros((2, len(names)))
        for side, (units, weight, deviation) in enumerate((first, second)):
            place = np.searchsorted(names, units)
            weights[side, place], moves[side, place] = weight, deviation
        one, two = weights
        both = float(one @ two)
        # What centring at the means takes off, exact for effects of equal variance.
        left = both - float(one @ two**2) - float(one**2 @ two) + both**2
        covariance = float(moves[0] @ moves[1]) * both / left if left > _ROUNDING else 0.0
        mean = weights.mean(axis=0)
        square = float(mean @ mean)
        kept = 1 - 2 * float(np.sum(mean**3)) / square + square
        variance = float(np.sum((moves[0] - moves[1]) ** 2)) / kept if kept > _ROUNDING else 0.0
        return cls(covariance, variance, 1 / square - 1, both, 1 / (weights**2).sum(axis=1))


def _within(unit: UnitSums, groups: int) -> np.ndarray:
    """Return the sum of squares about the means of raters, or of clips, (group,)."""
    return unit.per_group(unit.squares - unit.sums**2 / unit.counts, groups)


def _welch(variances: np.ndarray, freedom: np.ndarray) -> float:
    used = freedom > _ROUNDING
    if not used.any() or variances[used].sum() <= 0:
        return 0.0
    return float(variances[used].sum() ** 2 / np.sum(variances[used] ** 2 / freedom[used]))


def _satterthwaite(
    total: np.ndarray, rater_part: np.ndarray, raters: np.ndarray, clip_part: np.ndarray, clips: np.ndarray
) -> np.ndarray:
    """Return degrees of freedom of a sum of variances, at least one; a part without any is left out."""
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = sum(
            np.where(own > _ROUNDING, part**2 / np.maximum(own, _ROUNDING), 0.0)
            for part, own in ((rater_part, raters), (clip_part, clips))
        )
        return np.maximum(total**2 / squares, 1.0)
