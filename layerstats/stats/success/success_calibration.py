"""How often intervals of success cover, and how often its tests err, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.parallel import RunOptions
from layerstats.stats.proportions import wilson_interval
from layerstats.stats.resampling.calibration import block_sums, run_study
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.success.attempt_worlds import RECOGNISER, AttemptWorld, SimulatedPair
from layerstats.stats.success.judged_starts import JudgedStarts
from layerstats.stats.success.marginal_and_joint import MARGINAL, OTHERS, SuccessMeasure, measures
from layerstats.stats.success.own_and_others import own_minus_others
from layerstats.stats.success.rate_intervals import Inference

ALPHA = 0.05
ATTEMPT_WORLDS = (
    AttemptWorld("2 networks", 2),
    AttemptWorld("3 networks", 3),
    AttemptWorld("5 networks", 5),
    AttemptWorld("10 networks", 10),
    AttemptWorld("5 networks, all alike", 5, network_sd=0, class_by_network_sd=0, pair_sd=0, set_up_sd=0),
    AttemptWorld("5 networks, pairs differ", 5, network_sd=0, class_by_network_sd=0, pair_sd=0.6, set_up_sd=0),
    AttemptWorld("5 networks, rate .97", 5, rate=0.97, class_sd=0.5),
    AttemptWorld("5 networks, 35 classes, 4 starts", 5, classes=35, starts=4),
)
# Rates that other networks or classes would have are what these promise to cover.
_NAIVE, _STARTS, _NETWORKS = "Wilson, starts pooled", "starts", "starts, networks"
_CLASSES = "starts, networks, classes"
TRUTHS = ("none", "level")
# On the probit scale: what makes a difference, of set-ups or of the target network's own judgements.
SHIFT = 0.5


def calibrate_success(
    worlds: Iterable[AttemptWorld | str] = ATTEMPT_WORLDS,
    truths: Iterable[str] = TRUTHS,
    datasets: int = 1000,
    seed: int = 0,
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Count how often intervals of success cover, and how often tests of success reject.

    Parameters
    ----------
    worlds
        What varies; those of this package by name, or by number from 0.
    truths
        "none": no set-up is better, and no network hears itself best. "level": both, by 0.5 on the probit scale.
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
        ``world, truth, recipe, quantity, share, std_error, datasets``, as `layerstats.stats.calibrate` gives them. The
        recipe is what is drawn anew in an interval or test. Without a difference, quantities are the shares of
        intervals that cover the rate in these networks and classes, in others networks, in other networks and classes.

    Raises
    ------
    ArgumentError
        There is no such world or truth.

    Examples
    --------
    >>> found = calibrate_success(["0"], ["none"], datasets=1)
    >>> found["quantity"].unique()[:2].tolist()
    ['set-ups, other networks', 'set-ups, recogniser']
    """
    simulate = partial(simulate_attempts, seed=seed)
    return run_study(worlds, truths, datasets, simulate, progress, run, known=ATTEMPT_WORLDS, known_truths=TRUTHS)


def simulate_attempts(world: AttemptWorld, truth: str, numbers: range, seed: int = 0) -> pd.DataFrame:
    """Analyse some data sets of a world; `layerstats.stats.resampling.calibration.shares_of` puts blocks together.

    Parameters
    ----------
    world
        Of `ATTEMPT_WORLDS`, or another.
    truth
        "none" or "level".
    numbers
        Of data sets: each depends on its own number and the seed alone.
    seed
        Of everything.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, first, total, squares, datasets``.
    """
    counted: list[tuple[str, str, float]] = []
    key = list(world.name.encode())
    own = world if truth == "none" else replace(world, own=SHIFT)
    shift = 0.0 if truth == "none" else SHIFT
    for number in numbers:
        pair = own.draw(replicate_generator(seed, *key, number), shift=shift)
        counted += _tests(pair, number)
        if truth == "none":
            counted += _covers(pair, world, drawn=False)
            counted += _covers(
                own.draw(replicate_generator(seed, *key, number, 1), drawn_classes=True), world, drawn=True
            )
    return block_sums(world.name, truth, numbers, counted)


def _covers(pair: SimulatedPair, world: AttemptWorld, drawn: bool) -> Iterator[tuple[str, str, float]]:
    """Yield whether intervals cover, with classes held or drawn."""
    size = world.networks
    others = pair.first_cells.mean(axis=1)[~np.eye(size, size + 1, dtype=bool) & (np.arange(size + 1) < size)]
    truths = {"other networks and classes": world.rate} if drawn else {
        "these networks": float(others.mean()), "other networks": world.expected(pair.classes)
    }  # fmt: skip
    measured = _measure(pair.first, OTHERS)
    estimate = measured.estimate(pair.first)
    rights = measured.heard[np.asarray(measured.keep)[pair.first.network_of]]
    pooled = wilson_interval(np.array([rights.sum()]), np.array([len(rights)]))
    ends = {_NAIVE: (float(pooled[0][0]), float(pooled[1][0]))}
    for recipe, inference in _INFERENCES.items():
        interval = inference.rate(estimate)
        ends[recipe] = (interval["conf_low"], interval["conf_high"])
    for recipe, (low, high) in ends.items():
        for of, truth in truths.items():
            yield recipe, f"covers {of}", float(low <= truth <= high)
        if not drawn:
            yield recipe, "width", high - low


_INFERENCES = {
    _STARTS: Inference(networks="fixed"),
    _NETWORKS: Inference(),
    _CLASSES: Inference(classes="drawn"),
}


def _measure(starts: JudgedStarts, judge: str) -> SuccessMeasure:
    return next(one for one in measures(starts, starts.judges) if one.measure == MARGINAL and one.judge == judge)


def _tests(pair: SimulatedPair, number: int) -> Iterator[tuple[str, str, float]]:
    """Yield whether tests reject."""
    for judge in (OTHERS, RECOGNISER):
        sides = [(starts, _measure(starts, judge)) for starts in (pair.second, pair.first)]
        estimates = [measured.estimate(starts) for starts, measured in sides]
        difference = estimates[0].minus(estimates[1])
        for recipe, inference in _INFERENCES.items():
            yield recipe, f"set-ups, {judge}", float(inference.difference(difference)["p_value"] <= ALPHA)
        if judge == RECOGNISER:
            one, two = (measured.heard for _, measured in sides)
            more, less = int(np.sum(one > two)), int(np.sum(one < two))
            p_value = stats.binomtest(more, more + less).pvalue if more + less else 1.0
            yield "McNemar, starts pooled", f"set-ups, {judge}", float(p_value <= ALPHA)
    for recipe, inference in _INFERENCES.items():
        for row in own_minus_others(pair.first, inference, 199, number):
            yield recipe, "target network against others", float(row["p_value"] <= ALPHA)
            if recipe == _NETWORKS:
                yield "permutation", "target network against others", float(row["permutation_p_value"] <= ALPHA)
