"""Series of tokens by speakers with a difference that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.stats.gamm.batched.curves.curve_design import autoregressive

TRUTHS = ("none", "level", "shape")
LABELS = ("a", "b")


@dataclass(frozen=True)
class World:
    """What varies, and how much; the residuals have standard deviation one.

    Attributes
    ----------
    name
        As in tables.
    speakers
        How many.
    tokens
        Of each speaker, with each label.
    token_sd
        Of tokens about their speaker's curve: once for their level and once for their shape.
    speaker_sd
        Of speakers about the common curve, likewise.
    contrast_sd
        Of speakers' own versions of each label, likewise.
    rho
        Autocorrelation of the residuals at lag 1.
    points
        Of each series.
    length
        Correlation length of the random curves, Matérn 3/2, where a series has length one.
    difference
        Root mean square over time of the difference where there is one.
    """

    name: str
    speakers: int
    tokens: int
    token_sd: float = 1.0
    speaker_sd: float = 0.7
    contrast_sd: float = 0.0
    rho: float = 0.4
    points: int = 16
    length: float = 0.3
    difference: float = 0.5

    @property
    def time(self) -> np.ndarray:
        """(point,) from 0 to 1."""
        return np.linspace(0, 1, self.points)

    def truth(self, kind: str) -> np.ndarray:
        """Return the true difference of label b from label a, (point,); shapes have mean zero over the points."""
        if kind == "none":
            return np.zeros(self.points)
        if kind == "level":
            return np.full(self.points, self.difference)
        wave = np.sin(2 * np.pi * self.time) + np.cos(np.pi * self.time)
        wave = wave - wave.mean()
        return wave * self.difference / np.sqrt(np.mean(wave**2))

    def frame(self) -> pd.DataFrame:
        """Return the table of a data set without its values: rows by speaker, label, token and time."""
        grid = pd.MultiIndex.from_product(
            [
                [f"s{number:03d}" for number in range(self.speakers)],
                LABELS,
                range(self.tokens),
                self.time,
            ],
            names=["speaker", "label", "number", "time"],
        ).to_frame(index=False)
        cell = grid["speaker"] + "/" + grid["label"]
        return grid.assign(token=cell + "/" + grid["number"].astype(str), speaker_label=cell, value=0.0)

    def draw(self, kind: str, generators: list[np.random.Generator]) -> np.ndarray:
        """Draw data sets, one a generator: (data set, token, point), in the order of `frame`."""
        return np.stack([self._draw(kind, generator) for generator in generators])

    def _draw(self, kind: str, generator: np.random.Generator) -> np.ndarray:
        time, labels = self.time, len(LABELS)
        distance = np.abs(np.subtract.outer(time, time)) * np.sqrt(3) / self.length
        curve = np.linalg.cholesky((1 + distance) * np.exp(-distance) + 1e-10 * np.eye(len(time)))
        noise = np.linalg.cholesky(autoregressive(np.arange(self.points), self.rho))

        def vary(sd: float, *shape: int) -> np.ndarray:
            level = generator.standard_normal((*shape, 1))
            return sd * (level + generator.standard_normal((*shape, len(time))) @ curve.T)

        values = vary(self.token_sd, self.speakers, labels, self.tokens)
        values += vary(self.speaker_sd, self.speakers)[:, None, None]
        values += vary(self.contrast_sd, self.speakers, labels)[:, :, None]
        values += generator.standard_normal(values.shape) @ noise.T
        values += 2 * np.sin(3 * time)
        values[:, 1] += self.truth(kind)
        return values.reshape(-1, len(time))


WORLDS = (
    World("tokens", speakers=40, tokens=1, speaker_sd=0.0),
    World("speakers", speakers=20, tokens=4),
    World("speakers x label", speakers=20, tokens=4, contrast_sd=0.4),
    World("few speakers x label", speakers=6, tokens=12, contrast_sd=0.4),
    World("many speakers x label", speakers=80, tokens=2, contrast_sd=0.4),
    World("few speakers, one token", speakers=6, tokens=1),
)
