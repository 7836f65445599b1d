"""Mel spectrograms that look like words, of natural speakers and of starts, in a store."""

import json

import numpy as np
import pandas as pd
import pytest

from layerstats.store import open_store, store_arrays

FRONT_END = {
    "rate_hz": 22050,
    "samples": 22050,
    "n_fft": 1024,
    "hop": 256,
    "mels": 80,
    "low_hz": 125.0,
    "high_hz": 7600.0,
    "frames": 90,
    "peak": 0.999,
    "smallest": 1e-5,
    "reference_db": 20.0,
    "range_db": 100.0,
}


def spectrogram(rng, spread=1.0):
    """Two formants under an envelope, somewhere in the clip, (time, mel)."""
    time, mel = np.arange(90)[:, None], np.arange(80)[None]
    onset, lasts = rng.integers(5, 15), rng.integers(35, 50)
    envelope = 1 / (1 + np.exp(-(time - onset) / 2)) / (1 + np.exp((time - onset - lasts) / 2))
    first, second = 12 + 3 * spread * rng.normal(), 35 + 5 * spread * rng.normal()
    peaks = 0.3 * np.exp(-(((mel - first) / 4) ** 2)) + 0.25 * np.exp(-(((mel - second) / 5) ** 2))
    return envelope * (0.45 + peaks) * (1 + 0.05 * spread * rng.normal()) + 0.02 * rng.normal(size=(90, 80))


def hiss(features, by):
    """Add energy to the upper bands where there is speech."""
    louder = features.copy()
    louder[:, 60:] += by * (louder[:, 60:] > 0.2)
    return louder


@pytest.fixture
def world(tmp_path):
    """Make a store of natural and maximized items, whose upper bands differ by `by`."""

    def make(by=0.0, speakers=8, starts=8, words=("yes", "no"), paired=False, seed=0, change=None, attrs=None):
        rng = np.random.default_rng(seed)
        rows, features = [], []
        for word in words:
            natural = [spectrogram(rng) for _ in range(speakers)]
            names = [f"{word}_{number}" for number in range(speakers)]
            rows += [(name, word, f"p{n}", "test", "natural", name) for n, name in enumerate(names)]
            features += natural
            for number in range(starts):
                name = f"{word}_start_{number}"
                made = natural[number] + 0.02 * rng.normal(size=(90, 80)) if paired else spectrogram(rng)
                who, pair = (f"p{number}", names[number]) if paired else (name, name)
                rows.append((name, word, who, "", "maximized", pair))
                features.append(hiss(made, by))
        tokens = pd.DataFrame(rows, columns=["token", "word", "speaker", "split", "condition", "pair"])
        values = np.clip(np.array(features), 0, 1)
        if change is not None:
            tokens, values = change(tokens, values)
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.zarr"
        store_arrays(
            path,
            tokens,
            {"features": values.transpose(0, 2, 1)},
            time_s={"features": np.arange(values.shape[1]) * 256 / 22050},
            attrs={"front_end": json.dumps(FRONT_END)} if attrs is None else attrs,
        )
        return open_store(path)

    return make
