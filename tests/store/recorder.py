"""A recording that tests write, kill and write again; run as a script it writes one: recorder.py STORE SEED."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.store import LayerSpec, RecordingWriter, VariableSpec, usual_variables

CREATED = "2026-01-02T03:04:05Z"
TOKENS = pd.DataFrame(
    {
        "token": [f"t{index}" for index in range(10)],
        "word": ["ask", "tʃin"] * 5,
        "speaker": ["s1", "s1", "s2", "s2", "s3"] * 2,
        "split": "train",
    }
)
# Not in the order of their tokens, and not the same number for each.
PHONES = pd.DataFrame(
    {
        "token": [f"t{index}" for index in [9, 9, 0, 0, 0, 1, 2, 3, 4, 4, 5, 7, 6, 8, 8, 8, 8, 3]],
        "phone_index": 0,
        "label": "s",
        "onset_s": 0.0,
        "offset_s": 0.1,
    }
)
LAYERS = [
    LayerSpec("conv1", np.arange(8) / 8, usual_variables(3), attrs={"slope": 0.2}),
    LayerSpec(
        "conv2",
        np.arange(2) / 2,
        [
            VariableSpec("mean"),
            VariableSpec("maps", sizes={"channel": 5}),
            VariableSpec("phones", sizes={"channel": 5}),
            VariableSpec("input", sizes={"frequency": 4}),
            VariableSpec("peak", ["token"], units="Pa", long_name="largest value", dtype="float64"),
            VariableSpec("coverage", ["speaker", "letter"], sizes={"speaker": 3, "letter": 2}, dtype="int64"),
        ],
        coords={"frequency_hz": ("frequency", [100.0, 200.0, 400.0, 800.0]), "letters": ("letter", ["a", "ö"])},
    ),
]


def all_values():
    random = np.random.default_rng(0)
    values = {}
    for layer in LAYERS:
        shapes = {variable.name: layer.shape(variable.name, len(TOKENS), len(PHONES)) for variable in layer.variables}
        values[layer.name] = {name: (100 * random.normal(size=shape)).round(2) for name, shape in shapes.items()}
    values["conv2"]["coverage"] = values["conv2"]["coverage"].astype(int)
    return values


def shard_of(writer, rows):
    """The values of a shard of tokens."""
    where = {"token": rows, "phone": writer.phone_rows(rows)}
    return {
        layer.name: {
            variable.name: all_values()[layer.name][variable.name][where[variable.by_shard]]
            for variable in layer.variables
            if variable.by_shard
        }
        for layer in LAYERS
    }


def open_writer(path, key="k", name="activations", layers=LAYERS, **options):
    # The working directory may get another commit while the tests run.
    options = {"shard_tokens": 3, "created_at": CREATED, "store_attrs": {"git_revision": "g"}, **options}
    return RecordingWriter(path, name, TOKENS, PHONES, layers, key=key, **options)


def record(path, order=None, stop_after=None, before=None, **options):
    """Write the recording, or so many shards of it, in some order; `before` is called before each."""
    with open_writer(path, **options) as writer:
        chosen = writer.missing() if order is None else [slice(3 * n, min(3 * n + 3, 10)) for n in order]
        for done, rows in enumerate(chosen):
            if done == stop_after:
                return
            if before is not None:
                before()
            writer.write(rows, shard_of(writer, rows))
        if stop_after is None:
            writer.finish({"conv2": {"coverage": all_values()["conv2"]["coverage"]}})


def contents(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


if __name__ == "__main__":
    record(Path(sys.argv[1]))
