"""Outcomes that tests write, kill and write again; run as a script it writes them: outcome_recorder.py STORE.

The archive has what it wrote when outcomes were new, with a judge's scores: archive/schema_3_outcomes.zarr.zip. It is
never made again: it shows that later packages read what this one wrote.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.store import OutcomeWriter, VariableSpec, outcome_variables

CREATED = "2026-01-02T03:04:05Z"
CLASSES = ["no", "ja", "ö"]
STARTS = pd.DataFrame(
    {
        "start": [f"{target}_{number:05d}" for target in CLASSES for number in range(4)],
        "target": np.repeat(CLASSES, 4),
        "number": np.tile(np.arange(4), 3),
        "seed": np.arange(12) + 2**40,
        "token": [None, "t1", *[""] * 10],
    }
)
VARIABLES = (
    *outcome_variables({"code": 6}, classes=3, path_steps=2),
    VariableSpec("noted", ("start",), dtype="text", long_name="anything"),
)
ATTRS = {
    "set_up": "autoencoder",
    "network": "n0",
    "prior": "autoencoder",
    "objective": "log_probability",
    "null": "",
    "labels": "true",
}


def all_values():
    random = np.random.default_rng(0)
    values = {}
    for variable in VARIABLES:
        shape = (len(STARTS), *(variable.sizes[name] for name in variable.dimensions[1:]))
        values[variable.name] = (100 * random.normal(size=shape)).round(2).astype("float32")
    for name in ("steps", "stalled"):
        values[name] = random.integers(0, 9, len(STARTS))
    values["noted"] = np.array(["wäre", None, *"abcdefghij"], dtype=object)
    return values


def open_writer(path, name="autoencoder.n0", key="k", **options):
    # The working directory may get another commit while the tests run.
    coords = {"class": ("class", CLASSES)}
    given = {"attrs": ATTRS, "coords": coords, "shard_starts": 5, "created_at": CREATED}
    given |= {"store_attrs": {"git_revision": "g"}, **options}
    starts, variables = given.pop("starts", STARTS), given.pop("variables", VARIABLES)
    return OutcomeWriter(path, name, starts, variables, key=key, **given)


def record(path, order=None, stop_after=None, **options):
    """Write the outcomes, or so many blocks of them, in some order."""
    with open_writer(path, **options) as writer:
        chosen = writer.missing() if order is None else [slice(5 * n, min(5 * n + 5, 12)) for n in order]
        for done, rows in enumerate(chosen):
            if done == stop_after:
                return
            writer.write(rows, {name: values[rows] for name, values in all_values().items()})
        if stop_after is None:
            writer.finish()


if __name__ == "__main__":
    record(Path(sys.argv[1]))
