"""What the numbers of a mel spectrogram mean: frequencies, seconds and decibels, from the settings of its front end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from layerstats.errors import DataError

# Slaney's scale: 200 / 3 Hz a mel up to 1000 Hz, from there 27 mels for a factor of 6.4 (Auditory Toolbox, 1998).
_LINEAR_HZ, _BREAK_HZ, _LOG_STEP = 200 / 3, 1000.0, np.log(6.4) / 27
_NEEDED = ("rate_hz", "hop", "mels", "low_hz", "high_hz", "reference_db", "range_db")


@dataclass(frozen=True)
class MelSettings:
    """Settings of a mel front end, as far as measures need them.

    Features are ``(20 log10(magnitude) - reference_db + range_db) / range_db``, cut off at 0 and 1.

    Examples
    --------
    >>> settings = MelSettings(22050, 256, 80, 125.0, 7600.0, 20.0, 100.0)
    >>> settings.centres_hz[[0, -1]].round(), round(settings.hop_s, 4)
    (array([ 160., 7330.]), 0.0116)
    """

    rate_hz: float
    hop: int
    mels: int
    low_hz: float
    high_hz: float
    reference_db: float
    range_db: float

    @classmethod
    def read(cls, attrs: Mapping[str, object], what: str) -> MelSettings:
        """Read the settings that a recording or an outcome set has under `front_end`, as JSON text.

        Raises
        ------
        DataError
            There are none, or one is missing.
        """
        text = attrs.get("front_end")
        if not isinstance(text, str) or not text:
            raise DataError(
                f"{what} does not say which front end its features are of (the attribute 'front_end'), so that they "
                "have no frequencies. Record it with layerstats.probes.record_heard, from a network with a mel front "
                "end."
            )
        settings = json.loads(text)
        missing = [name for name in _NEEDED if name not in settings]
        if missing:
            raise DataError(
                f"The front end of {what} lacks {', '.join(map(repr, missing))}; it has {sorted(settings)}."
            )
        return cls(**{name: settings[name] for name in _NEEDED})

    @property
    def hop_s(self) -> float:
        """Seconds from one frame to the next."""
        return self.hop / self.rate_hz

    @cached_property
    def edges_hz(self) -> np.ndarray:
        """Where the triangular bands begin, peak and end, (mel + 2,), in Hz."""
        low, high = hz_to_mel(np.array([self.low_hz, self.high_hz]))
        return mel_to_hz(np.linspace(low, high, self.mels + 2))

    @property
    def centres_hz(self) -> np.ndarray:
        """Centres of the bands, (mel,), in Hz."""
        return self.edges_hz[1:-1]

    @property
    def widths_hz(self) -> np.ndarray:
        """Widths of the bands at half their height, (mel,), in Hz."""
        return (self.edges_hz[2:] - self.edges_hz[:-2]) / 2

    def power(self, features: np.ndarray) -> np.ndarray:
        """Return squared magnitudes of features in [0, 1], of any shape."""
        return 10 ** ((features.astype(float) * self.range_db - self.range_db + self.reference_db) / 10)


def hz_to_mel(hz: np.ndarray) -> np.ndarray:
    """Return Slaney's mels of frequencies in Hz.

    Examples
    --------
    >>> hz_to_mel(np.array([200.0, 1000.0, 6400.0]))
    array([ 3., 15., 42.])
    """
    bent = np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.minimum(hz, _BREAK_HZ) / _LINEAR_HZ + bent


def mel_to_hz(mel: np.ndarray) -> np.ndarray:
    """Return frequencies in Hz of Slaney's mels.

    Examples
    --------
    >>> mel_to_hz(np.array([3.0, 15.0, 42.0])).round(6)
    array([ 200., 1000., 6400.])
    """
    bend = _BREAK_HZ / _LINEAR_HZ
    return np.minimum(mel, bend) * _LINEAR_HZ * np.exp(_LOG_STEP * np.maximum(mel - bend, 0))
