"""Simulated formant tracks of words said by all speakers, repeatedly: the shape of a published tutorial's last model.

Two varieties, each with its speakers; a word is of one of two categories. Speakers and words are crossed, both with
curves of their own in each category or variety, and every token has its own duration, so that no two rows are alike.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

FORMULA = (
    "y ~ cat.variety + s(point, k = 9) + s(duration) + s(repetition, k = 3) + s(point, by = cat.variety, k = 9) + "
    "ti(point, duration, k = 9) + ti(point, repetition, k = 3) + s(point, by = adjacent, k = 9) + "
    "s(point, speaker, bs = 'fs', m = 1, k = 9) + s(point, speaker, by = cat, bs = 'fs', m = 1, k = 9) + "
    "s(point, word, bs = 'fs', m = 1, k = 9) + s(point, word, by = variety, bs = 'fs', m = 1, k = 9)"
)
# Two crossed factor smooths and nothing else; and the random intercepts of a large table.
SMALL_FORMULA = (
    "y ~ cat + s(point) + s(duration) + s(point, speaker, bs = 'fs', m = 1) + s(point, word, bs = 'fs', m = 1)"
)
INTERCEPTS_FORMULA = "y ~ cat + s(point) + s(duration) + s(speaker, bs = 're') + s(word, bs = 're')"
RHO = 0.6
ROWS, SPEAKERS, WORDS = 30_699, 69, 17


def crossed_series(rows: int = ROWS, speakers: int = SPEAKERS, words: int = WORDS, *, seed: int = 0) -> pd.DataFrame:
    """Return ``token, speaker, word, variety, cat, cat.variety, adjacent, repetition, duration, point, y``.

    Tokens have nine to eleven points, each with AR(1) noise; the last token is cut where there are `rows`.
    """
    generator = np.random.default_rng([seed, rows, speakers, words])
    lengths = generator.integers(9, 12, size=rows // 9 + 1)
    lengths = lengths[: np.searchsorted(np.cumsum(lengths), rows) + 1]
    tokens = len(lengths)
    # Every speaker says all words before the next repetition.
    round_of, cell = np.divmod(np.arange(tokens), speakers * words)
    speaker, word = np.divmod(cell, words)
    duration = np.exp(generator.normal(-2.0, 0.35, tokens) + generator.normal(0, 0.15, speakers)[speaker])
    adjacent = generator.integers(0, 3, tokens)
    repetition = round_of + 1
    variety, category = speaker % 2, word % 2
    token = np.repeat(np.arange(tokens), lengths)[:rows]
    first = np.cumsum(lengths) - lengths
    step = np.arange(rows) - first[token]
    point = step / (lengths[token] - 1)
    waves = np.cos(np.pi * np.outer(point, np.arange(5))) / (1 + np.arange(5)) ** 1.5
    own = {
        "speaker": 0.6 * generator.standard_normal((speakers, 5)),
        "of category": 0.25 * generator.standard_normal((2 * speakers, 5)),
        "word": 0.5 * generator.standard_normal((words, 5)),
        "of variety": 0.2 * generator.standard_normal((2 * words, 5)),
        "common": 0.5 * generator.standard_normal((4, 5)),
        "adjacent": 0.2 * generator.standard_normal((3, 5)),
    }
    curves = (
        own["speaker"][speaker] + own["of category"][2 * speaker + category] + own["word"][word]
        + own["of variety"][2 * word + variety] + own["common"][2 * variety + category] + own["adjacent"][adjacent]
    )  # fmt: skip
    noise = generator.standard_normal(rows)
    begins = step == 0
    noise[~begins] *= np.sqrt(1 - RHO**2)
    for row in np.flatnonzero(~begins):
        noise[row] += RHO * noise[row - 1]
    shift = 0.8 * np.log(duration)[token] * (1 + np.sin(3 * point)) - 0.1 * repetition[token]
    names = {"cat": np.array(["open", "close"])[category], "variety": np.array(["north", "south"])[variety]}
    return pd.DataFrame(
        {
            "token": np.array([f"t{number:05d}" for number in range(tokens)])[token],
            "speaker": np.array([f"s{number:03d}" for number in range(speakers)])[speaker[token]],
            "word": np.array([f"w{number:03d}" for number in range(words)])[word[token]],
            "variety": names["variety"][token],
            "cat": names["cat"][token],
            "cat.variety": np.char.add(np.char.add(names["cat"], "."), names["variety"])[token],
            "adjacent": np.array(["labial", "coronal", "velar"])[adjacent[token]],
            "repetition": repetition[token],
            "duration": duration[token].round(4),
            "point": point.round(6),
            "y": np.sum(waves * curves[token], axis=1) + shift + 0.4 * noise,
        }
    )
