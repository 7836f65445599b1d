"""Reading all of a store to find what is damaged: `layerstats info --check`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import zarr

from layerstats.errors import StoreError
from layerstats.store.damage import damaged
from layerstats.store.groups import METADATA
from layerstats.store.hashing import content_hash
from layerstats.store.reading import StoreFiles
from layerstats.store.recordings import check_times, layer_array, read_recording, variables
from layerstats.store.result_tables import TABLE_KINDS, check_result_table, table_names
from layerstats.store.schema import PHONES, TOKENS
from layerstats.store.tables import storable


def check_store(path: str | os.PathLike[str]) -> list[str]:
    """Read every value of a store and say what is wrong with it.

    Parameters
    ----------
    path
        The directory.

    Returns
    -------
    list of str
        A sentence for each thing that is damaged, with what mends it; empty where all is well.

    Raises
    ------
    StoreError
        There is no store, or its root cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from layerstats.store import store_arrays
    >>> tokens = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "dark"], "speaker": ["s1", "s2"], "split": "test"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = store_arrays(f"{folder}/s.zarr", tokens, {"conv1": np.eye(2)}, time_s={"conv1": [0.0, 0.5]})
    ...     check_store(path)
    []
    """
    files = StoreFiles(Path(path), incomplete="allow")
    found = list(_tables(files))
    if not found:
        for name in files.recording_names:
            found += _recording(files, name)
        found += _result_tables(files.path)
    return list(dict.fromkeys(str(error) for error in found))


def without_checksums(path: str | os.PathLike[str]) -> list[str]:
    """Return the arrays of a store that were written without checksums, so that flipped bits in them stay unseen."""
    root = Path(path)
    arrays = sorted(file.parent for file in root.rglob(METADATA) if b'"node_type": "array"' in file.read_bytes())
    return [array.relative_to(root).as_posix() for array in arrays if not _has_checksums(array)]


def _has_checksums(folder: Path) -> bool:
    metadata = zarr.open_array(folder, mode="r").metadata.to_dict()
    codecs = metadata["codecs"]
    return any(codec["name"] == "crc32c" or codec.get("configuration", {}).get("checksum") for codec in codecs)  # type: ignore[union-attr]


def _tables(files: StoreFiles) -> Iterator[StoreError]:
    root = files.path
    try:
        tokens, phones = files.tokens, files.phones
    except StoreError as error:
        yield error
        return
    if tokens["token"].duplicated().any():
        yield damaged(root, root / TOKENS / "token", "holds a token twice")
    if np.any(phones["token_row"].to_numpy() < 0):
        yield damaged(root, root / PHONES / "token", "names a token that is not in the tokens table")
    stored = [storable(table, "table").reset_index(drop=True) for table in (tokens, phones.drop(columns="token_row"))]
    # Other programs may tell sets of clips apart by other hashes.
    ours = "layerstats_version" in files.attributes
    if ours and content_hash(*stored) != files.attributes.get("tables_hash"):
        yield damaged(root, root / TOKENS, "or phones hold other values than were written (tables_hash differs)")


def _recording(files: StoreFiles, name: str) -> Iterator[StoreError]:
    root = files.path
    try:
        attributes = read_recording(root, name)
    except StoreError as error:
        yield error
        return
    if not attributes["complete"] and attributes["tokens_written"] == 0:
        return
    for layer in attributes["layers"]:
        for variable in variables(attributes):
            try:
                array = layer_array(root, name, attributes, layer, variable)
            except StoreError as error:
                yield error
                continue
            whole = variable in ("token", "time_s")
            yield from _values(files, array, array.shape[0] if whole else attributes["tokens_written"])
            try:
                if variable == "time_s":
                    check_times(root, name, layer, np.asarray(array[:]))
                elif variable == "token" and np.asarray(array[:]).tolist() != files.tokens["token"].tolist():
                    yield damaged(root, root / name / layer / "token", "holds other tokens than the tokens table")
            except StoreError as error:
                yield error


def _result_tables(root: Path) -> Iterator[StoreError]:
    for kind in TABLE_KINDS:
        for name in table_names(root, kind):
            try:
                check_result_table(root, kind, name)
            except StoreError as error:
                yield error


def _values(files: StoreFiles, array: zarr.Array, rows: int) -> Iterator[StoreError]:
    """Read an array chunk by chunk, so that each damaged one is named and memory stays small."""
    counts = [-(-size // chunk) for size, chunk in zip(array.shape, array.chunks, strict=True)]
    counts[0] = -(-rows // array.chunks[0])
    for place in np.ndindex(*counts):
        try:
            array.get_block_selection(place)
        except StoreError as error:
            yield error
