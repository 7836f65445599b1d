"""Ratings as sums: a row for every rater and clip of every group, which is all that means and variances need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from layerstats.errors import ArgumentError
from layerstats.tables.answers import check_ratings


@dataclass(frozen=True, eq=False)
class RatingCells:
    """Sums of ratings.

    Attributes
    ----------
    groups
        A row a group, with the columns that make it: a condition, a clip, ...
    raters, clips
        Names.
    group_of, rater_of, clip_of
        (cell,) numbers of these, sorted by group and clip; a cell is what one rater gave one clip in one group.
    counts, sums, squares
        (cell,) ratings, their sum and the sum of their squares.
    """

    groups: pd.DataFrame
    raters: tuple[str, ...]
    clips: tuple[str, ...]
    group_of: np.ndarray
    rater_of: np.ndarray
    clip_of: np.ndarray
    counts: np.ndarray
    sums: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame, by: Sequence[str], values: np.ndarray | None = None) -> RatingCells:
        """Add ratings up, as `check_ratings` returns them.

        Parameters
        ----------
        table
            ``rater, clip, rating`` and the columns `by`.
        by
            Columns whose combinations are the groups, which are sorted; without any all ratings are one group.
        values
            (rating,) what is added up instead of the ratings.
        """
        raters, rater_names = pd.factorize(table["rater"], sort=True)
        clips, clip_names = pd.factorize(table["clip"], sort=True)
        if by:
            keys = table.groupby(list(by), sort=True)
            groups = keys.ngroup().to_numpy()
            rows = pd.DataFrame(table[list(by)]).iloc[np.unique(groups, return_index=True)[1]].reset_index(drop=True)
        else:
            groups, rows = np.zeros(len(table), dtype=np.int64), pd.DataFrame(index=[0])
        key = (groups * len(clip_names) + clips) * len(rater_names) + raters
        cells, place = np.unique(key, return_inverse=True)
        given = np.asarray(table["rating"] if values is None else values, dtype=float)
        size = len(cells)
        return cls(
            groups=rows,
            raters=tuple(map(str, rater_names)),
            clips=tuple(map(str, clip_names)),
            group_of=cells // (len(rater_names) * len(clip_names)),
            rater_of=cells % len(rater_names),
            clip_of=cells // len(rater_names) % len(clip_names),
            counts=np.bincount(place, minlength=size).astype(float),
            sums=np.bincount(place, given, size),
            squares=np.bincount(place, given**2, size),
        )

    @cached_property
    def ratings(self) -> np.ndarray:
        """(group,) how many ratings there are."""
        return np.bincount(self.group_of, self.counts, len(self.groups))

    @cached_property
    def means(self) -> np.ndarray:
        """(group,) mean ratings."""
        return np.bincount(self.group_of, self.sums, len(self.groups)) / self.ratings

    @cached_property
    def rater_sums(self) -> UnitSums:
        """Sums of each rater in each group."""
        return UnitSums.of(self, self.rater_of, len(self.raters))

    @cached_property
    def clip_sums(self) -> UnitSums:
        """Sums of each clip in each group."""
        return UnitSums.of(self, self.clip_of, len(self.clips))


@dataclass(frozen=True, eq=False)
class UnitSums:
    """Sums of one kind of unit, raters or clips, in each group.

    Attributes
    ----------
    size
        How many units there are.
    group_of, unit_of
        (cell,) which unit of which group a cell is of, sorted by group.
    counts, sums, squares
        (cell,) ratings, their sum and the sum of their squares.
    own_squares
        (cell,) sum of squares of the counts of its parts: how often a rater heard each clip, or the other way round.
    """

    size: int
    group_of: np.ndarray
    unit_of: np.ndarray
    counts: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    own_squares: np.ndarray

    @classmethod
    def of(cls, cells: RatingCells, unit_of: np.ndarray, size: int) -> UnitSums:
        """Add cells up over the other kind of unit."""
        found, place = np.unique(cells.group_of * size + unit_of, return_inverse=True)
        parts = (cells.counts, cells.sums, cells.squares, cells.counts**2)
        added = [np.bincount(place, part, len(found)) for part in parts]
        return cls(size, found // size, found % size, *added)

    def per_group(self, values: np.ndarray, groups: int) -> np.ndarray:
        """Add values of cells up by group, (group,)."""
        return np.bincount(self.group_of, values, groups)

    def matrix(self, values: np.ndarray, groups: int) -> sparse.csc_array:
        """Return values of cells as a matrix, (unit, group)."""
        return sparse.csc_array((values, (self.unit_of, self.group_of)), shape=(self.size, groups))

    @cached_property
    def strata(self) -> np.ndarray:
        """(unit,) within which units are drawn again: their group where each is in one only, else all together.

        Where no group has more than one of them, units are what they are and each is a stratum of its own.
        """
        if np.bincount(self.group_of).max() == 1:
            return np.arange(self.size)
        if np.bincount(self.unit_of, minlength=self.size).max() > 1:
            return np.zeros(self.size, dtype=np.int64)
        strata = np.empty(self.size, dtype=np.int64)
        strata[self.unit_of] = self.group_of
        return strata


def read_by(by: str | Sequence[str]) -> list[str]:
    """Return columns as a list, or raise `ArgumentError` where one is named twice or is what is averaged."""
    columns = [by] if isinstance(by, str) else list(by)
    if len(set(columns)) < len(columns) or "rating" in columns:
        raise ArgumentError(f"'by' must name different columns, and not the rating itself, but is {columns}.")
    return columns


def read_cells(
    ratings: pd.DataFrame, by: Sequence[str], scale: tuple[int, int] | None
) -> tuple[pd.DataFrame, RatingCells]:
    """Check ratings and add them up; see `check_ratings`."""
    own = [column for column in by if column not in ("rater", "clip")]
    table = check_ratings(ratings, scale, own)
    return table, RatingCells.of(table, by)
