"""Stores of simulated windows of letters, as relevance of letters is recorded."""

from __future__ import annotations

from string import ascii_lowercase

import numpy as np
import pandas as pd

from layerstats.stats.averages.reading.aligned_windows import aligned, centred_lags
from layerstats.store import LayerSpec, RecordingWriter, SumWriter, VariableSpec, open_store

HOP_S = 0.008
ALIGNMENTS = ("max_relevance", "min_relevance", "max_relevance_by_time")


def letter_table(rng, speakers, each, letters):
    """Return a row a window: those of a speaker lie together."""
    count = speakers * each
    return pd.DataFrame(
        {
            "token": [f"u{row // each}@{row}" for row in range(count)],
            "word": "he had",
            "speaker": [f"s{row // each}" for row in range(count)],
            "split": "test",
            "utterance": [f"u{row // each}" for row in range(count)],
            "letter": rng.choice(list(letters), size=count),
        }
    )


def store_letters(
    path,
    *,
    speakers=4,
    each=12,
    bands=3,
    samples=9,
    letters="abcd",
    seed=0,
    maps=True,
    alignments=True,
    name="adapted",
    burst=0.0,
    sums=False,
    trained=True,
    aligned_seed=None,
):
    """Store windows of noise, with a burst in band 1 of those of "a" where its relevance is largest, and sums over
    them; return the store, input and relevance, and samples (window, letter, alignment).
    """
    rng = np.random.default_rng(seed)
    table = letter_table(rng, speakers, each, letters)
    count = len(table)
    heard, relevance = (rng.normal(size=(count, bands, samples)).astype(np.float32) for _ in range(2))
    places = rng.integers(0, samples, size=(count, 26, len(ALIGNMENTS)))
    own = np.flatnonzero(table["letter"] == "a")
    heard[own, 1, places[own, 0, 0]] += burst
    if aligned_seed is not None:  # another network on the same windows
        places = np.random.default_rng(aligned_seed).integers(0, samples, size=places.shape)
    hertz = 100.0 * (1 + np.arange(bands))
    size = {"channel": bands}
    for recording, values in (("input", heard), (name, relevance)):
        variables = [VariableSpec("mean" if recording == "input" else "sum", ("token", "sample"))]
        arrays = {variables[0].name: values.mean(axis=1)}
        coords = {}
        if maps:
            variables.append(VariableSpec("maps", sizes=size))
            arrays["maps"], coords["channel_frequency_hz"] = values, ("channel", hertz)
        if alignments and recording == name:
            dims = ("token", "letter", "alignment")
            sizes = {"letter": 26, "alignment": len(ALIGNMENTS)}
            variables.append(VariableSpec("aligned_sample", dims, sizes, dtype="int64"))
            arrays["aligned_sample"] = places
            coords["letter"] = ("letter", np.array(list(ascii_lowercase), dtype=object))
            coords["alignment"] = ("alignment", np.array(ALIGNMENTS, dtype=object))
        about = {"quantity": "input" if recording == "input" else "relevance", "target": "emitted", "trained": trained}
        layer = LayerSpec("input", np.arange(samples) * HOP_S, variables, coords=coords)
        with RecordingWriter(path, recording, table, None, [layer], key="k", attrs=about, shard_tokens=10) as writer:
            for rows in writer.missing():
                writer.write(rows, {"input": {one: values[rows] for one, values in arrays.items()}})
            writer.finish()
    if sums:
        store_sums(path, name, table, {"input": heard, "relevance": relevance}, places, hertz)
    return open_store(path, recording=name), heard, relevance, places


def store_sums(path, name, table, quantities, places, hertz):
    """Add up windows at their middle and at the alignments of their own letters."""
    samples = quantities["input"].shape[2]
    lags, letters = centred_lags(samples), table["letter"].map(ascii_lowercase.index).to_numpy()
    own = {"none": np.full(len(table), samples // 2)}
    own |= {one: places[np.arange(len(table)), letters, number] for number, one in enumerate(ALIGNMENTS)}
    moved = {
        quantity: np.stack([aligned(values.astype(float), sample, lags)[0] for sample in own.values()], axis=1)
        for quantity, values in quantities.items()
    }
    covered = np.stack([aligned(quantities["input"], sample, lags)[1] for sample in own.values()], axis=1)
    axes = {"letters": list(ascii_lowercase), "alignments": list(own), "frequency_hz": hertz, "lag_s": lags * HOP_S}
    attrs = {"recording": name, "quantity": "relevance", "target": "emitted"}
    options = {"key": "k", "attrs": attrs, "shard_tokens": 10, "quantities": tuple(quantities)}
    with SumWriter(path, name, table, **axes, **options) as writer:
        for rows in writer.missing():
            found = {}
            for row in range(rows.start, rows.stop):
                letter = found.setdefault(table["speaker"][row], {}).setdefault(int(letters[row]), {})
                adds = {"coverage": covered[row].astype(np.int64)}
                for quantity, values in moved.items():
                    adds |= {f"{quantity}_sum": values[row], f"{quantity}_sum_of_squares": values[row] ** 2}
                for variable, values in adds.items():
                    letter[variable] = letter.get(variable, 0) + values
            writer.write(rows, found)
        writer.finish()
