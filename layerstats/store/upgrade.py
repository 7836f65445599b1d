"""A store of an earlier schema as one of this schema: `layerstats upgrade`."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from layerstats.errors import StoreError
from layerstats.store.layer_spec import LayerSpec, usual_variables
from layerstats.store.reading import StoreFiles
from layerstats.store.recordings import Recording
from layerstats.store.schema import SCHEMA_VERSION, SUMMARIES
from layerstats.store.shards import tokens_in_shard
from layerstats.store.writer import RecordingWriter

# Said of the file, not of what is recorded; the copy says its own.
_OF_THE_FILES = {
    *("schema_version", "complete", "tables_hash", "model_hash", "seed"),
    *("layerstats_version", "python_version", "numpy_version", "xarray_version", "zarr_version"),
}
_OF_THE_LAYOUT = {"complete", "tokens_written", "chunk_tokens", "layers", "maps", "summary", "variables", "key"}


def upgrade_store(old: str | os.PathLike[str], new: str | os.PathLike[str]) -> Path:
    """Copy a store of an earlier schema into one of this schema, that can be written into.

    Keys stay, so that the calls that recorded it find their recordings finished. Half-written recordings are left out:
    the calls that began them begin anew.

    Parameters
    ----------
    old
        The store; it is only read.
    new
        Where to write; a copy that was broken off is gone on with.

    Returns
    -------
    pathlib.Path
        The new store.

    Raises
    ------
    StoreError
        There is nothing to upgrade, the old store is damaged, the new place is something else, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     upgrade_store("experiment_of_2024.zarr", f"{folder}/experiment.zarr").name
    'experiment.zarr'
    """
    files = StoreFiles(Path(old), incomplete="allow")
    if files.version == SCHEMA_VERSION:
        raise StoreError(f"{old} is of schema version {SCHEMA_VERSION} and needs no upgrade.")
    recordings = [Recording(files.path, files.version, name) for name in files.recording_names]
    finished = [recording for recording in recordings if recording.complete]
    if not finished:
        raise StoreError(f"{old} has no finished recording to copy. Record again into a new store.")
    for recording in finished:
        _copy(files, recording, new)
    return Path(new)


def _copy(files: StoreFiles, recording: Recording, new: str | os.PathLike[str]) -> None:
    about = {name: value for name, value in recording.attributes.items() if name not in _OF_THE_LAYOUT}
    created_at = about.pop("created_at")
    layers = [_layer(recording, layer) for layer in recording.layers]
    batch = recording.attributes.get("batch_size", 1)
    with RecordingWriter(
        new,
        recording.name,
        files.tokens,
        files.phones.drop(columns="token_row"),
        layers,
        key=recording.attributes["key"],
        attrs=about,
        store_attrs={name: value for name, value in files.attributes.items() if name not in _OF_THE_FILES},
        shard_tokens=tokens_in_shard(layers, recording.tokens, batch if isinstance(batch, int) else 1),
        created_at=created_at,
    ) as writer:
        for rows in writer.missing():
            arrays = {
                layer.name: {
                    one.name: np.asarray(recording.array(layer.name, one.name)[rows]) for one in layer.variables
                }
                for layer in layers
            }
            writer.write(rows, arrays)
        writer.finish()


def _layer(recording: Recording, name: str) -> LayerSpec:
    summary = next(one for one in SUMMARIES if one in recording.attributes["variables"])
    maps = "maps" in recording.attributes["variables"]
    channels = recording.array(name, "maps").shape[1] if maps else None
    attributes = recording.layer_attributes(name)
    about = {attribute: value for attribute, value in attributes.items() if attribute not in ("units", "long_name")}
    return LayerSpec(name, recording.times(name), usual_variables(channels, summary), attrs=about)
