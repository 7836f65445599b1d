"""Simulated series of eight words: a curve for each word, a smooth deviation for each token, AR(1) noise."""

from __future__ import annotations

import numpy as np
import pandas as pd

FORMULA = "value ~ word + s(sample{k}) + s(sample, by = word_ordered{k}) + s(sample, token, bs = 'fs', m = 1{k})"
# Two words by every speaker; curves of speakers, of each speaker's words, and of tokens.
SPEAKER_FORMULA = (
    "value ~ word + s(sample) + s(sample, by = word_ordered) + s(sample, speaker, bs = 'fs', m = 1, k = 6) + "
    "s(sample, speaker, by = word, bs = 'fs', m = 1, k = 6) + s(sample, token, bs = 'fs', m = 1, k = 9)"
)
TOKENS_OF_SPEAKER = 10
RHO = 0.5
WORDS = ("ask", "carry", "dark", "greasy", "oily", "suit", "wash", "water")


def formula(basis: int | None = None) -> str:
    """Return the model of the published table: difference smooths of words and a factor smooth of tokens."""
    return FORMULA.format(k="" if basis is None else f", k = {basis}")


def word_series(tokens: int, samples: int, *, missing: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Return ``token, word, sample, value`` of `tokens` series; each sample is absent with probability `missing`."""
    generator = np.random.default_rng([seed, tokens, samples])
    place = np.linspace(0, 1, samples)
    kind = generator.permutation(np.arange(tokens) % len(WORDS))
    hills = np.exp(-(((place - 0.35) / 0.2) ** 2)) + np.outer(np.linspace(-0.5, 0.5, len(WORDS)), np.sin(5 * place))
    # Half of the words share one curve, so that some difference smooths have nothing to find.
    curves = np.where(np.arange(len(WORDS))[:, None] % 2 == 0, hills, hills[1])
    waves = np.cos(np.pi * np.outer(np.arange(6), place)) / (1 + np.arange(6))[:, None]
    deviations = 0.5 * generator.standard_normal((tokens, 6)) @ waves
    noise = generator.standard_normal((tokens, samples))
    noise[:, 1:] *= np.sqrt(1 - RHO**2)
    for sample in range(1, samples):
        noise[:, sample] += RHO * noise[:, sample - 1]
    frame = pd.DataFrame(
        {
            "token": np.repeat([f"t{number:05d}" for number in range(tokens)], samples),
            "word": np.repeat(np.array(WORDS)[kind], samples),
            "sample": np.tile(np.arange(samples), tokens),
            "value": (curves[kind] + deviations + 0.3 * noise).ravel(),
        }
    )
    return frame[generator.random(len(frame)) >= missing].reset_index(drop=True)


def speaker_series(speakers: int, samples: int, *, missing: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Return ``token, word, sample, value, speaker`` of ten tokens a speaker, five of each of two words."""
    frame = word_series(speakers * TOKENS_OF_SPEAKER, samples, missing=missing, seed=seed)
    generator = np.random.default_rng([seed, speakers])
    token = frame["token"].str[1:].astype(int).to_numpy()
    speaker, word = token // TOKENS_OF_SPEAKER, token % 2
    waves = np.cos(np.pi * np.outer(np.arange(6), np.linspace(0, 1, samples))) / (1 + np.arange(6))[:, None]
    own = 0.4 * generator.standard_normal((speakers, 6)) @ waves
    of_word = 0.2 * generator.standard_normal((2 * speakers, 6)) @ waves
    sample = frame["sample"].to_numpy()
    return frame.assign(
        speaker=[f"s{number:05d}" for number in speaker],
        word=np.array(WORDS)[word],
        value=frame["value"] + own[speaker, sample] + of_word[2 * speaker + word, sample],
    )
