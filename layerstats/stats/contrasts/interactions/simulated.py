"""Worlds in which a contrast of contrasts is known: two crossed columns, and the same tokens in several recordings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.stats.contrasts.interactions.cell_model import Crossing
from layerstats.stats.gamm.batched.curves.curve_design import autoregressive
from layerstats.stats.resampling.calibration import World

TRUTHS = ("none", "level", "shape")
CROSSING = Crossing("a", ("a1", "a2"), "b", ("b1", "b2"))


@dataclass(frozen=True)
class RandomCurves:
    """Draws curves that vary in level and in shape, as in `World`: Matérn 3/2, and AR(1) residuals."""

    points: int = 16
    length: float = 0.3
    rho: float = 0.4

    @property
    def time(self) -> np.ndarray:
        """(point,) from 0 to 1."""
        return np.linspace(0, 1, self.points)

    def vary(self, generator: np.random.Generator, sd: float, *shape: int) -> np.ndarray:
        """Draw curves whose level and whose shape have this standard deviation, (*shape, point)."""
        distance = np.abs(np.subtract.outer(self.time, self.time)) * np.sqrt(3) / self.length
        root = np.linalg.cholesky((1 + distance) * np.exp(-distance) + 1e-10 * np.eye(self.points))
        level = generator.standard_normal((*shape, 1))
        return sd * (level + generator.standard_normal((*shape, self.points)) @ root.T)

    def noise(self, generator: np.random.Generator, *shape: int) -> np.ndarray:
        """Draw residuals, (*shape, point)."""
        root = np.linalg.cholesky(autoregressive(np.arange(self.points), self.rho))
        return generator.standard_normal((*shape, self.points)) @ root.T


CURVES = RandomCurves()


def truth_of(kind: str, size: float) -> np.ndarray:
    """Return the true double difference, (point,), of this root mean square."""
    return World("", 1, 1, points=CURVES.points, difference=size).truth(kind)


@dataclass(frozen=True)
class CrossedWorld:
    """Two columns crossed: every speaker is heard in both levels of `a`, and in one level of `b` or in both.

    Attributes
    ----------
    name
        As in tables.
    speakers
        How many.
    tokens
        Of each speaker in each cell.
    within
        Whether speakers are heard in both levels of `b`.
    token_sd, speaker_sd
        As in `World`.
    contrast_sd
        Of how speakers differ in either contrast: of their own version of each level.
    interaction_sd
        Of speakers' own version of each cell, where speakers are heard in all.
    main
        Size of both contrasts themselves.
    difference
        Size of the double difference where there is one.
    """

    name: str
    speakers: int
    tokens: int
    within: bool
    token_sd: float = 1.0
    speaker_sd: float = 0.7
    contrast_sd: float = 0.4
    interaction_sd: float = 0.3
    main: float = 0.5
    difference: float = 0.8

    def frame(self) -> pd.DataFrame:
        """Return the table of a data set without its values: rows by speaker, a, b, token and time."""
        rows = pd.MultiIndex.from_product(
            [range(self.speakers), range(2), range(2 if self.within else 1), range(self.tokens), CURVES.time],
            names=["speaker", "a", "b", "number", "time"],
        ).to_frame(index=False)
        by = rows["b"] if self.within else rows["speaker"] % 2
        speaker = rows["speaker"].map("s{:03d}".format)
        a, b = rows["a"].map(CROSSING.levels.__getitem__), by.map(CROSSING.by_levels.__getitem__)
        token = speaker + "/" + a + "/" + b + "/" + rows["number"].astype(str)
        return pd.DataFrame({"token": token, "speaker": speaker, "a": a, "b": b, "time": rows["time"], "value": 0.0})

    def draw(self, kind: str, generator: np.random.Generator) -> np.ndarray:
        """Draw a data set, (token, point), in the order of `frame`."""
        people, sides = self.speakers, 2 if self.within else 1
        values = CURVES.vary(generator, self.token_sd, people, 2, sides, self.tokens)
        values += CURVES.noise(generator, people, 2, sides, self.tokens)
        values += CURVES.vary(generator, self.speaker_sd, people)[:, None, None, None]
        values += CURVES.vary(generator, self.contrast_sd, people, 2)[:, :, None, None]
        second = np.arange(people)[:, None, None, None] % 2 == 1
        if self.within:
            values += CURVES.vary(generator, self.contrast_sd, people, sides)[:, None, :, None]
            values += CURVES.vary(generator, self.interaction_sd, people, 2, sides)[:, :, :, None]
            second = np.arange(2)[None, None, :, None] == 1
        first = np.arange(2)[None, :, None, None] == 1
        main = truth_of("level", self.main) + truth_of("shape", self.main)
        values += first[..., None] * main + second[..., None] * main[::-1]
        values += (first & second)[..., None] * truth_of(kind, self.difference)
        values += 2 * np.sin(3 * CURVES.time)
        return values.reshape(-1, CURVES.points)


@dataclass(frozen=True)
class PairedWorld:
    """Every speaker says both levels of `a`, and several networks hear all tokens, each on a scale of its own.

    Attributes
    ----------
    name
        As in tables.
    speakers, tokens
        How many, and tokens of each speaker and level.
    networks
        How many recordings: the first is compared with the second, or with the mean of the others.
    effect
        Size of the contrast in all of them, in standard deviations of tokens.
    difference
        By how much that of the first differs, where it does.
    shared
        Correlation of what tokens and speakers have of their own, between recordings.
    """

    name: str
    speakers: int
    tokens: int
    networks: int = 2
    effect: float = 0.0
    difference: float = 0.4
    shared: float = 0.6
    token_sd: float = 1.0
    speaker_sd: float = 0.7
    contrast_sd: float = 0.4

    @property
    def sd(self) -> float:
        """Standard deviation of tokens about their group's curve, on the first network's scale."""
        return float(np.sqrt(2 * (self.token_sd**2 + self.speaker_sd**2 + self.contrast_sd**2) + 1))

    def frame(self) -> pd.DataFrame:
        """Return the table of a recording without its values: rows by speaker, a, token and time."""
        return CrossedWorld(self.name, self.speakers, self.tokens, within=False).frame()

    def draw(self, kind: str, generator: np.random.Generator) -> np.ndarray:
        """Draw a data set, (network, token, point), in the order of `frame`."""
        own, common = np.sqrt(1 - self.shared), np.sqrt(self.shared)

        def vary(sd: float, *shape: int) -> np.ndarray:
            shares = CURVES.vary(generator, sd * common, *shape)
            return shares + CURVES.vary(generator, sd * own, self.networks, *shape)

        values = vary(self.token_sd, self.speakers, 2, self.tokens)
        values += CURVES.noise(generator, self.networks, self.speakers, 2, self.tokens)
        values += vary(self.speaker_sd, self.speakers)[:, :, None, None]
        values += vary(self.contrast_sd, self.speakers, 2)[:, :, :, None]
        values[:, :, 1] += self.sd * truth_of("level", self.effect)
        values[0, :, 1] += self.sd * truth_of(kind, self.difference)
        values += 2 * np.sin(3 * CURVES.time)
        # Scales and zeros of their own, from one network to the next.
        scales = 3.0 ** np.linspace(-1, 1, self.networks)
        values = values * scales[:, None, None, None, None] + np.arange(self.networks)[:, None, None, None, None]
        return values.reshape(self.networks, -1, CURVES.points)


CROSSED_WORLDS = (
    CrossedWorld("b between 20 speakers", speakers=20, tokens=4, within=False),
    CrossedWorld("b between 6 speakers", speakers=6, tokens=12, within=False),
    CrossedWorld("b within 20 speakers", speakers=20, tokens=2, within=True),
    CrossedWorld("b within 6 speakers", speakers=6, tokens=6, within=True),
)
PAIRED_WORLDS = (
    PairedWorld("two layers, no contrast", speakers=20, tokens=4),
    PairedWorld("two layers, both 1.5", speakers=20, tokens=4, effect=1.5),
    PairedWorld("two layers, both 3", speakers=20, tokens=4, effect=3.0),
    PairedWorld("two layers, both 1.5, 6 speakers", speakers=6, tokens=12, effect=1.5),
    PairedWorld("trained and 20 untrained, all 1.5", speakers=20, tokens=4, networks=21, effect=1.5),
)
