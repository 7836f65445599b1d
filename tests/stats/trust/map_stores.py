"""Stores of simulated maps of windows, as relevance is recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.stats.trust.map_worlds import SAMPLES, MapWorld
from layerstats.store import open_store, store_arrays

TIMES = np.arange(SAMPLES) * 0.008
CLASSES = ("vowel", "voiceless_fricative")


def store_of_windows(path, world=None, inside=0.0, seed=0, names=("relevance",)):
    """Store the maps of a world under several names, and return the store with the units."""
    world = MapWorld("4 speakers", 4, 8) if world is None else world
    values, units = world.draw(np.random.default_rng(seed), inside)
    number = units["map"]
    tokens = pd.DataFrame(
        {
            "token": [f"u{one % 5}s{speaker}@{one}" for one, speaker in zip(number, units["speaker"], strict=True)],
            "word": "she had",
            "speaker": [f"s{speaker}" for speaker in units["speaker"]],
            "split": "test",
            "utterance": [f"u{one % 5}s{speaker}" for one, speaker in zip(number, units["speaker"], strict=True)],
        }
    )
    # A neighbour before the phone under the centre, and one after it, that are not meant.
    first, last = units["first"].to_numpy(), units["last"].to_numpy()
    phones = [(first - 10, first, "q"), (first, last, None), (last, last + 10, "q")]
    rows = [
        (tokens["token"][row], index, name or ("aa", "s")[row % 2], (name and "closure") or CLASSES[row % 2],
         TIMES[begin[row]] - 0.0045, TIMES[end[row]] - 0.0045)
        for row in range(len(tokens))
        for index, (begin, end, name) in enumerate(phones)
    ]  # fmt: skip
    columns = ["token", "phone_index", "label", "phone_class", "onset_s", "offset_s"]
    rng = np.random.default_rng(seed + 1)
    for name in names:
        noise = 0 if name == names[0] else 0.01 * rng.standard_normal(values.shape)
        store_arrays(
            path,
            tokens,
            {"input": values + noise},
            time_s={"input": TIMES},
            phones=pd.DataFrame(rows, columns=columns),
            name=name,
            attrs={"quantity": "relevance"},
        )
    return open_store(path, recording=names[0]), values, units
