"""Maps of statistics under other assignments: labels permuted within speakers, or signs of speakers turned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Literal

import numpy as np

from layerstats.checks import check_choice, check_count, check_positive, check_seed, check_share
from layerstats.errors import ArgumentError, DataError
from layerstats.parallel import RunOptions
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows
from layerstats.stats.averages.testing.map_statistics import (
    LARGEST,
    MAP_STATISTICS,
    MapStatistic,
    cluster_threshold,
    largest_of_maps,
)
from layerstats.stats.averages.testing.pooled_windows import PooledWindows
from layerstats.stats.averages.testing.studentised_maps import (
    LEAST_SPEAKERS,
    Maps,
    differences_of_speakers,
    maps_by_lag,
    speakers_of_contrasts,
    studentised,
)
from layerstats.stats.resampling.blocks import in_blocks
from layerstats.stats.resampling.exchange import Exchanger
from layerstats.stats.resampling.seeds import replicate_generator

WindowExchange = Literal["labels", "signs"]
LABELS, SIGNS = "labels", "signs"
# Assignments that are computed side by side, and how many single-precision numbers their maps may have.
_MOST_AT_ONCE = 256
_MOST_NUMBERS = 2**24


@dataclass(frozen=True)
class PermutationPlan:
    """What is computed of which assignments.

    Attributes
    ----------
    statistic, exchange, permutations, resolution, reach_s, covered, cluster_alpha, windows_per_cell, seed
        See `pattern_tests`.
    """

    statistic: MapStatistic = LARGEST
    exchange: WindowExchange = LABELS
    permutations: int = 1999
    resolution: tuple[int, int] = (1, 1)
    reach_s: float | None = None
    covered: float = 0.5
    cluster_alpha: float = 0.01
    windows_per_cell: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("statistic", self.statistic, MAP_STATISTICS)
        check_choice("exchange", self.exchange, (LABELS, SIGNS))
        check_count("permutations", self.permutations)
        check_seed(self.seed)
        if np.shape(self.resolution) != (2,):
            raise ArgumentError(
                f"'resolution' must be two numbers, of bands and of samples, but is {self.resolution!r}."
            )
        for number in self.resolution:
            check_count("resolution", number)
        if self.windows_per_cell is not None:
            check_count("windows_per_cell", self.windows_per_cell)
        if self.reach_s is not None:
            check_positive("reach_s", self.reach_s)
        check_share("covered", self.covered)
        check_share("cluster_alpha", self.cluster_alpha)


@dataclass(frozen=True, eq=False)
class PermutedMaps:
    """Maps as they are, and what is left of maps under other assignments.

    Attributes
    ----------
    observed
        (contrast, band, lag).
    largest
        Largest absolute statistic of each map, (assignment, contrast), the observed assignment first; 0 where a map has
        no place that enough speakers reach.
    chosen
        The statistic that is asked for, of each map, (assignment, contrast).
    exact
        Whether all assignments there are were used.
    lag_s, bands
        Centres of lags and bands.
    speakers, windows
        Of each contrast.
    """

    observed: Maps
    largest: np.ndarray
    chosen: np.ndarray
    exact: bool
    lag_s: np.ndarray
    bands: np.ndarray
    speakers: np.ndarray
    windows: np.ndarray


@dataclass(frozen=True, eq=False)
class _Assignments:
    """Assignments by number, the observed one first: their maps, (assignment, contrast, band, lag)."""

    observed: Maps
    statistics: Callable[[range], np.ndarray]
    count: int
    exact: bool

    @property
    def block(self) -> int:
        """How many are computed side by side."""
        return max(1, min(_MOST_AT_ONCE, _MOST_NUMBERS // self.observed.statistic.size))


def permuted_maps(
    windows: AlignedWindows, pair: tuple[str, str] | None, plan: PermutationPlan, run: RunOptions | None = None
) -> PermutedMaps:
    """Compute maps of every label against the mean, or of a pair, under many assignments.

    Parameters
    ----------
    windows
        What is averaged.
    pair
        Two labels; None: all of them, each against the mean.
    plan
        Which assignments, and what is kept of them.
    run
        Where they are computed; by default here.

    Raises
    ------
    DataError
        Fewer than three speakers have windows of two labels.
    """
    pooled, labels = _pooled(windows, pair, plan)
    speakers = speakers_of_contrasts(pooled, labels, pair is not None)
    exchanged = _permuted_labels if plan.exchange == LABELS else _turned_signs
    assignments = exchanged(pooled, labels, speakers, plan, pair is not None)

    summaries = partial(_summaries, assignments.statistics, plan.statistic, cluster_threshold(plan.cluster_alpha))
    found = in_blocks(summaries, assignments.count, run, assignments.block)
    held = np.bincount(pooled.label_of, minlength=labels)
    return PermutedMaps(
        assignments.observed,
        found[..., 0],
        found[..., 1],
        assignments.exact,
        pooled.lag_s,
        pooled.bands,
        speakers,
        held if pair is None else held.sum(keepdims=True),
    )


def _summaries(
    statistics: Callable[[range], np.ndarray], statistic: MapStatistic, threshold: float, numbers: range
) -> np.ndarray:
    maps = statistics(numbers)
    largest = largest_of_maps(maps, LARGEST, threshold)
    chosen = largest if statistic == LARGEST else largest_of_maps(maps, statistic, threshold)
    return np.stack([largest, chosen], axis=-1)


def observed_maps(
    windows: AlignedWindows, pair: tuple[str, str] | None, plan: PermutationPlan
) -> tuple[Maps, PooledWindows]:
    """Compute maps as they are, (contrast, band, lag), and return what they are of, too; see `permuted_maps`."""
    pooled, labels = _pooled(windows, pair, plan)
    return _under_own_labels(pooled, labels, plan, pair is not None), pooled


def _under_own_labels(pooled: PooledWindows, labels: int, plan: PermutationPlan, pair: bool) -> Maps:
    by_lag = list(maps_by_lag(pooled, pooled.label_of[None], labels, pair=pair, covered=plan.covered))
    return Maps(*(np.stack([one[field][0] for one in by_lag], axis=-1) for field in range(len(Maps._fields))))


def _permuted_labels(
    pooled: PooledWindows, labels: int, speakers: np.ndarray, plan: PermutationPlan, pair: bool
) -> _Assignments:
    exchanger = Exchanger.of(pooled.label_of, pooled.speaker_of)
    exact = exchanger.count() <= plan.permutations + 1
    every = np.stack(list(islice(exchanger.every(), plan.permutations + 1))) if exact else None
    permuted = _PermutedLabels(pooled, labels, len(speakers), plan, pair, exchanger, every)
    observed = _under_own_labels(pooled, labels, plan, pair)
    return _Assignments(observed, permuted.statistics, plan.permutations + 1 if every is None else len(every), exact)


@dataclass(frozen=True, eq=False)
class _PermutedLabels:
    """Assignments of labels to windows: `every` one there is, where they are few, else drawn."""

    pooled: PooledWindows
    labels: int
    contrasts: int
    plan: PermutationPlan
    pair: bool
    exchanger: Exchanger
    every: np.ndarray | None

    def assignment(self, number: int) -> np.ndarray:
        if self.every is not None:
            return self.every[number]
        if number == 0:
            return self.exchanger.label_of
        return self.exchanger.draw(replicate_generator(self.plan.seed, number - 1))

    def statistics(self, numbers: range) -> np.ndarray:
        pooled, drawn = self.pooled, np.stack([self.assignment(number) for number in numbers])
        found = np.empty((len(numbers), self.contrasts, len(pooled.bands), len(pooled.lags)), np.float32)
        by_lag = maps_by_lag(pooled, drawn, self.labels, pair=self.pair, covered=self.plan.covered)
        for place, maps in enumerate(by_lag):
            found[..., place] = maps.statistic
        return found


def _turned_signs(
    pooled: PooledWindows, labels: int, speakers: np.ndarray, plan: PermutationPlan, pair: bool
) -> _Assignments:
    differences, present = differences_of_speakers(pooled, labels, pair=pair)
    people = len(differences)
    # All signs turned together give the same absolute statistics: the first speaker's is never turned.
    every = 2 ** (people - 1)
    exact = every <= plan.permutations + 1
    squares, count = (differences**2).sum(axis=0), present.sum(axis=0)
    least = plan.covered * speakers[:, None, None]
    turned = _TurnedSigns(differences, squares, count, least, pooled.scale, exact, plan.seed)
    observed = studentised(differences.sum(axis=0), squares, count, least, pooled.scale)
    return _Assignments(observed, turned.statistics, every if exact else plan.permutations + 1, exact)


@dataclass(frozen=True, eq=False)
class _TurnedSigns:
    """Assignments of signs to speakers' differences, (speaker, contrast, band, lag)."""

    differences: np.ndarray
    squares: np.ndarray
    count: np.ndarray
    least: np.ndarray
    scale: float
    exact: bool
    seed: int

    def signs(self, number: int) -> np.ndarray:
        people = len(self.differences)
        if self.exact:
            turned = number >> np.arange(people) & 1
        elif number == 0:
            turned = np.zeros(people, int)
        else:
            turned = replicate_generator(self.seed, number - 1).integers(2, size=people)
        return 1.0 - 2.0 * turned

    def statistics(self, numbers: range) -> np.ndarray:
        sums = np.stack([self.signs(number) for number in numbers]) @ self.differences.reshape(
            len(self.differences), -1
        )
        sums = sums.reshape(len(numbers), *self.squares.shape)
        return studentised(sums, self.squares, self.count, self.least, self.scale).statistic


def _pooled(windows: AlignedWindows, pair: tuple[str, str] | None, plan: PermutationPlan) -> tuple[PooledWindows, int]:
    """Return the windows that are compared, those of speakers that have two labels, and how many labels there are."""
    codes, speaker_of = windows.label_codes, windows.table["speaker"].to_numpy(dtype=str)
    labels = np.arange(len(windows.labels)) if pair is None else np.array([windows.labels.index(one) for one in pair])
    among = np.isin(codes, labels)
    held = windows.table.loc[among].groupby("speaker")["label"].nunique()
    speakers = held.index[held.to_numpy() > 1].to_numpy(dtype=str)
    if len(speakers) < LEAST_SPEAKERS:
        raise DataError(
            f"Patterns are compared within speakers, and tested by how they differ between speakers: {LEAST_SPEAKERS} "
            f"speakers with windows of {'two labels' if pair is None else ' and '.join(map(repr, pair))} are needed, "
            f"but there {'is' if len(speakers) == 1 else 'are'} {len(speakers)}."
        )
    kept = np.flatnonzero(among & np.isin(speaker_of, speakers))
    if plan.windows_per_cell is not None:
        drawn = np.random.default_rng(plan.seed).permutation(kept)
        number = windows.table.iloc[drawn].groupby(["speaker", "label"], sort=False).cumcount()
        kept = np.sort(drawn[number.to_numpy() < plan.windows_per_cell])
    return PooledWindows.of(windows, kept, labels, plan.resolution, plan.reach_s), len(labels)
