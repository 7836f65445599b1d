"""Maps with known truth: how much of them lies inside phones, and how alike two of them are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

SAMPLES = 206
# Samples that phones have, all equally often: 32 to 160 ms of a map with a value each 8 ms.
LENGTHS = np.arange(4, 21)
# Share of a map that is put inside its phone where there is something to find, and how speakers differ in it.
INSIDE, INSIDE_SD = 0.15, 0.06
# Correlation of two maps of one input beyond what all maps have in common, and how speakers differ in it.
ALIKE, ALIKE_SD = 0.3, 0.15
_PIXELS = 200
# Samples that the centres of speakers' maps lie apart.
_CENTRE_SD = 8


@dataclass(frozen=True)
class MapWorld:
    """How maps of windows are made.

    Parameters
    ----------
    name
        In tables.
    speakers, windows
        How many, and how many of each speaker on average; speakers have from half to one and a half times as many.
    lag
        Where maps are large, apart from their phones: "anywhere" (noise), "speaker" (at a lag from the centre that is a
        speaker's own, anywhere in the window) or "centre" (about the centre, as those of networks are).
    """

    name: str
    speakers: int
    windows: int
    lag: str = "anywhere"

    @property
    def share_by_chance(self) -> float:
        """The share inside phones, and of hits, that maps have on average that have nothing to do with them."""
        return float(LENGTHS.mean()) / SAMPLES if self.lag != "centre" else np.nan

    def expected_share(self, inside: float) -> float:
        """Return the share inside phones in the population of speakers, where `inside` is put there on average."""
        return inside + (1 - inside) * self.share_by_chance

    def draw(self, generator: np.random.Generator, inside: float = 0.0) -> tuple[np.ndarray, pd.DataFrame]:
        """Return maps, (window, sample), and their units as `speaker_shares` takes them, with `speaker`."""
        counts = generator.integers(-(-self.windows // 2), self.windows + self.windows // 2 + 1, self.speakers)
        speaker = np.repeat(np.arange(self.speakers), counts)
        length = generator.choice(LENGTHS, len(speaker))
        # The centre lies anywhere in its phone.
        first = SAMPLES // 2 - generator.integers(0, length)
        place = np.arange(SAMPLES)
        values = generator.gamma(0.5, size=(len(speaker), SAMPLES))
        if self.lag == "speaker":
            peak = generator.integers(0, SAMPLES, self.speakers)[speaker]
            # Round the window, so that no place is more likely than another.
            away = np.minimum((place - peak[:, None]) % SAMPLES, (peak[:, None] - place) % SAMPLES)
            values *= 0.2 + 5 * np.exp(-((away / 8) ** 2))
        elif self.lag == "centre":
            centre = SAMPLES // 2 + generator.normal(0, _CENTRE_SD, self.speakers)[speaker]
            values *= np.exp(-(((place - centre[:, None]) / 25) ** 2))
        values /= values.sum(axis=1, keepdims=True)
        if inside > 0:
            own = np.clip(generator.normal(inside, INSIDE_SD, self.speakers), 0, 2 * inside)[speaker]
            in_phone = (place >= first[:, None]) & (place < (first + length)[:, None])
            values = (1 - own[:, None]) * values + own[:, None] * in_phone / length[:, None]
        units = pd.DataFrame({"speaker": speaker, "map": np.arange(len(speaker)), "first": first})
        return values, units.assign(last=first + length, low=0, high=SAMPLES)

    def draw_pairs(
        self, generator: np.random.Generator, alike: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
        """Return maps of two rules, (window, pixel), and their tokens.

        Half of the variance of all maps is one pattern, that of the receptive field; of the rest, the share `alike` on
        average is what two maps of one input have in common.
        """
        counts = generator.integers(-(-self.windows // 2), self.windows + self.windows // 2 + 1, self.speakers)
        speaker = np.repeat(np.arange(self.speakers), counts)
        own = np.clip(generator.normal(alike, ALIKE_SD, self.speakers), 0, 2 * alike)[speaker, None]
        pattern, common, *rest = generator.standard_normal((4, len(speaker), _PIXELS))
        pattern = pattern[:1]
        maps = [np.sqrt(0.5) * (pattern + np.sqrt(own) * common + np.sqrt(1 - own) * noise) for noise in rest]
        names = speaker.astype(str)
        tokens = pd.DataFrame({"token": np.arange(len(speaker)).astype(str), "speaker": names})
        return maps[0], maps[1], tokens
