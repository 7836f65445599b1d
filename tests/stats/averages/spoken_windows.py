"""Stores of windows of utterances with phones, whose letters are told some time after them."""

from __future__ import annotations

from string import ascii_lowercase

import numpy as np
import pandas as pd

from layerstats.store import LayerSpec, RecordingWriter, VariableSpec, open_store

HOP_S = 0.01
SAMPLES = 81
TIMES = np.arange(SAMPLES) * HOP_S
HERTZ = np.array([500.0, 2000.0, 4000.0])
LETTER_OF = {"ae": "a", "s": "s", "z": "s", "t": "t"}
COLUMNS = ["token", "phone_index", "label", "onset_s", "offset_s", "previous", "following"]


def store_of_letters(path, delay_s=0.03, speakers=4, each=30, seed=0, patterns=True, pauses=0, twins=0):
    """Store windows whose letters stand for the phone `delay_s` before their middle, and return the recording "input".

    Maps are 1 at 500 Hz under the phone [ae]. In windows of "t" there is a burst at 2000 Hz at any time. The network,
    of which there is the recording "adapted", is aligned 50 ms after the onset of the phone for "a", at the burst for
    "t" where there is one, and anywhere otherwise. Of the phones that letters stand for, some may be pauses.
    """
    rng = np.random.default_rng(seed)
    count = speakers * each
    maps = 0.1 * rng.standard_normal((count, len(HERTZ), SAMPLES))
    samples = rng.integers(10, SAMPLES - 10, (count, 26, 1))
    tokens, phones = [], []
    for number in range(count):
        edges = np.concatenate([[-0.05], np.cumsum(rng.integers(5, 13, 20)) * HOP_S - rng.uniform(0, 0.04)])
        labels = rng.choice(list(LETTER_OF), len(edges) - 1)
        told = np.searchsorted(edges, TIMES[SAMPLES // 2] - delay_s, side="right") - 1
        name, letter = f"u{number // 5}@{number}", LETTER_OF[labels[told]]
        tokens.append((name, name.split("@")[0], letter, "as", f"s{number // each}", "test"))
        around = ["#", *labels, "#"]
        phones += [
            (name, index, labels[index], edges[index], edges[index + 1], around[index], around[index + 2])
            for index in np.flatnonzero(edges[:-1] <= TIMES[-1])
            if index != told or number >= pauses
        ]
        if patterns:
            under = labels[np.clip(np.searchsorted(edges, TIMES, side="right") - 1, 0, len(labels) - 1)]
            maps[number, 0] += under == "ae"
            burst = rng.integers(10, SAMPLES - 10)
            maps[number, 1, burst] += rng.uniform(0, 2) * (letter == "t")
            if letter in "at":
                own = burst if letter == "t" else np.searchsorted(TIMES, edges[told]) + 5
                samples[number, ascii_lowercase.index(letter)] = own
    table = pd.DataFrame(tokens, columns=["token", "utterance", "letter", "word", "speaker", "split"])
    spoken = pd.DataFrame(phones, columns=COLUMNS)
    _store(path, "input", table, spoken, maps)
    _store(path, "adapted", table, spoken, 0.1 * rng.standard_normal(maps.shape), samples)
    for twin in range(twins):
        drawn = rng.integers(10, SAMPLES - 10, samples.shape)
        _store(path, f"adapted_untrained_{twin:02}", table, spoken, maps, drawn, trained=False)
    return open_store(path, recording="input")


def _store(path, name, tokens, phones, maps, samples=None, trained=True):
    bands = {"channel": len(HERTZ)}
    variables, coords = (
        [VariableSpec("mean"), VariableSpec("maps", sizes=bands)],
        {"channel_frequency_hz": ("channel", HERTZ)},
    )
    arrays = {"mean": maps.mean(axis=1), "maps": maps}
    if samples is not None:
        dims = ("token", "letter", "alignment")
        variables.append(VariableSpec("aligned_sample", dims, {"letter": 26, "alignment": 1}, dtype="int64"))
        arrays["aligned_sample"] = samples
        coords["letter"] = ("letter", np.array(list(ascii_lowercase), dtype=object))
        coords["alignment"] = ("alignment", np.array(["max_relevance"], dtype=object))
    attrs = {"quantity": "input" if samples is None else "relevance", "target": "emitted", "trained": trained}
    layer = LayerSpec("input", TIMES, variables, coords=coords)
    with RecordingWriter(path, name, tokens, phones, [layer], key="k", attrs=attrs) as writer:
        for rows in writer.missing():
            writer.write(rows, {"input": {one: values[rows] for one, values in arrays.items()}})
        writer.finish()
