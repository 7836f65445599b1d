"""Damage that leaves a sound file readable: bytes lost on the way, after which its samples are noise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.checks import check_positive
from layerstats.corpora.corpus import Corpus
from layerstats.errors import AudioError

FRAME_S = 0.020
# 16-bit samples read a byte off are uniform over the whole range: root mean square 1/sqrt(3) = 0.577, neighbours
# uncorrelated. Speech that loud is clipped vowels, whose neighbours are not.
LOUDEST = 0.5
CORRELATION = 0.3
FRAMES = 2


def noise_onset(samples: np.ndarray, rate_hz: int) -> float | None:
    """Where a signal turns into noise at full scale, as it does after a lost byte.

    Two neighbouring frames of 20 ms must have a root mean square above half of full scale and a correlation of
    neighbouring samples below 0.3.

    Parameters
    ----------
    samples : ndarray
        (sample,), in [-1, 1], as in the file: not normalised.
    rate_hz : int
        Sampling rate, in Hz.

    Returns
    -------
    float or None
        Onset of the noise in seconds; None where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> tone = 0.9 * np.sin(np.arange(16000) / 10)
    >>> noise_onset(tone, 16000) is None
    True
    >>> noise_onset(np.append(tone, np.random.default_rng(0).uniform(-1, 1, 8000)), 16000)
    1.0
    """
    check_positive("rate_hz", rate_hz)
    length = max(round(FRAME_S * rate_hz), 2)
    frames = samples[: len(samples) // length * length].reshape(-1, length).astype(np.float64)
    centred = frames - frames.mean(axis=1, keepdims=True)
    energy = np.maximum((centred**2).sum(axis=1), np.finfo(float).tiny)
    correlation = (centred[:, 1:] * centred[:, :-1]).sum(axis=1) / energy
    noise = (np.sqrt((frames**2).mean(axis=1)) > LOUDEST) & (np.abs(correlation) < CORRELATION)
    runs = np.flatnonzero(noise[: len(noise) - FRAMES + 1] & noise[FRAMES - 1 :])
    return float(runs[0] * length / rate_hz) if len(runs) else None


def find_damage(corpus: Corpus) -> pd.DataFrame:
    """Tokens whose audio turns into noise at full scale; every token's audio is read.

    Returns
    -------
    DataFrame
        `token, word, speaker, noise_onset_s`, the onset in seconds from the token's own; no rows where all is well.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> len(find_damage(demo_corpus(words=["ask"], voices=4)))
    0
    """
    table = corpus.tokens[["token", "word", "speaker"]]
    onsets = [noise_onset(corpus.audio(token), corpus.rate_hz) for token in table["token"]]
    found = table.assign(noise_onset_s=np.array(onsets, dtype=float))
    return found.dropna(subset="noise_onset_s").reset_index(drop=True)


def refuse_damage(samples: np.ndarray, rate_hz: int, token: str) -> None:
    """Raise `AudioError` where a token's audio turns into noise at full scale."""
    onset = noise_onset(samples, rate_hz)
    if onset is not None:
        raise AudioError(
            f"The audio of token {token!r} is noise at full scale from {onset:.2f} s on, as where bytes of the file "
            "were lost. Replace the file, leave them out with damaged='skip' (find_damage(corpus) lists them), or take "
            "them as they are with damaged='keep'."
        )
