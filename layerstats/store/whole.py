"""Whether all of a recording that should be there is there, as far as that is soon seen."""

from __future__ import annotations

import numpy as np

from layerstats.store.damage import damaged, missing_files
from layerstats.store.recordings import Recording


def check_whole(recording: Recording) -> None:
    """Raise `StoreError` where what a recording says is written is damaged.

    All files of a finished recording are looked for, and all but those of arrays of three axes or more are read. Of a
    half-written one of version 3 only the beginning is: each shard is there as a whole, or it is written anew.
    """
    for _ in recording.token_arrays():
        pass
    for layer in recording.layers:
        samples = set()
        labels = recording.coordinates(layer)
        for name in [*labels, *recording.variables(layer)]:
            array = recording.array(layer, name)
            by_sample = recording.dimensions(array)[-1:] == ("sample",)
            samples |= {array.shape[-1]} if by_sample else set()
            if not recording.complete and recording.version > 2 and name not in labels:
                continue
            rows = array.shape[0] if recording.complete or name in labels else recording.attributes["tokens_written"]
            for file in missing_files(recording.root, array, rows):
                raise damaged(recording.root, file, "is empty" if file.exists() else "is missing")
            step = (array.shards or array.chunks)[0]
            for start in range(0, rows if array.ndim < 3 else 0, step):
                np.asarray(array[start : min(start + step, rows)])
        if len(samples) > 1:
            place = recording.folder / layer
            raise damaged(recording.root, place, f"has arrays of different numbers of samples {sorted(samples)}")
