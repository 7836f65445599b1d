"""How often intervals of shares of a score cover, and how often their tests err, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from layerstats.parallel import RunOptions
from layerstats.stats.null import compare_with_untrained
from layerstats.stats.relevance.speaker_means import SpeakerMean, speaker_mean
from layerstats.stats.resampling.calibration import block_sums, run_study
from layerstats.stats.resampling.seeds import replicate_generator

ALPHA = 0.05
CONF_LEVEL = 0.95
TRUTHS = ("none", "level")
# Share of the score under the phones of a group, and by how much more a network that learned rests on them.
SHARE, LEARNED = 0.3, 0.08
# Standard deviations of tokens, of speakers in all networks, and of speakers in one network.
_TOKEN_SD, _SPEAKER_SD, _OWN_SD = 0.2, 0.08, 0.05
# What is drawn anew: speakers, as phone_shares() has it, tokens as if each were a speaker, or networks.
SPEAKERS, POOLED, NETWORKS = "speakers", "tokens pooled", "networks"


@dataclass(frozen=True)
class ShareWorld:
    """How shares of a score come about.

    Parameters
    ----------
    name
        In tables.
    speakers, tokens
        How many, and how many of each speaker on average; speakers have from half to one and a half times as many.
    untrained
        Networks beside the trained one.
    network_sd
        Standard deviation, between networks of one kind, of how much rests on the phones.
    """

    name: str
    speakers: int
    tokens: int
    untrained: int = 20
    network_sd: float = 0.0

    def draw(self, generator: np.random.Generator, learned: float = 0.0) -> tuple[np.ndarray, np.ndarray, float]:
        """Return shares, (network, token), the trained network first, the tokens' speakers, and its expected share."""
        counts = generator.integers(-(-self.tokens // 2), self.tokens + self.tokens // 2 + 1, self.speakers)
        speaker = np.repeat(np.arange(self.speakers), counts)
        networks = 1 + self.untrained
        expected = SHARE + generator.normal(0, self.network_sd, networks)
        expected[0] += learned
        common = generator.normal(0, _SPEAKER_SD, self.speakers)
        own = generator.normal(0, _OWN_SD, (networks, self.speakers))
        noise = generator.normal(0, _TOKEN_SD, (networks, len(speaker)))
        return expected[:, None] + (common + own)[:, speaker] + noise, speaker, float(expected[0])


SHARE_WORLDS = (
    ShareWorld("20 speakers", 20, 8),
    ShareWorld("6 speakers", 6, 25),
    ShareWorld("3 speakers", 3, 50),
    ShareWorld("20 speakers, networks differ", 20, 8, network_sd=0.03),
    ShareWorld("6 speakers, networks differ", 6, 25, network_sd=0.03),
    ShareWorld("20 speakers, networks differ, 5 of them", 20, 8, untrained=5, network_sd=0.03),
)


def calibrate_shares(
    worlds: Iterable[ShareWorld | str] = SHARE_WORLDS,
    truths: Iterable[str] = TRUTHS,
    datasets: int = 1000,
    seed: int = 0,
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Count how often intervals of shares of a score cover, and how often tests against untrained networks reject.

    Parameters
    ----------
    worlds
        What varies; those of this package by name, or by number from 0.
    truths
        "none": the trained network is one more draw of the untrained ones. "level": .08 more of its score rests on the
        phones.
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
    >>> found = calibrate_shares(["0"], ["none"], datasets=2)
    >>> sorted(found["quantity"].unique())
    ['covers the share', 'trained above untrained', 'trained minus untrained']
    """
    simulate = partial(simulate_shares, seed=seed)
    return run_study(worlds, truths, datasets, simulate, progress, run, known=SHARE_WORLDS, known_truths=TRUTHS)


def simulate_shares(world: ShareWorld, truth: str, numbers: range, seed: int = 0) -> pd.DataFrame:
    """Analyse some data sets of a world; `layerstats.stats.resampling.calibration.shares_of` puts blocks together.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, first, total, squares, datasets``.
    """
    learned = LEARNED if truth == "level" else 0.0
    counted = [
        one
        for number in numbers
        for one in _counted(*world.draw(replicate_generator(seed, *world.name.encode(), number), learned))
    ]
    return block_sums(world.name, truth, numbers, counted)


def _counted(shares: np.ndarray, speaker: np.ndarray, expected: float) -> Iterator[tuple[str, str, float]]:
    """Yield whether the interval of the share covers, and whether it differs from that of untrained networks."""
    difference = shares[0] - shares[1:].mean(axis=0)
    for recipe, clusters in ((SPEAKERS, speaker), (POOLED, np.arange(len(speaker)))):
        low, high = speaker_mean(shares[0], clusters).interval(CONF_LEVEL)
        yield recipe, "covers the share", float(low <= expected <= high)
        yield recipe, "trained minus untrained", _rejects(speaker_mean(difference, clusters))
    effects = pd.DataFrame({
        "layer": "group", "recording": np.arange(len(shares)), "trained": np.arange(len(shares)) == 0,
        "effect_size": shares.mean(axis=1),
    })  # fmt: skip
    rank = compare_with_untrained(effects)["null_p_value"].item()
    yield NETWORKS, "trained above untrained", float(rank <= ALPHA)


def _rejects(difference: SpeakerMean) -> float:
    return float(difference.p_value <= ALPHA)
