"""Tones that are told apart over headphones, and hardly over loudspeakers."""

from __future__ import annotations

import io
import wave
from itertools import permutations

import numpy as np

RATE_HZ = 16000
PITCH_HZ = 200
TONE_S, RAMP_S, SILENCE_S = 1.0, 0.1, 0.5
QUIETER_DB = 6.0
LEVEL = 0.25
# Right answers that pass, of the trials there are, and how often it may be tried.
NEEDED, ATTEMPTS = 5, 2
KINDS = ("quiet", "in phase", "antiphase")


def headphone_trials() -> list[tuple[np.ndarray, int]]:
    """Make the trials of the headphone check of Woods et al. (2017).

    Each plays three tones of 200 Hz, of which one is 6 dB quieter and another in opposite phase in the two channels.
    Which is the quietest? Over loudspeakers the opposite phases cancel in the air, so that the wrong tone
    seems quiet.

    Returns
    -------
    list of (ndarray, int)
        Six trials, one an order of the tones: samples (sample, channel) between -1 and 1 at `RATE_HZ`, and which tone
        is the quietest, from 1.

    References
    ----------
    .. [1] Woods, K. J. P., Siegel, M. H., Traer, J., & McDermott, J. H. (2017). Headphone screening to facilitate
       web-based auditory experiments. Attention, Perception, & Psychophysics, 79, 2064-2072.

    Examples
    --------
    >>> [quietest for _, quietest in headphone_trials()]
    [1, 1, 2, 3, 2, 3]
    """
    return [(_trial(order), order.index("quiet") + 1) for order in permutations(KINDS)]


def _trial(order: tuple[str, ...]) -> np.ndarray:
    time_s = np.arange(round(TONE_S * RATE_HZ)) / RATE_HZ
    ramp = np.sin(np.pi / 2 * np.clip(np.minimum(time_s, TONE_S - time_s) / RAMP_S, 0, 1)) ** 2
    tone = LEVEL * ramp * np.sin(2 * np.pi * PITCH_HZ * time_s)
    channels = {
        "quiet": (10 ** (-QUIETER_DB / 20), 10 ** (-QUIETER_DB / 20)),
        "in phase": (1.0, 1.0),
        "antiphase": (1.0, -1.0),
    }
    silence = np.zeros((round(SILENCE_S * RATE_HZ), 2))
    parts = [silence]
    for kind in order:
        parts += [tone[:, None] * channels[kind], silence]
    return np.concatenate(parts)


def wav_bytes(samples: np.ndarray, rate_hz: int) -> bytes:
    """Return samples (sample, channel) between -1 and 1 as the bytes of a 16-bit WAV file."""
    values = np.rint(samples * 32767).astype("<i2")
    opened = io.BytesIO()
    with wave.open(opened, "wb") as sound:
        sound.setnchannels(samples.shape[1])
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes(values.tobytes())
    return opened.getvalue()
