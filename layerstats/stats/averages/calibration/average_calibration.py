"""How often tests of aligned averages err, and how often their intervals cover, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import pandas as pd

from layerstats.checks import check_count, check_seed
from layerstats.parallel import RunOptions
from layerstats.stats.averages.aligned_averages import aligned_averages
from layerstats.stats.averages.calibration.noise_windows import TRUTHS, NoiseWorld
from layerstats.stats.averages.calibration.shuffled_speech import SpeechWorld
from layerstats.stats.averages.pattern_profiles import pattern_profile
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows, aligned
from layerstats.stats.averages.testing.map_statistics import CLUSTER_MASS, ENHANCED, LARGEST
from layerstats.stats.averages.testing.pattern_tables import SAME, critical_value
from layerstats.stats.averages.testing.permuted_maps import SIGNS, PermutationPlan, PermutedMaps, permuted_maps
from layerstats.stats.averages.testing.studentised_maps import t_of_normal_deviate
from layerstats.stats.resampling.calibration import block_sums, run_study
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.resampling.westfall_young import permutation_p_values, step_down_p_values

ALPHA = 0.05
CONF_LEVEL = 0.95
NOISE_WORLDS = (
    NoiseWorld("noise, 10 speakers", 10, 24),
    NoiseWorld("noise, 5 speakers", 5, 48),
    NoiseWorld("noise, 10 speakers, rare letters", 10, 24, (0.5, 0.35, 0.15)),
)
# One data set in so many shows what bands of profiles do, and tests by signs and those that take alignments as given.
_SOME_OF = 4
# Of the bootstrap.
_DRAWS = 199
AnyWorld = NoiseWorld | SpeechWorld
# Speakers of whom the expected pattern of a world of noise is the mean, some at a time.
_SPEAKERS, _TIMES = 250, 8


def calibrate_averages(
    worlds: Iterable[AnyWorld | str] = NOISE_WORLDS,
    truths: Iterable[str] = TRUTHS,
    datasets: int = 1000,
    permutations: int = 99,
    seed: int = 0,
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Count how often tests of aligned averages reject, and how often their intervals cover.

    Parameters
    ----------
    worlds
        What varies; those of noise by name, or by number from 0, or `SpeechWorld.of` a store.
    truths
        "none": letters have nothing to do with windows. "inserted": windows of the first letter have a pattern, in
        noise one that the network listens for, at a random time; in speech where the network's relevance is largest.
    datasets
        For each world and truth.
    permutations
        Of each test.
    seed
        A data set depends on it and on its own number alone.
    progress
        Called after every block with the result so far.
    run
        Where blocks are simulated; by default here, one after another. Numbers do not depend on it.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, share, std_error, datasets``, as `layerstats.stats.calibrate` gives them; the
        recipe is how windows are aligned.

    Raises
    ------
    ArgumentError
        There is no such world or truth, or no permutation.

    Examples
    --------
    >>> found = calibrate_averages([NoiseWorld("small", 4, 6)], ["none"], datasets=1, permutations=19)
    >>> found["quantity"].unique()[:2].tolist()
    ['max: any letter', 'max: first letter']
    """
    check_count("permutations", permutations)
    check_seed(seed)
    simulate = partial(simulate_averages, permutations=permutations, seed=seed)
    return run_study(worlds, truths, datasets, simulate, progress, run, known=NOISE_WORLDS, known_truths=TRUTHS)


def simulate_averages(
    world: AnyWorld,
    truth: str,
    numbers: range,
    permutations: int = 99,
    seed: int = 0,
) -> pd.DataFrame:
    """Analyse some data sets of a world; `layerstats.stats.resampling.calibration.shares_of` puts blocks together.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, first, total, squares, datasets``.
    """
    counted: list[tuple[str, str, float]] = []
    for number in numbers:
        generator = replicate_generator(seed, *world.name.encode(), number)
        for alignment, windows in world.draw(generator, truth).items():
            found = _counted(world, truth, windows, permutations, number)
            counted += [(alignment, quantity, value) for quantity, value in found]
    return block_sums(world.name, truth, numbers, counted)


def _counted(
    world: AnyWorld, truth: str, windows: AlignedWindows, permutations: int, number: int
) -> Iterator[tuple[str, float]]:
    """Yield what the tests of a data set say, and whether the intervals of its patterns cover."""
    plan = PermutationPlan(permutations=permutations, seed=number)
    for statistic in (CLUSTER_MASS, ENHANCED):
        found = permuted_maps(windows, None, replace(plan, statistic=statistic))
        if statistic == CLUSTER_MASS:
            yield from _rejections(found, found.largest, LARGEST)
        yield from _rejections(found, found.chosen, statistic)
        if statistic == CLUSTER_MASS and isinstance(world, NoiseWorld):
            yield "max: interval covers", _covers(found, expected_patterns(world, truth)[windows.alignment].beyond)
    if number % _SOME_OF:
        return
    if isinstance(world, NoiseWorld):
        yield "band of the profile over time covers", _profile_covers(windows, expected_patterns(world, truth), number)
    if windows.by_label:
        fixed = replace(windows, samples=windows.own_samples)
        found = permuted_maps(fixed, None, plan)
        yield from _rejections(found, found.largest, "max, labels permuted after alignment")
        yield "max, after alignment, other half: any letter", _in_other_half(fixed, plan)
    elif 2**world.speakers > permutations:
        found = permuted_maps(windows, None, replace(plan, exchange=SIGNS))
        yield from _rejections(found, found.largest, "max, signs of speakers")


def _rejections(found: PermutedMaps, statistics: np.ndarray, name: str) -> Iterator[tuple[str, float]]:
    """Yield whether any letter is found, and the first, which may have a pattern: adjusted as `pattern_tests` does."""
    tested = found.largest[0] > 0
    p_values = np.ones(len(tested))
    p_values[tested] = step_down_p_values(statistics[:, tested], SAME)
    yield f"{name}: any letter", float(p_values.min() <= ALPHA)
    yield f"{name}: first letter", float(p_values[0] <= ALPHA)


def _covers(found: PermutedMaps, expected: np.ndarray) -> float:
    """Return whether the interval at the largest statistic of the letter holds the expected pattern there."""
    place = _place(found, 0)
    critical = t_of_normal_deviate(critical_value(found.largest[:, 0], CONF_LEVEL), found.observed.speakers[0][place])
    reach = critical * found.observed.std_error[0][place]
    return float(abs(found.observed.estimate[0][place] - expected[place]) <= reach)


def _profile_covers(windows: AlignedWindows, expected: dict[str, ExpectedPattern], number: int) -> float:
    """Return whether the band of the letter's profile over time holds the expected one at all lags."""
    profile = pattern_profile(aligned_averages(windows), "time", draws=_DRAWS, seed=number)
    profile = profile.query("label == @windows.labels[0]")
    truth = expected[windows.alignment].whole.mean(axis=0)
    return float(((profile["conf_low"] <= truth) & (truth <= profile["conf_high"])).all())


def _place(found: PermutedMaps, label: int) -> tuple[np.intp, ...]:
    """Return in which band and at which lag the statistic of a letter is largest."""
    statistic = np.abs(found.observed.statistic[label])
    return np.unravel_index(np.nanargmax(statistic), statistic.shape)


def _in_other_half(windows: AlignedWindows, plan: PermutationPlan) -> float:
    """Return whether the most certain place of one half of the windows is certain in the other."""
    half = np.random.default_rng(plan.seed).permutation(len(windows.table)) % 2 == 0
    found = permuted_maps(_some(windows, np.flatnonzero(half)), None, plan)
    label = int(found.largest[0].argmax())
    band, lag = _place(found, label)
    other = _some(windows, np.flatnonzero(~half))
    there = replace(
        other, lags=windows.lags[[lag]], bands=windows.bands[[band]], read=lambda rows: other.read(rows)[:, [band]]
    )
    again = permuted_maps(there, None, plan).largest
    return float(again[0, label] > 0 and permutation_p_values(again, SAME)[label] <= ALPHA)


def _some(windows: AlignedWindows, rows: np.ndarray) -> AlignedWindows:
    """Return some of the windows."""
    return replace(
        windows, table=windows.table.iloc[rows].reset_index(drop=True), samples=windows.samples[rows],
        read=lambda some: windows.read(rows[some]),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class ExpectedPattern:
    """The pattern of the first letter in the population, (band, lag): whole, and beyond that of any windows."""

    whole: np.ndarray
    beyond: np.ndarray


@lru_cache(maxsize=16)
def expected_patterns(world: NoiseWorld, truth: str) -> dict[str, ExpectedPattern]:
    """Return what averages and tests estimate, by alignment: means over many speakers."""
    many = replace(world, speakers=_SPEAKERS)
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for time in range(_TIMES):
        for alignment, windows in many.draw(np.random.default_rng(time), truth).items():
            parts.setdefault(alignment, []).append(_speakers_patterns(windows))
    return {
        alignment: ExpectedPattern(*(np.mean(one, axis=0) for one in zip(*some, strict=True)))
        for alignment, some in parts.items()
    }


def _speakers_patterns(windows: AlignedWindows) -> tuple[np.ndarray, np.ndarray]:
    """Return the pattern of the first letter, and the mean over speakers of what is beyond that of any windows."""
    codes, values = windows.label_codes, windows.read(np.arange(len(windows.table)))
    speaker = pd.factorize(windows.table["speaker"])[0]
    own, beyond = [], []
    for label in range(len(windows.labels)):
        samples = windows.samples[:, label] if windows.by_label else windows.samples
        moved, covered = aligned(values, samples, windows.lags)
        own.append(_means(speaker, moved, covered, codes == label))
        beyond.append(own[-1] - _means(speaker, moved, covered, codes >= 0))
    averages = _known_mean(np.array(own), axis=1)
    return averages[0] - averages.mean(axis=0), _known_mean(beyond[0] - _known_mean(np.array(beyond), axis=0), axis=0)


def _known_mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Return means of what is not missing; missing where all is."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=axis) / known.sum(axis=axis)


def _means(speaker: np.ndarray, moved: np.ndarray, covered: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return means over some windows of each speaker, (speaker, band, lag)."""
    sums = np.zeros((speaker.max() + 1, *moved.shape[1:]))
    counts = np.zeros((len(sums), 1, moved.shape[2]))
    np.add.at(sums, speaker[rows], moved[rows])
    np.add.at(counts, speaker[rows], covered[rows, None])
    with np.errstate(invalid="ignore"):
        return sums / counts
