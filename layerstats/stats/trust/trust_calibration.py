"""How often intervals of trust cover, and how often its tests err, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from layerstats.parallel import RunOptions
from layerstats.stats.resampling.calibration import block_sums, run_study
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.trust.cluster_means import ClusterMean, cluster_mean
from layerstats.stats.trust.interval_shares import EXCHANGED, HIT, SHARE, SHIFTED, measured_shares
from layerstats.stats.trust.map_agreement import CORRELATION, correlations, other_tokens
from layerstats.stats.trust.map_worlds import ALIKE, INSIDE, MapWorld

ALPHA = 0.05
CONF_LEVEL = 0.95
TRUTHS = ("none", "level")
MAP_WORLDS = (
    MapWorld("20 speakers", 20, 10),
    MapWorld("6 speakers", 6, 30),
    MapWorld("3 speakers", 3, 60),
    MapWorld("20 speakers, 2 windows each", 20, 2),
    MapWorld("20 speakers, lags of their own", 20, 10, lag="speaker"),
    MapWorld("6 speakers, lags of their own", 6, 30, lag="speaker"),
    MapWorld("20 speakers, maps large at the centre", 20, 10, lag="centre"),
)
_MEASURED = ("value", "baseline_value", "null_variance", "null_covariance")
_COVERS = {SHARE: "covers the share", HIT: "covers the rate of hits"}
# What is drawn anew: speakers, as trust_table() has it, or windows, by a plain t test over all of them.
SPEAKERS, POOLED = "speakers", "windows pooled"


def calibrate_trust(
    worlds: Iterable[MapWorld | str] = MAP_WORLDS,
    truths: Iterable[str] = TRUTHS,
    datasets: int = 1000,
    seed: int = 0,
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Count how often intervals of trust cover, and how often its tests reject.

    Parameters
    ----------
    worlds
        What varies; those of this package by name, or by number from 0.
    truths
        "none": maps have nothing to do with phones, and two maps of one input are no more alike than of different
        ones. "level": a share of .15 on average is put inside the phone, and .3 of what differs between inputs is
        common to two maps of one; speakers differ in both.
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
    >>> found = calibrate_trust(["0"], ["none"], datasets=2)
    >>> found["quantity"].unique()[:2].tolist()
    ['share inside the phone against shifted phones', 'covers the share']
    """
    simulate = partial(simulate_maps, seed=seed)
    return run_study(worlds, truths, datasets, simulate, progress, run, known=MAP_WORLDS, known_truths=TRUTHS)


def simulate_maps(world: MapWorld, truth: str, numbers: range, seed: int = 0) -> pd.DataFrame:
    """Analyse some data sets of a world; `layerstats.stats.resampling.calibration.shares_of` puts blocks together.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, first, total, squares, datasets``.
    """
    counted: list[tuple[str, str, float]] = []
    for number in numbers:
        generator = replicate_generator(seed, *world.name.encode(), number)
        counted += [*_located(world, truth, generator), *_alike(world, truth, generator)]
    return block_sums(world.name, truth, numbers, counted)


def _located(world: MapWorld, truth: str, generator: np.random.Generator) -> Iterator[tuple[str, str, float]]:
    """Yield whether intervals of shares and hits cover, and whether they differ from chance."""
    inside = INSIDE if truth == "level" else 0.0
    values, units = world.draw(generator, inside)
    parts = [measured_shares(values, own, exchanged=True) for _, own in units.groupby("speaker")]
    for measure, baseline in product((SHARE, HIT), (SHIFTED, EXCHANGED)):
        # A speaker's only window cannot be exchanged.
        known = [part[measure, baseline] for part in parts if (measure, baseline) in part]
        value, chance, *spread = (np.concatenate([part[name] for part in known]) for name in _MEASURED)
        own = np.concatenate([np.full(len(part["value"]), number) for number, part in enumerate(known)])
        for recipe, clusters in _recipes(own):
            diff = cluster_mean(value - chance, clusters, *(spread if recipe == SPEAKERS else ()))
            yield recipe, f"{measure} against {baseline}", _rejects(diff)
            expected = world.expected_share(inside)
            if baseline != SHIFTED or np.isnan(expected) or (measure == HIT and inside):
                continue
            low, high = cluster_mean(value, clusters).share_interval(CONF_LEVEL)
            yield recipe, _COVERS[measure], float(low <= expected <= high)


def _alike(world: MapWorld, truth: str, generator: np.random.Generator) -> Iterator[tuple[str, str, float]]:
    """Yield whether the interval of a correlation covers, and whether it differs from that with other inputs."""
    alike = ALIKE if truth == "level" else 0.0
    first, second, tokens = world.draw_pairs(generator, alike)
    speakers = tokens["speaker"].to_numpy()
    value = correlations(first, second)
    chance = correlations(first, second[other_tokens(speakers)])
    for recipe, clusters in _recipes(speakers):
        yield recipe, f"{CORRELATION} against maps of other tokens", _rejects(cluster_mean(value - chance, clusters))


def _recipes(speakers: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    yield from ((SPEAKERS, speakers), (POOLED, np.arange(len(speakers))))


def _rejects(diff: ClusterMean) -> float:
    return float(diff.p_value <= ALPHA)
