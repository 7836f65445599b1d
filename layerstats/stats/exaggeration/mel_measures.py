"""What a phonetician measures, taken from mel spectrograms: levels of bands, centre of gravity, duration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from layerstats.errors import DataError
from layerstats.stats.exaggeration.mel_settings import MelSettings

# In Hz. First, second and third formants of vowels (Peterson & Barney 1952, men to children), and friction above them.
BANDS = {
    "F1 band": (200.0, 1000.0),
    "F2 band": (1000.0, 2500.0),
    "F3 band": (2500.0, 3800.0),
    "friction band": (3800.0, 7600.0),
}
LEVEL, GRAVITY, DURATION = "level", "centre of gravity", "duration"
UNITS = {LEVEL: "dB", GRAVITY: "Hz", DURATION: "s", **dict.fromkeys(BANDS, "dB")}
# Bands of equal width in mel, for trajectories of the whole spectrum.
TRAJECTORIES = 8
# Speech is where a frame is less than this softer than the loudest, and louder by it than silence is.
_SOFT_DB, _ABOVE_SILENCE_DB = 30.0, 6.0
# A frame that is as soft weighs as much as the centre of gravity of the whole in its own.
_FAINT_DB = 40.0


@dataclass(frozen=True, eq=False)
class MelMeasures:
    """Measures of items.

    Attributes
    ----------
    series
        By measure, (item, time): decibels, of the centre of gravity Hz.
    first, last
        (item,) the first and the last frame that is speech.
    duration_s
        (item,) seconds from the first to the end of the last frame that is speech.
    settings
        Of the front end.
    """

    series: Mapping[str, np.ndarray]
    first: np.ndarray
    last: np.ndarray
    duration_s: np.ndarray
    settings: MelSettings

    def window(self, name: str, start: float, end: float) -> np.ndarray:
        """Return the mean of a measure over a share of each item's speech, (item,); of levels in mean decibels.

        Parameters
        ----------
        name
            A measure of `series`.
        start, end
            Shares of the stretch of speech, 0 its beginning and 1 its end; at least one frame is taken.
        """
        values, length = self.series[name], self.last - self.first + 1
        begin = self.first + np.minimum(np.floor(start * length), length - 1).astype(int)
        stop = np.maximum(self.first + np.ceil(end * length).astype(int), begin + 1)
        frames = np.arange(values.shape[1])
        inside = (frames >= begin[:, None]) & (frames < stop[:, None])
        return (values * inside).sum(axis=1) / inside.sum(axis=1)


def mel_measures(features: np.ndarray, settings: MelSettings, trajectories: int = TRAJECTORIES) -> MelMeasures:
    """Measure mel spectrograms.

    - *level*: of the whole frame, the power in all bands, in dB.
    - *F1 band*, *F2 band*, *F3 band*, *friction band*: the power between 200, 1000, 2500, 3800 and 7600 Hz, in dB.
    - *mel 125-331 Hz* and so on: the mean of the features in as many bands of equal width in mel, in dB.
    - *centre of gravity*: the mean frequency, weighted by power, in Hz. What a frame says counts by how far it is above
      40 dB below the loudest one; in silence it goes to the centre of gravity of the whole item, so that it is there in
      every frame and silence makes no differences.
    - *duration* of speech: from the first to the last frame that is less than 30 dB softer than the loudest.

    Powers are sums over bands of squared magnitude times the width of the band, so that they do not depend on how bands
    are spaced.

    Parameters
    ----------
    features
        (item, time, mel), in [0, 1].
    settings
        Of the front end that they are of.
    trajectories
        Number of the bands of equal width.

    Raises
    ------
    DataError
        The features have another shape than the settings say, or hold NaN.

    Examples
    --------
    >>> features = np.zeros((1, 90, 80))
    >>> features[:, 20:60, 10] = 0.8
    >>> measures = mel_measures(features, MelSettings(22050, 256, 80, 125.0, 7600.0, 20.0, 100.0))
    >>> int(measures.first[0]), int(measures.last[0]), round(float(measures.series["centre of gravity"][0, 30]))
    (20, 59, 511)
    """
    features = np.asarray(features, dtype=float)
    if features.ndim != 3 or features.shape[2] != settings.mels:
        raise DataError(
            f"Features of this front end are (item, time, {settings.mels}), but got the shape {features.shape}."
        )
    bad = np.atleast_1d(~np.isfinite(features).all(axis=(1, 2)))
    if bad.any():
        raise DataError(f"The features of {int(bad.sum())} of {len(bad)} items hold NaN, first of item {bad.argmax()}.")
    # Maximization without a prior leaves the range that the front end gives.
    features = features.clip(0, 1)
    power = settings.power(features) * settings.widths_hz
    centres = settings.centres_hz
    series = {LEVEL: _decibels(power.sum(axis=2))}
    for name, (low, high) in BANDS.items():
        inside = (centres >= low) & (centres < high)
        series[name] = _decibels(power[:, :, inside].sum(axis=2))
    series[GRAVITY] = _gravity(power, centres, series[LEVEL])
    for places in np.array_split(np.arange(settings.mels), trajectories):
        ends = settings.edges_hz[[places[0], places[-1] + 2]].round().astype(int)
        series[f"mel {ends[0]}-{ends[1]} Hz"] = features[:, :, places].mean(axis=2) * settings.range_db
    speech = _speech(series[LEVEL], settings)
    first = speech.argmax(axis=1)
    last = speech.shape[1] - 1 - speech[:, ::-1].argmax(axis=1)
    duration = np.where(speech.any(axis=1), (last - first + 1) * settings.hop_s, 0.0)
    return MelMeasures(series, first, last, duration, settings)


def _speech(level: np.ndarray, settings: MelSettings) -> np.ndarray:
    """Return which frames are speech, (item, time)."""
    silence = _decibels((settings.power(np.zeros(settings.mels)) * settings.widths_hz).sum())
    return (level > level.max(axis=1, keepdims=True) - _SOFT_DB) & (level > silence + _ABOVE_SILENCE_DB)


def _gravity(power: np.ndarray, centres: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return the centre of gravity of each frame, drawn to that of the item where the frame is faint."""
    whole = power.sum(axis=1)
    own = (whole @ centres) / whole.sum(axis=1)
    faint = 10 ** ((level.max(axis=1) - _FAINT_DB) / 10)
    return (power @ centres + (faint * own)[:, None]) / (power.sum(axis=2) + faint[:, None])


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(power)
