"""Permutation tests and bootstrap intervals of simulated data sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.refit import Refits, refit
from layerstats.stats.gamm.batched.curves.summaries import summarise
from layerstats.stats.resampling.bands import band_of
from layerstats.stats.resampling.calibration.recipes import Recipe
from layerstats.stats.resampling.calibration.worlds import LABELS
from layerstats.stats.resampling.exchange import EXCHANGES, Exchanger
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.resampling.statistics import TESTS, difference_matrices, differences, largest


def permutation_p_values(
    design: CurveDesign,
    fits: Refits,
    values: np.ndarray,
    noise: np.ndarray | None,
    recipe: Recipe,
    replicates: int,
    seed: int,
    numbers: Sequence[int],
) -> dict[str, np.ndarray]:
    """Return p-values by test, (data set,)."""
    contrast = difference_matrices(design, LABELS[1], LABELS[0])
    exchange = "tokens" if recipe.resampling == EXCHANGES[0] else "speakers"
    exchanger = Exchanger.of(design.label_of, design.speaker_of, exchange)
    found: dict[str, list[float]] = {test: [] for test in TESTS}
    for row, number in enumerate(numbers):
        own = replace(design, values=values[row])
        assignments = np.stack(
            [design.label_of, *(exchanger.draw(replicate_generator(seed, number, draw)) for draw in range(replicates))]
        )
        own_noise = None if noise is None else np.repeat(noise[row][None], len(assignments), axis=0)
        again = refit(
            own,
            summarise(own, assignments),
            None if recipe.refit else fits.log_smoothing[row],
            own_noise,
        )
        for test in TESTS:
            statistic = largest(again, contrast, test)
            found[test].append(float(np.mean(statistic >= statistic[0] * (1 - 1e-9))))
    return {test: np.array(p) for test, p in found.items()}


def bootstrap_covers(
    design: CurveDesign,
    fits: Refits,
    values: np.ndarray,
    noise: np.ndarray | None,
    truth: np.ndarray,
    recipe: Recipe,
    replicates: int,
    seed: int,
    numbers: Sequence[int],
) -> dict[str, np.ndarray]:
    """Return the shares that bootstrap bands cover, and of bootstrap tests that reject, (data set,)."""
    matrix = difference_matrices(design, LABELS[1], LABELS[0]).joint
    curve = differences(fits, matrix)[0]
    people = int(design.speaker_of.max()) + 1
    shares: dict[str, list[float]] = {"pointwise": [], "simultaneous": [], "joint": []}
    for row, number in enumerate(numbers):
        own = replace(design, values=values[row])
        generators = [replicate_generator(seed, number, draw) for draw in range(replicates)]
        drawn = np.stack([np.bincount(one.integers(people, size=people), minlength=people) for one in generators])
        data = summarise(own, np.tile(design.label_of, (replicates, 1)), multiplicity=drawn)
        own_noise = None if noise is None else np.repeat(noise[row][None], replicates, axis=0)
        again = refit(own, data, None if recipe.refit else fits.log_smoothing[row], own_noise)
        error, simultaneous = band_of(differences(again, matrix)[0], people, 0.95)
        deviation = np.abs(curve[row] - truth) / error
        shares["pointwise"].append(float(np.mean(deviation <= stats.t.ppf(0.975, people - 1))))
        shares["simultaneous"].append(float(deviation.max() <= simultaneous))
        shares["joint"].append(float(np.max(np.abs(curve[row]) / error) > simultaneous))
    return {name: np.array(share) for name, share in shares.items()}
