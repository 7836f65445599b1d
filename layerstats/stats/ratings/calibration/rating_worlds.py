"""Ratings with known truth: raters, clips and raters' own differences vary by so much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

CONDITIONS = ("a", "b")
CATEGORIES = 5
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)


@dataclass(frozen=True)
class RatingWorld:
    """What varies in simulated ratings from 1 to 5: standard deviations on the logit scale, where one answer has 1.81.

    An answer is above point k where ``level + condition + rater + rater's own condition + clip + noise > threshold k``.

    Attributes
    ----------
    name
        As in tables.
    raters, clips
        How many, clips of each of the two conditions.
    raters_per_clip
        How many raters hear a clip, dealt in turn; all where it is `raters`.
    rater_sd, clip_sd
        Of raters, kind or strict, and of clips, good or bad.
    slope_sd
        Of how much better condition b is to a rater.
    level
        Of condition a.
    thresholds
        Between the points of the scale.
    """

    name: str
    raters: int
    clips: int
    raters_per_clip: int
    rater_sd: float = 1.0
    clip_sd: float = 1.0
    slope_sd: float = 0.0
    level: float = 0.0
    thresholds: tuple[float, ...] = (-2.5, -0.8, 0.8, 2.5)

    def mean(self, condition: str, shift: float) -> float:
        """Return the true mean rating of a condition, over raters and clips; b is better by `shift`."""
        second = condition == CONDITIONS[1]
        spread = np.sqrt(self.rater_sd**2 + self.clip_sd**2 + second * self.slope_sd**2)
        latent = self.level + second * shift + spread * _NODES
        above = expit(latent[:, None] - np.array(self.thresholds)).sum(axis=1)
        return float(1 + _WEIGHTS @ above / _WEIGHTS.sum())

    def intraclass(self) -> tuple[float, float]:
        """Return the true ICC(2) and ICC(3) of ratings of one condition, of raters without differences of their own."""
        weights = _WEIGHTS / _WEIGHTS.sum()
        latent = self.level + self.clip_sd * _NODES[:, None] + self.rater_sd * _NODES
        above = expit(latent[..., None] - np.array(self.thresholds))
        expected = above.sum(axis=-1)
        # The square of a count is the sum of (2 k - 1) over what is above point k.
        square = weights @ (above @ (2 * np.arange(len(self.thresholds)) + 1.0)) @ weights
        total = square - (weights @ expected @ weights) ** 2
        clips, raters = (_variance(means, weights) for means in (expected @ weights, weights @ expected))
        return float(clips / total), float(clips / (total - raters))

    def alpha(self, rater_effects: np.ndarray) -> float:
        """Return Krippendorff's alpha (interval) of very many clips of one condition that these raters all rate."""
        weights = _WEIGHTS / _WEIGHTS.sum()
        latent = self.level + self.clip_sd * _NODES[:, None] + rater_effects
        above = expit(latent[..., None] - np.array(self.thresholds))
        expected, square = above.sum(axis=-1), weights @ (above @ (2 * np.arange(len(self.thresholds)) + 1.0))
        means, products = weights @ expected, expected.T @ (weights[:, None] * expected)
        others = ~np.eye(len(rater_effects), dtype=bool)
        squares = square[:, None] + square
        return float(1 - np.mean((squares - 2 * products)[others]) / np.mean(squares - 2 * np.outer(means, means)))

    def draw(self, generator: np.random.Generator, shift: float) -> pd.DataFrame:
        """Draw the answers of new raters to new clips: `rater, clip, condition, rating, rater_effect, clip_effect`."""
        count = 2 * self.clips
        clip = np.repeat(np.arange(count), self.raters_per_clip)
        # Dealt in turn from a shuffled deck: every rater hears as many clips as any other, one more or less.
        deck = generator.permutation(self.raters)
        order = generator.permutation(count)
        rater = deck[
            (order[clip] * self.raters_per_clip + np.tile(np.arange(self.raters_per_clip), count)) % self.raters
        ]
        second = (clip >= self.clips).astype(float)
        own = generator.normal(0, self.slope_sd, self.raters) if self.slope_sd else np.zeros(self.raters)
        rater_effect = generator.normal(0, self.rater_sd, self.raters)[rater]
        clip_effect = generator.normal(0, self.clip_sd, count)[clip]
        latent = self.level + second * (shift + own[rater]) + rater_effect + clip_effect
        latent += generator.logistic(size=len(clip))
        return pd.DataFrame(
            {
                "rater": [f"r{number}" for number in rater],
                "clip": [f"c{number}" for number in clip],
                "condition": np.array(CONDITIONS, dtype=object)[second.astype(int)],
                "rating": 1.0 + np.searchsorted(np.array(self.thresholds), latent),
                "rater_effect": rater_effect,
                "clip_effect": clip_effect,
            }
        )


def _variance(values: np.ndarray, weights: np.ndarray) -> float:
    return float(weights @ values**2 - (weights @ values) ** 2)
