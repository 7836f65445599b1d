"""How often intervals of the similarity of layers cover, and how often its tests err, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.stats.one_thread import one_blas_thread
from layerstats.stats.representations.kernel_alignment import CentredFeatures, alignment, independence
from layerstats.stats.representations.speaker_estimates import jackknife_estimate
from layerstats.stats.resampling.calibration import block_sums, run_study
from layerstats.stats.resampling.seeds import replicate_generator

ALPHA = 0.05
CONF_LEVEL = 0.95
TRUTHS = ("none", "level")
# What is estimated, as layer_similarity() calls it, and how its interval is made.
JACKKNIFE, PUBLISHED, BIASED = "cka, jackknife", "debiased cka, jackknife", "biased cka, jackknife"
BOOTSTRAP = "debiased cka, bootstrap of speakers"
_RESAMPLES = 100
_LABELS = 8
# Of what lies under a layer: dimensions, and how far labels lie apart in them; phones vary by 1.
_DIMENSIONS, _LABEL_SD = 6, 1.0


@dataclass(frozen=True)
class SimilarityWorld:
    """How the vectors of two layers are made.

    Parameters
    ----------
    name
        In tables.
    speakers, phones
        How many, and how many of each speaker.
    channels
        Of each layer.
    voice_sd
        How far speakers lie apart.
    noise
        Standard deviation of what each channel has for itself.
    """

    name: str
    speakers: int
    phones: int
    channels: int = 40
    voice_sd: float = 0.5
    noise: float = 3.0

    def _weights(self, number: int) -> np.ndarray:
        return replicate_generator(0, 3, number).normal(size=(_DIMENSIONS, self.channels))

    def draw(self, generator: np.random.Generator, shared: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return two layers, (phone, channel), that see the same or have nothing in common; speakers are in order."""
        first = self._latent(generator)
        second = first if shared else self._latent(generator)
        layers = (first @ self._weights(0), second @ self._weights(1))
        noisy = [layer + self.noise * generator.normal(size=layer.shape) for layer in layers]
        return noisy[0], noisy[1]

    def _latent(self, generator: np.random.Generator) -> np.ndarray:
        speakers = np.repeat(np.arange(self.speakers), self.phones)
        places = replicate_generator(0, 4).normal(0, _LABEL_SD, (_LABELS, _DIMENSIONS))
        voices = generator.normal(0, self.voice_sd, (self.speakers, _DIMENSIONS))
        label = generator.integers(0, _LABELS, len(speakers))
        return places[label] + voices[speakers] + generator.normal(size=(len(speakers), _DIMENSIONS))

    def expected(self, shared: bool) -> float:
        """Return CKA in the population of speakers, from its covariances."""
        if not shared:
            return 0.0
        places = replicate_generator(0, 4).normal(0, _LABEL_SD, (_LABELS, _DIMENSIONS))
        latent = np.cov(places.T, bias=True) + (1 + self.voice_sd**2) * np.eye(_DIMENSIONS)
        first, second = self._weights(0), self._weights(1)
        own = [weights.T @ latent @ weights + self.noise**2 * np.eye(self.channels) for weights in (first, second)]
        between = first.T @ latent @ second
        return float(np.sum(between**2) / np.sqrt(np.prod([np.sum(one**2) for one in own])))


SIMILARITY_WORLDS = (
    SimilarityWorld("20 speakers", 20, 30),
    SimilarityWorld("8 speakers", 8, 60),
    SimilarityWorld("20 speakers who differ much", 20, 30, voice_sd=1.5),
    SimilarityWorld("8 speakers who differ much", 8, 60, voice_sd=1.5),
    SimilarityWorld("4 speakers who differ much", 4, 60, voice_sd=1.5),
    SimilarityWorld("20 speakers, more channels than phones", 20, 10, channels=300),
)


def calibrate_similarity(
    worlds: Iterable[SimilarityWorld | str] = SIMILARITY_WORLDS,
    truths: Iterable[str] = TRUTHS,
    datasets: int = 1000,
    seed: int = 0,
    progress: Callable[[pd.DataFrame], None] | None = None,
) -> pd.DataFrame:
    """Count how often intervals of CKA cover, and how often its tests reject.

    Parameters
    ----------
    worlds
        What varies; those of this package by name, or by number from 0.
    truths
        "none": layers have nothing in common. "level": they see the same. Under either, two networks are compared whose
        layers are equally alike.
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
    >>> found = calibrate_similarity(["0"], ["none"], datasets=1)
    >>> sorted(found["quantity"].unique())
    ['covers the similarity', 'similarity is not 0', 'trained minus untrained']
    """

    def simulate(world: SimilarityWorld, truth: str, numbers: range) -> pd.DataFrame:
        return simulate_similarity(world, truth, numbers, seed)

    return run_study(worlds, truths, datasets, simulate, progress, known=SIMILARITY_WORLDS, known_truths=TRUTHS)


def simulate_similarity(world: SimilarityWorld, truth: str, numbers: range, seed: int = 0) -> pd.DataFrame:
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


def _counted(world: SimilarityWorld, shared: bool, generator: np.random.Generator) -> Iterator[tuple[str, str, float]]:
    expected = world.expected(shared)
    bounds = np.arange(0, world.speakers * world.phones + 1, world.phones)
    ours, theirs = (
        tuple(CentredFeatures.of(layer, bounds) for layer in world.draw(generator, shared)) for _ in range(2)
    )
    for recipe, debiased, by_speaker in ((JACKKNIFE, True, True), (PUBLISHED, True, False), (BIASED, False, False)):
        own, other = (jackknife_estimate(_similarity(pair, debiased, by_speaker)) for pair in (ours, theirs))
        low, high = own.interval(CONF_LEVEL)
        yield recipe, "covers the similarity", float(low <= expected <= high)
        yield recipe, "similarity is not 0", float(own.p_value <= ALPHA)
        yield recipe, "trained minus untrained", float(own.minus(other).p_value <= ALPHA)
    drawn = [_resampled(ours, generator) for _ in range(_RESAMPLES)]
    low, high = np.quantile(drawn, [(1 - CONF_LEVEL) / 2, (1 + CONF_LEVEL) / 2])
    yield BOOTSTRAP, "covers the similarity", float(low <= expected <= high)


def _similarity(pair: tuple[CentredFeatures, ...], debiased: bool, by_speaker: bool) -> np.ndarray:
    first, second = pair
    cross, *own = (independence(*layers, debiased) for layers in ((first, second), (first, first), (second, second)))
    return alignment(cross, own[0], own[1], by_speaker)


def _resampled(pair: tuple[CentredFeatures, ...], generator: np.random.Generator) -> float:
    """Return the similarity in speakers drawn with replacement, whose phones then are there twice."""
    bounds = pair[0].bounds
    speakers = len(bounds) - 1
    each = np.split(np.arange(bounds[-1]), bounds[1:-1])
    rows = np.concatenate([each[one] for one in generator.integers(0, speakers, speakers)])
    again = tuple(CentredFeatures.of(layer.matrix[rows], bounds) for layer in pair)
    return float(_similarity(again, True, False)[0])
