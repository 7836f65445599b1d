"""Speech of noise and tones, and small networks, for tests that run where little else is installed."""

import numpy as np
import pandas as pd
from torch import nn

from layerstats.corpora import Clips, Corpus
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import phones_table
from layerstats.models import seeded

RATE_HZ = 8000
WORDS = ("high", "low")


def clips(tokens=20, samples=1024, seed=0):
    """Two words, an octave apart and in noise, by speakers of both sides."""
    random = np.random.default_rng(seed)
    names = [f"t{index:03d}" for index in range(tokens)]
    time = np.arange(600) / RATE_HZ
    audio = {}
    for index, name in enumerate(names):
        wave = np.sin(2 * np.pi * random.uniform(200, 300) * 4 ** (index % 2) * time) + random.normal(0, 0.2, 600)
        audio[name] = (6000 * wave).astype(np.int16)
    frame = pd.DataFrame(
        {
            "token": names,
            "word": [WORDS[index % 2] for index in range(tokens)],
            "speaker": [f"s{index // 2 % 5}" for index in range(tokens)],
            "split": ["test" if index // 2 % 5 == 0 else "train" for index in range(tokens)],
            "duration_s": 600 / RATE_HZ,
        }
    )
    phones = phones_table(pd.DataFrame({"token": names, "label": "a", "onset_s": 0.0, "offset_s": 0.05}))
    return Clips(Corpus("tones", frame, phones, RATE_HZ, MemoryAudio(audio)), rate_hz=RATE_HZ, samples=samples)


class Classifier(nn.Module):
    """Convolutions, a norm, a recurrent layer and two outputs; layers by name."""

    def __init__(self, seed=0):
        super().__init__()
        with seeded(seed):
            self.conv1 = nn.Conv1d(1, 16, 25, stride=4, padding=12)
            self.conv2 = nn.Sequential(nn.Conv1d(16, 32, 9, stride=4, padding=4), nn.BatchNorm1d(32))
            self.act = nn.ReLU(inplace=True)
            self.rnn = nn.LSTM(32, 24, batch_first=True)
            self.out = nn.Linear(24, len(WORDS))

    def forward(self, waveforms):
        hidden = self.act(self.conv2(self.conv1(waveforms[:, None])))
        return self.out(self.rnn(hidden.mT)[0].mean(1))


LAYERS = ["conv1", "conv2", "act", "rnn"]
