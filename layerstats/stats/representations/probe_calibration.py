"""How often intervals of probes cover, and how often their tests err, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from layerstats.stats.one_thread import one_blas_thread
from layerstats.stats.representations.nested_folds import ProbeOptions, predict_held_out
from layerstats.stats.representations.speaker_estimates import SpeakerCounts, SpeakerEstimate
from layerstats.stats.resampling.calibration import block_sums, run_study
from layerstats.stats.resampling.seeds import replicate_generator

ALPHA = 0.05
CONF_LEVEL = 0.95
TRUTHS = ("none", "level")
# How the standard error is made: widened for cross-validation, as phone_probe() has it; of the speakers' spread alone;
# and of phones as if each were a coin of its own.
WIDENED, SPEAKERS, POOLED = "speakers, widened", "speakers alone", "phones pooled"
_OPTIONS = ProbeOptions(inner_folds=2, inverse_penalties=(1e-3, 1e-2))
# Data sets whose mean accuracy is taken for the expected one.
_MANY = 60
_VOICE_SD = 0.7


@dataclass(frozen=True)
class ProbeWorld:
    """How vectors of phones are made.

    Parameters
    ----------
    name
        In tables.
    speakers, phones
        How many, and how many of each speaker.
    levels, channels
        How many.
    own_sd
        How much of what tells levels apart is a speaker's own, which tells nothing of other speakers.
    apart
        How far levels lie apart where there is something to tell; noise has a standard deviation of 1.
    """

    name: str
    speakers: int
    phones: int
    levels: int = 4
    channels: int = 10
    own_sd: float = 0.0
    apart: float = 0.5

    def draw_labels(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return levels and speakers of phones; levels are not equally frequent."""
        frequency = np.arange(1, self.levels + 1) / np.arange(1, self.levels + 1).sum()
        speakers = np.repeat(np.arange(self.speakers), self.phones)
        return generator.choice(self.levels, len(speakers), p=frequency), speakers

    def draw_vectors(
        self, generator: np.random.Generator, codes: np.ndarray, speakers: np.ndarray, told: bool
    ) -> np.ndarray:
        """Return what a network makes of phones, (phone, channel)."""
        voices = generator.normal(0, _VOICE_SD, (self.speakers, self.channels))
        own = generator.normal(0, self.own_sd, (self.speakers, self.levels, self.channels))
        values = voices[speakers] + own[speakers, codes] + generator.normal(size=(len(codes), self.channels))
        if told:
            values += self.apart * replicate_generator(0, 2).normal(size=(self.levels, self.channels))[codes]
        return values


PROBE_WORLDS = (
    ProbeWorld("20 speakers", 20, 30),
    ProbeWorld("8 speakers", 8, 60),
    ProbeWorld("20 speakers, levels of their own", 20, 30, own_sd=0.7),
    ProbeWorld("8 speakers, levels of their own", 8, 60, own_sd=0.7),
    ProbeWorld("20 speakers, levels far apart", 20, 30, apart=1.2),
)


def calibrate_probes(
    worlds: Iterable[ProbeWorld | str] = PROBE_WORLDS,
    truths: Iterable[str] = TRUTHS,
    datasets: int = 1000,
    seed: int = 0,
    progress: Callable[[pd.DataFrame], None] | None = None,
) -> pd.DataFrame:
    """Count how often intervals of balanced accuracy cover, and how often tests of probes reject.

    Parameters
    ----------
    worlds
        What varies; those of this package by name, or by number from 0.
    truths
        "none": vectors have nothing to do with levels that holds for other speakers. "level": levels lie apart. Under
        either, two networks are compared that know equally much. What an interval is to cover is the accuracy that
        such probes have on average, over data sets of this size.
    datasets
        For each world and truth.
    seed
        A data set depends on it and on its own number alone.
    progress
        Called after every block with the result so far.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, share, std_error, datasets``, as `layerstats.stats.calibrate` gives them.

    Raises
    ------
    ArgumentError
        There is no such world or truth.

    Examples
    --------
    >>> found = calibrate_probes([ProbeWorld("small", 4, 10, levels=2, channels=2)], ["none"], datasets=1)
    >>> sorted(found["quantity"].unique())
    ['balanced accuracy is not chance', 'covers the balanced accuracy', 'trained minus untrained']
    """

    def simulate(world: ProbeWorld, truth: str, numbers: range) -> pd.DataFrame:
        return simulate_probes(world, truth, numbers, seed)

    return run_study(worlds, truths, datasets, simulate, progress, known=PROBE_WORLDS, known_truths=TRUTHS)


def simulate_probes(world: ProbeWorld, truth: str, numbers: range, seed: int = 0) -> pd.DataFrame:
    """Analyse some data sets of a world; `layerstats.stats.resampling.calibration.shares_of` puts blocks together.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, first, total, squares, datasets``.
    """
    counted: list[tuple[str, str, float]] = []
    with one_blas_thread():
        for number in numbers:
            counted += _counted(world, truth == "level", replicate_generator(seed, *world.name.encode(), number))
    return block_sums(world.name, truth, numbers, counted)


@lru_cache
def expected_accuracy(world: ProbeWorld, told: bool) -> float:
    """Return the balanced accuracy that probes have on average over data sets of a world, drawn for this alone."""
    found = []
    for number in range(_MANY):
        generator = replicate_generator(1, *world.name.encode(), number)
        codes, speakers = world.draw_labels(generator)
        found.append(_probe(world.draw_vectors(generator, codes, speakers, told), codes, speakers)[0].estimate)
    return float(np.mean(found))


def _probe(values: np.ndarray, codes: np.ndarray, speakers: np.ndarray) -> tuple[SpeakerEstimate, SpeakerEstimate]:
    """Return the balanced accuracy by speakers, and with every phone as if it were a speaker."""
    hits = predict_held_out(values, codes, speakers, _OPTIONS).predicted == codes
    levels = int(codes.max()) + 1

    def counts(clusters: np.ndarray) -> SpeakerCounts:
        tables = np.zeros((2, int(clusters.max()) + 1, levels), dtype=int)
        np.add.at(tables[0], (clusters, codes), hits)
        np.add.at(tables[1], (clusters, codes), 1)
        return SpeakerCounts(*tables)

    return counts(speakers).balanced_accuracy(), counts(np.arange(len(codes))).balanced_accuracy()


def _counted(world: ProbeWorld, told: bool, generator: np.random.Generator) -> Iterator[tuple[str, str, float]]:
    """Yield whether intervals cover and tests reject, of two networks that know equally much."""
    expected = expected_accuracy(world, told)
    codes, speakers = world.draw_labels(generator)
    ours, theirs = (_probe(world.draw_vectors(generator, codes, speakers, told), codes, speakers) for _ in range(2))
    folds = _OPTIONS.folds
    recipes = {
        WIDENED: (ours[0].held_out(folds), theirs[0].held_out(folds)),
        SPEAKERS: (ours[0], theirs[0]),
        POOLED: (ours[1], theirs[1]),
    }
    for recipe, (own, other) in recipes.items():
        low, high = own.interval(CONF_LEVEL)
        yield recipe, "covers the balanced accuracy", float(low <= expected <= high)
        yield recipe, "balanced accuracy is not chance", float(own.minus(1 / world.levels).p_value <= ALPHA)
        yield recipe, "trained minus untrained", float(own.minus(other).p_value <= ALPHA)
