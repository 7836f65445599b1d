"""Maps of statistics under permuted labels, each window aligned as its permuted label says."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from layerstats.errors import DataError
from layerstats.stats.averages.aligned_windows import AlignedWindows
from layerstats.stats.averages.pooled_windows import PooledWindows
from layerstats.stats.averages.studentised_maps import LEAST_SPEAKERS, Maps, map_of_labels
from layerstats.stats.resampling.blocks import in_blocks
from layerstats.stats.resampling.exchange import Exchanger
from layerstats.stats.resampling.seeds import replicate_generator

# Assignments that are computed side by side, and how many single-precision numbers their maps may have.
_MOST_AT_ONCE = 128
_MOST_NUMBERS = 2**23


@dataclass(frozen=True, eq=False)
class PermutedMaps:
    """Maps as they are, and what is left of maps under other assignments of labels.

    Attributes
    ----------
    observed
        (contrast, band, lag).
    largest
        Largest absolute statistic of each map, (assignment, contrast), the observed assignment first; 0 where a map has
        no place that enough speakers reach.
    exact
        Whether all assignments there are were used.
    lag_s, bands
        Centres of lags and bands.
    speakers, windows
        Of each contrast.
    """

    observed: Maps
    largest: np.ndarray
    exact: bool
    lag_s: np.ndarray
    bands: np.ndarray
    speakers: np.ndarray
    windows: np.ndarray


def permuted_maps(
    windows: AlignedWindows,
    pair: tuple[str, str] | None,
    permutations: int,
    resolution: tuple[int, int],
    reach_s: float | None,
    covered: float,
    seed: int,
    workers: int,
) -> PermutedMaps:
    """Compute maps of every label against the mean, or of a pair, under permuted labels.

    Parameters
    ----------
    windows
        What is averaged.
    pair
        Two labels; None: all of them, each against the mean.
    permutations, resolution, reach_s, covered, seed, workers
        See `pattern_tests`.

    Raises
    ------
    DataError
        Fewer than three speakers have windows of two labels.
    """
    kept, labels = _kept(windows, pair)
    pooled = PooledWindows.of(windows, kept, labels, resolution, reach_s)
    exchanger = Exchanger.of(pooled.label_of, pooled.speaker_of)
    exact = exchanger.count() <= permutations + 1
    every = np.stack(list(islice(exchanger.every(), permutations + 1))) if exact else None

    def maps(numbers: range) -> Maps:
        if every is not None:
            assignments = every[numbers.start : numbers.stop]
        else:
            assignments = np.stack([_assignment(exchanger, seed, number) for number in numbers])
        return map_of_labels(pooled, assignments, len(labels), pair=pair is not None, covered=covered)

    def largest(numbers: range) -> np.ndarray:
        return np.nan_to_num(np.abs(maps(numbers).statistic)).max(axis=(2, 3))

    numbers = len(labels) * len(pooled.bands) * len(pooled.lags)
    block = max(1, min(_MOST_AT_ONCE, _MOST_NUMBERS // numbers))
    held = np.array([np.sum(pooled.label_of == label) for label in range(len(labels))])
    return PermutedMaps(
        Maps(*(values[0] for values in maps(range(1)))),
        in_blocks(largest, permutations + 1 if every is None else len(every), workers, block),
        exact,
        pooled.lag_s,
        pooled.bands,
        _speakers(pooled, len(labels), pair is not None),
        held if pair is None else held.sum(keepdims=True),
    )


def _assignment(exchanger: Exchanger, seed: int, number: int) -> np.ndarray:
    """Return the assignment of a number; the first is the observed one."""
    return exchanger.label_of if number == 0 else exchanger.draw(replicate_generator(seed, number - 1))


def _kept(windows: AlignedWindows, pair: tuple[str, str] | None) -> tuple[np.ndarray, np.ndarray]:
    """Return which windows are compared, and the codes of their labels: those of speakers that have two of them."""
    codes, speaker_of = windows.label_codes, windows.table["speaker"].to_numpy(dtype=str)
    labels = np.arange(len(windows.labels)) if pair is None else np.array([windows.labels.index(one) for one in pair])
    among = np.isin(codes, labels)
    speakers = [
        speaker for speaker in np.unique(speaker_of[among]) if len(set(codes[among & (speaker_of == speaker)])) > 1
    ]
    if len(speakers) < LEAST_SPEAKERS:
        raise DataError(
            f"Patterns are compared within speakers, and tested by how they differ between speakers: {LEAST_SPEAKERS} "
            f"speakers with windows of {'two labels' if pair is None else ' and '.join(map(repr, pair))} are needed, "
            f"but there {'is' if len(speakers) == 1 else 'are'} {len(speakers)}."
        )
    return np.flatnonzero(among & np.isin(speaker_of, speakers)), labels


def _speakers(pooled: PooledWindows, labels: int, pair: bool) -> np.ndarray:
    held = [np.unique(pooled.speaker_of[pooled.label_of == label]) for label in range(labels)]
    return np.array([np.intersect1d(held[0], held[1]).size] if pair else [len(one) for one in held])
