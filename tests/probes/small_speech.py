"""A corpus of seeded noise and two small networks, for tests and for the processes that tests start."""

import numpy as np
import pandas as pd
import torch
from torch import nn

from layerstats.corpora import Clips, Corpus
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import phones_table

RATE_HZ = 8000


def small_clips(tokens=10, samples=1024, seed=0):
    """Clips of noise bursts, each of one phone, by three speakers."""
    random = np.random.default_rng(seed)
    names = [f"t{index:03d}" for index in range(tokens)]
    lengths = random.integers(samples // 4, samples // 2, tokens)
    audio = {
        name: (random.normal(0, 4000, length)).astype(np.int16) for name, length in zip(names, lengths, strict=True)
    }
    durations = lengths / RATE_HZ
    frame = pd.DataFrame(
        {
            "token": names,
            "word": [("ask", "wash")[index % 2] for index in range(tokens)],
            "speaker": [f"s{index % 3}" for index in range(tokens)],
            "split": ["test" if index % 3 == 0 else "train" for index in range(tokens)],
            "duration_s": durations,
        }
    )
    phones = phones_table(pd.DataFrame({"token": names, "label": "s", "onset_s": 0.0, "offset_s": durations}))
    return Clips(Corpus("noise", frame, phones, RATE_HZ, MemoryAudio(audio)), rate_hz=RATE_HZ, samples=samples)


def small_network(seed=0):
    """Two strided convolutions; takes (token, sample)."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Unflatten(1, (1, -1)),
            nn.Conv1d(1, 4, 9, stride=2, padding=4),
            nn.LeakyReLU(0.1),
            nn.Conv1d(4, 6, 5, stride=2),
            nn.BatchNorm1d(6),
            nn.ReLU(inplace=True),
        )
