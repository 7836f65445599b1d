"""Words that are tones, for tests of training."""

import numpy as np
import pandas as pd

from layerstats.corpora import Clips, Corpus
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import phones_table

RATE_HZ = 8000


def tones(words=("high", "low"), speakers=8, split=True, repetitions=2):
    """Words that are tones: each speaker has a pitch of their own, and a word is an octave."""
    random = np.random.default_rng(0)
    rows, audio = [], {}
    for speaker in range(speakers):
        for number, word in enumerate(words):
            for repetition in range(repetitions):
                name = f"{word}-{speaker}-{repetition}"
                pitch = random.uniform(200, 300) * 4**number
                wave = np.sin(2 * np.pi * pitch * np.arange(600) / RATE_HZ) + random.normal(0, 0.05, 600)
                audio[name] = (8000 * wave).astype(np.int16)
                side = "test" if split and speaker % 4 == 0 else "train"
                rows.append((name, word, f"s{speaker}", side, 600 / RATE_HZ))
    tokens = pd.DataFrame(rows, columns=["token", "word", "speaker", "split", "duration_s"])
    phones = phones_table(pd.DataFrame({"token": tokens["token"], "label": "a", "onset_s": 0.0, "offset_s": 0.05}))
    return Clips(Corpus("tones", tokens, phones, RATE_HZ, MemoryAudio(audio)), rate_hz=RATE_HZ, samples=1024)
