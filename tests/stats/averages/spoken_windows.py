"""Stores of windows of utterances with phones, whose letters are told some time after them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.store import open_store, store_arrays

HOP_S = 0.01
SAMPLES = 81
TIMES = np.arange(SAMPLES) * HOP_S
LETTER_OF = {"ae": "a", "s": "s", "z": "s", "t": "t"}


def store_of_letters(path, delay_s=0.03, speakers=4, each=30, seed=0, bands=3):
    """Store windows whose letters stand for the phone `delay_s` before their middle, and return the store.

    Maps are 1 under the phone [ae] in the lowest band, so that it is known where patterns are.
    """
    rng = np.random.default_rng(seed)
    tokens, phones, maps = [], [], []
    for number in range(speakers * each):
        edges = np.concatenate([[-0.05], np.cumsum(rng.integers(5, 13, 20)) * HOP_S - rng.uniform(0, 0.04)])
        labels = rng.choice(list(LETTER_OF), len(edges) - 1)
        told = labels[np.searchsorted(edges, TIMES[SAMPLES // 2] - delay_s, side="right") - 1]
        name, speaker = f"u{number // 5}@{number}", f"s{number // each}"
        tokens.append((name, name.split("@")[0], LETTER_OF[told], "as", speaker, "test"))
        around = ["#", *labels, "#"]
        begun = edges[:-1] <= TIMES[-1]
        phones += [
            (name, index, labels[index], edges[index], edges[index + 1], around[index], around[index + 2])
            for index in np.flatnonzero(begun)
        ]
        under = labels[np.clip(np.searchsorted(edges, TIMES, side="right") - 1, 0, len(labels) - 1)]
        values = 0.1 * rng.standard_normal((bands, SAMPLES))
        values[0] += under == "ae"
        maps.append(values)
    columns = ["token", "phone_index", "label", "onset_s", "offset_s", "previous", "following"]
    store_arrays(
        path,
        pd.DataFrame(tokens, columns=["token", "utterance", "letter", "word", "speaker", "split"]),
        {"input": np.array(maps)},
        time_s={"input": TIMES},
        phones=pd.DataFrame(phones, columns=columns),
        name="input",
        attrs={"quantity": "input"},
    )
    return open_store(path, recording="input")
