"""How often intervals of ABX cover, and how often its tests err, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import pandas as pd

from layerstats.parallel import RunOptions
from layerstats.stats.proportions import effective_wilson, wilson_interval
from layerstats.stats.representations.abx_counting import MODES, AbxMode, count_errors
from layerstats.stats.representations.abx_design import AbxDesign, AbxSampling
from layerstats.stats.representations.abx_rates import JackknifedRates, jackknifed_rates
from layerstats.stats.representations.abx_tables import CHANCE
from layerstats.stats.resampling.calibration import block_sums, run_study
from layerstats.stats.resampling.seeds import replicate_generator

ALPHA = 0.05
CONF_LEVEL = 0.95
TRUTHS = ("none", "level")
# What is drawn anew: speakers, as abx() has it, or triplets, as if each were a coin of its own.
SPEAKERS, TRIPLETS = "speakers", "triplets as if independent"
_LABELS = ("p", "t", "k", "s")
_CHANNELS = 6
# How far speakers differ in all phones, in one, and in how clearly they speak; noise has a standard deviation of 1.
_SPEAKER_SD, _OWN_PHONE_SD, _CLARITY_SD = 0.8, 0.5, 0.4
# Speakers whose mean is taken for that of all.
_POPULATION = 3000


@dataclass(frozen=True)
class AbxWorld:
    """How vectors of phones are made.

    Parameters
    ----------
    name
        In tables.
    speakers, tokens
        How many, and how many phones of each label each says on average (Poisson).
    signal
        How far phones lie apart where there is something to tell.
    context
        "any", or "same": phones have one of two neighbours, and those of one are compared.
    """

    name: str
    speakers: int
    tokens: float
    signal: float = 1.0
    context: str = "any"

    def draw_phones(self, generator: np.random.Generator) -> pd.DataFrame:
        """Return ``label, speaker, previous, following``, and ``clarity``, the speaker's."""
        counts = generator.poisson(self.tokens, (self.speakers, len(_LABELS)))
        speaker = np.repeat(np.arange(self.speakers), counts.sum(axis=1))
        label = np.concatenate([np.repeat(_LABELS, own) for own in counts])
        clarity = np.exp(generator.normal(0, _CLARITY_SD, self.speakers))[speaker]
        names = {"label": label, "speaker": speaker.astype(str), "clarity": clarity, "following": "#"}
        return pd.DataFrame(names).assign(previous=generator.choice(["#", "a"], len(label)))

    def draw_vectors(self, generator: np.random.Generator, phones: pd.DataFrame, told: bool) -> np.ndarray:
        """Return what a network makes of phones, (phone, channel)."""
        speaker = phones["speaker"].to_numpy().astype(int)
        voices = generator.normal(0, _SPEAKER_SD, (self.speakers, _CHANNELS))
        values = generator.normal(size=(len(phones), _CHANNELS)) + voices[speaker]
        if told:
            label = np.array([_LABELS.index(name) for name in phones["label"]])
            own = generator.normal(0, _OWN_PHONE_SD, (self.speakers, len(_LABELS), _CHANNELS))
            codes = self.signal * replicate_generator(0, 1).normal(size=(len(_LABELS), _CHANNELS))
            values += phones["clarity"].to_numpy()[:, None] * codes[label] + own[speaker, label]
        return values


ABX_WORLDS = (
    AbxWorld("20 speakers", 20, 6),
    AbxWorld("6 speakers", 6, 12),
    AbxWorld("3 speakers", 3, 20),
    AbxWorld("20 speakers, few phones", 20, 1.5),
    AbxWorld("20 speakers, one context at a time", 20, 6, context="same"),
    AbxWorld("20 speakers, phones far apart", 20, 6, signal=3.0),
    AbxWorld("6 speakers, phones far apart", 6, 12, signal=3.0),
)


def calibrate_abx(
    worlds: Iterable[AbxWorld | str] = ABX_WORLDS,
    truths: Iterable[str] = TRUTHS,
    datasets: int = 1000,
    seed: int = 0,
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Count how often intervals of ABX error rates cover, and how often its tests reject.

    Parameters
    ----------
    worlds
        What varies; those of this package by name, or by number from 0.
    truths
        "none": vectors have nothing to do with phones. "level": phones lie apart, and speakers differ in how far.
        Under either, two networks are compared that tell phones apart equally well.
    datasets
        For each world and truth.
    seed
        A data set depends on it and on its own number alone.
    progress
        Called after every block with the result so far.
    run
        Where blocks are simulated; by default here, one after another. Numbers do not depend on it.

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
    >>> found = calibrate_abx(["0"], ["none"], datasets=2)
    >>> found["quantity"].unique()[:2].tolist()
    ['covers the error rate within', 'error rate within is not chance']
    """
    simulate = partial(simulate_discrimination, seed=seed)
    return run_study(worlds, truths, datasets, simulate, progress, run, known=ABX_WORLDS, known_truths=TRUTHS)


def simulate_discrimination(world: AbxWorld, truth: str, numbers: range, seed: int = 0) -> pd.DataFrame:
    """Analyse some data sets of a world; `layerstats.stats.resampling.calibration.shares_of` puts blocks together.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, first, total, squares, datasets``.
    """
    counted = []
    for number in numbers:
        counted += _counted(world, truth == "level", replicate_generator(seed, *world.name.encode(), number))
    return block_sums(world.name, truth, numbers, counted)


@lru_cache
def expected_rates(world: AbxWorld, told: bool) -> dict[str, float]:
    """Return the error rates in the population of speakers, by mode: chance, or the mean over very many of them."""
    if not told:
        return dict.fromkeys(MODES, CHANCE)
    generator, many = replicate_generator(1, *world.name.encode()), replace(world, speakers=_POPULATION)
    phones = many.draw_phones(generator)
    design = AbxDesign.of(phones, context=world.context, sampling=AbxSampling(speakers=1))
    return {
        mode: float(rates.estimate[0])
        for mode, (rates, _) in _rates(many.draw_vectors(generator, phones, told), design).items()
    }


def _rates(values: np.ndarray, design: AbxDesign) -> dict[AbxMode, tuple[JackknifedRates, int]]:
    found = {}
    for mode in MODES:
        errors = count_errors(values, design, mode)
        found[mode] = jackknifed_rates(errors, np.where(errors.cells > 0, 0, -1)), errors.triplets
    return found


def _counted(world: AbxWorld, told: bool, generator: np.random.Generator) -> Iterator[tuple[str, str, float]]:
    """Yield whether intervals cover and tests reject, of two networks that tell phones apart equally well."""
    expected = expected_rates(world, told)
    phones = world.draw_phones(generator)
    design = AbxDesign.of(phones, context=world.context)
    ours, theirs = (_rates(world.draw_vectors(generator, phones, told), design) for _ in range(2))
    for mode, (rates, triplets) in ours.items():
        (rate,), (error,), (df,) = rates.estimate, rates.std_error, rates.df
        low, high = effective_wilson(rate, error**2, df, int(rates.speakers[0]), CONF_LEVEL)
        yield SPEAKERS, f"covers the error rate {mode}", float(low <= expected[mode] <= high)
        yield SPEAKERS, f"error rate {mode} is not chance", float(rates.test(CHANCE)[1][0] <= ALPHA)
        difference = rates.minus(theirs[mode][0])
        yield SPEAKERS, f"trained minus untrained {mode}", float(difference.test()[1][0] <= ALPHA)
        naive_low, naive_high = wilson_interval(np.array([rate * triplets]), np.array([triplets]), CONF_LEVEL)
        yield TRIPLETS, f"covers the error rate {mode}", float(naive_low[0] <= expected[mode] <= naive_high[0])
