"""A small store with words, speakers, phones and a second recording; run as a script it makes the archive.

    python tests/store/archive/small_store.py

writes schema_N.zarr.zip beside itself, N being the schema version of the installed package. Do so once, when a schema
version is new, and never again: the archive shows that later packages read what this one wrote.
"""

import shutil
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd

from layerstats.store import shards, store_arrays
from layerstats.store.schema import SCHEMA_VERSION

CREATED = "2026-01-02T03:04:05Z"
WORDS = ["ask", "wash", "dark"]
LABELS = {"ask": ["æ", "s", "k"], "wash": ["w", "ɔ", "ʃ"], "dark": ["d", "ɔ", "k"]}
CLASSES = {"s": "fricative", "ʃ": "fricative", "k": "plosive", "d": "plosive", "w": "approximant"}
SAMPLES = {"conv1": 64, "conv2": 16}


def tidy_tokens(count=12):
    index = np.arange(count)
    return pd.DataFrame(
        {
            "token": [f"tok{number:02d}" for number in index],
            "word": [WORDS[number % 3] for number in index],
            "speaker": [f"s{number // 3}" for number in index],
            "split": np.where(index < count * 3 // 4, "train", "test"),
            "duration_s": 0.3 + 0.01 * index,
            "sex": [None if number == 1 else "fm"[number % 2] for number in index],
            "age": pd.array([None if number == 2 else 20 + number for number in index], dtype="Int64"),
            "rank": index * 2,
            "trimmed": index % 2 == 0,
        }
    )


def tidy_phones(tokens):
    rows = []
    for token, word, duration in tokens[["token", "word", "duration_s"]].itertuples(index=False):
        labels = LABELS[word]
        edges = 0.1 + duration * np.array([0, 0.4, 0.7, 1.0])
        for index, label in enumerate(labels):
            rows.append(
                {
                    "token": token,
                    "phone_index": index,
                    "label": label,
                    "onset_s": edges[index],
                    "offset_s": edges[index + 1],
                    "phone_class": CLASSES.get(label, "vowel"),
                    "previous": labels[index - 1] if index else "#",
                    "following": labels[index + 1] if index < 2 else "#",
                    "position": ["initial", "medial", "final"][index],
                }
            )
    return pd.DataFrame(rows)


def layer_values(tokens, seed=None):
    """Maps (token, channel, sample) of two layers."""
    random = np.random.default_rng(seed)
    return {name: random.normal(size=(tokens, 3, size)).astype("float32") for name, size in SAMPLES.items()}


TIMES = {name: (np.arange(size) + 0.5) / size for name, size in SAMPLES.items()}


def make_store(path):
    """Write the store and return its path; the archive of a schema is made by the same call."""
    tokens = tidy_tokens()
    about = {name: {"activation": "leaky_relu", "slope": 0.2, "hop_s": 1 / size} for name, size in SAMPLES.items()}
    common = {"time_s": TIMES, "phones": tidy_phones(tokens), "layer_attrs": about, "created_at": CREATED}
    # So that twelve tokens are three shards, and three channels more than a chunk holds.
    with mock.patch.multiple(shards, CHUNK_CHANNELS=2, SHARD_TOKENS=5):
        store_arrays(path, tokens, layer_values(12, 0), attrs={"model_hash": "m", "seed": 7}, **common)
        untrained = {"seed": 0, "trained": False}
        store_arrays(path, tokens, layer_values(12, 1), name="untrained_00", attrs=untrained, **common)
    return path


if __name__ == "__main__":
    archive = Path(__file__).with_name(f"schema_{SCHEMA_VERSION}.zarr.zip")
    if archive.exists():
        raise SystemExit(f"{archive} exists already; an archived store is never made again.")
    with tempfile.TemporaryDirectory() as folder:
        make_store(Path(folder) / "small.zarr")
        shutil.make_archive(str(archive.with_suffix("")), "zip", folder)
