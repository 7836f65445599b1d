"""Audio that cannot be used: bytes lost on the way, after which samples are noise; silence; files that break off."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.checks import check_positive
from layerstats.corpora.audio import check_samples
from layerstats.corpora.corpus import Corpus
from layerstats.errors import AudioError

FRAME_S = 0.020
# 16-bit samples read a byte off are spread evenly over the whole range: root mean square 1/sqrt(3) = 0.577, neighbours
# uncorrelated. Speech that loud is clipped: vowels, whose neighbours correlate, and frication, which piles up at full
# scale. Beyond full scale, or between the codes of integers, are samples that were stored as floating-point numbers.
LOUDEST = 0.5
CORRELATION = 0.3
FRAMES = 2
CODES = 2**31
NEAR_FULL_SCALE, FULL_SCALE = 0.97, 0.9995
LARGEST_PILE = 0.02
# Kolmogorov's distance of magnitudes from an even spread: two critical values of 5 % at 16 kHz in the 33 files of an
# older copy of TIMIT that lost bytes: what is read a byte off is not quite even there.
UNEVEN = 0.08


def noise_onset(samples: np.ndarray, rate_hz: int) -> float | None:
    """Find where a signal turns into noise at full scale, as it does after a lost byte.

    Two neighbouring frames of 20 ms must have a standard deviation above half of full scale, a correlation of
    neighbouring samples below 0.3, and magnitudes that are spread evenly up to full scale without a pile there, as
    those of loud frication are not.

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
    if len(samples) < FRAMES * length or np.abs(samples).max() > 1:
        return None
    frames = samples[: len(samples) // length * length].reshape(-1, length).astype(np.float64)
    centred = frames - frames.mean(axis=1, keepdims=True)
    energy = np.maximum((centred**2).sum(axis=1), np.finfo(float).tiny)
    correlation = (centred[:, 1:] * centred[:, :-1]).sum(axis=1) / energy
    noise = (np.sqrt(energy / length) > LOUDEST) & (np.abs(correlation) < CORRELATION)
    runs = np.flatnonzero(noise[: len(noise) - FRAMES + 1] & noise[FRAMES - 1 :])
    found = (run for run in runs if _is_even(frames[run : run + FRAMES].ravel()))
    onset = next(found, None)
    return None if onset is None else float(onset * length / rate_hz)


def _is_even(samples: np.ndarray) -> bool:
    """Tell whether magnitudes are spread evenly over all of [0, 1], with no pile at full scale."""
    magnitudes = np.sort(np.abs(samples))
    if magnitudes[-1] < NEAR_FULL_SCALE or (magnitudes >= FULL_SCALE).mean() > LARGEST_PILE:
        return False
    count = len(magnitudes)
    ranks = np.arange(count + 1) / count
    distance = max((ranks[1:] - magnitudes).max(), (magnitudes - ranks[:-1]).max())
    return distance < max(UNEVEN, 2 / np.sqrt(count))


def find_damage(corpus: Corpus) -> pd.DataFrame:
    """Find the tokens whose audio cannot be used or turns into noise at full scale; all audio is read.

    Returns
    -------
    DataFrame
        `token, word, speaker, noise_onset_s, reason`: the onset of noise in seconds from the token's own, missing where
        the reason is another: silence, values that are not finite, a file that breaks off. No rows where all is well.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> len(find_damage(demo_corpus(words=["ask"], voices=4)))
    0
    """
    table = corpus.tokens[["token", "word", "speaker"]]
    found = [_damage_of(corpus, token) for token in table["token"]]
    onsets = np.array([np.nan if damage is None else damage[0] for damage in found], dtype=float)
    reasons = pd.Series(["" if damage is None else damage[1] for damage in found], dtype="str", index=table.index)
    damaged = np.array([damage is not None for damage in found], dtype=bool)
    return table.assign(noise_onset_s=onsets, reason=reasons).loc[damaged].reset_index(drop=True)


def _damage_of(corpus: Corpus, token: str) -> tuple[float, str] | None:
    """Return the onset of noise and what is wrong with the audio of a token; None where nothing is."""
    try:
        samples = corpus.audio(token)
        check_samples(samples, f"token {token!r}")
    except AudioError as error:
        return np.nan, str(error)
    return _noise_in(samples, corpus.rate_hz)


def _noise_in(samples: np.ndarray, rate_hz: int) -> tuple[float, str] | None:
    onset = noise_onset(samples, rate_hz)
    if onset is None or not _from_integers(samples):
        return None
    return onset, f"It is noise at full scale from {onset:.2f} s on, as where bytes of the file were lost."


def _from_integers(samples: np.ndarray) -> bool:
    """Tell whether all samples are codes of up to 32 bits: a lost byte turns no other numbers into even noise."""
    codes = samples.astype(np.float64) * CODES
    return bool(np.array_equal(codes, np.rint(codes)))


def refuse_noise(samples: np.ndarray, rate_hz: int, token: str) -> None:
    """Raise `AudioError` where a token's audio turns into noise at full scale."""
    found = _noise_in(samples, rate_hz)
    if found is not None:
        onset, reason = found
        refuse_damage(pd.DataFrame({"token": [token], "noise_onset_s": [onset], "reason": [reason]}), 1)


def refuse_damage(damage: pd.DataFrame, tokens: int) -> None:
    """Raise `AudioError` where a table as of `find_damage` has rows.

    Parameters
    ----------
    damage : DataFrame
        The damaged tokens.
    tokens : int
        How many tokens were looked at.
    """
    if damage.empty:
        return
    first = damage.iloc[0]
    count = "" if len(damage) == 1 else f" ({len(damage)} of {tokens} tokens cannot be used.)"
    only_noise = bool(np.isfinite(damage["noise_onset_s"].to_numpy(dtype=float)).all())
    keep = ", or take them as they are with damaged='keep' (--damaged keep)" if only_noise else ""
    raise AudioError(
        f"The audio of token {first['token']!r} cannot be used: {first['reason']}{count} Replace the files, or leave "
        f"the tokens out with damaged='skip' (--damaged skip; find_damage(corpus) lists them){keep}."
    )
