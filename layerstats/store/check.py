"""Reading all of a store to find what is damaged: `layerstats info --check`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import zarr

from layerstats.errors import StoreError
from layerstats.store.blocks import Blocks
from layerstats.store.consolidated import disagreements
from layerstats.store.damage import damaged
from layerstats.store.groups import METADATA, group_names
from layerstats.store.hashing import content_hash
from layerstats.store.reading import StoreFiles
from layerstats.store.recordings import Recording
from layerstats.store.result_tables import TABLE_KINDS, check_result_table, is_table, table_names
from layerstats.store.schema import BLOCK_UNITS, JUDGEMENTS, PHONES, TOKENS
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
        for kind in BLOCK_UNITS:
            for name in group_names(files.path, kind):
                found += _blocks(Blocks(files.path, kind, name))
    if not found and files.version > 2:
        found += [damaged(files.path, files.path / file, how) for file, how in disagreements(files.path)]
    return list(dict.fromkeys(str(error) for error in found))


def without_checksums(path: str | os.PathLike[str]) -> list[str]:
    """Return the arrays of a store that were written without checksums, so that flipped bits in them stay unseen.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from layerstats.store import store_arrays
    >>> tokens = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "dark"], "speaker": ["s1", "s2"], "split": "test"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = store_arrays(f"{folder}/s.zarr", tokens, {"conv1": np.eye(2)}, time_s={"conv1": [0.0, 0.5]})
    ...     without_checksums(path)
    []
    """
    root = Path(path)
    files = {file.parent: json.loads(file.read_text(encoding="utf-8")) for file in sorted(root.rglob(METADATA))}
    arrays = {folder: metadata["codecs"] for folder, metadata in files.items() if metadata["node_type"] == "array"}
    return [
        folder.relative_to(root).as_posix() for folder, codecs in arrays.items() if not any(map(_is_checked, codecs))
    ]


def _is_checked(codec: dict) -> bool:
    """Tell whether a codec, or all of a chunk within a shard, has a checksum."""
    about = codec.get("configuration", {})
    if codec["name"] == "sharding_indexed":
        return any(map(_is_checked, about["codecs"])) and any(map(_is_checked, about["index_codecs"]))
    return codec["name"] in ("crc32c", "gzip") or bool(about.get("checksum"))


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
    recording = Recording(files.path, files.version, name)
    try:
        written = recording.written()
        arrays = list(recording.token_arrays()) if len(written) or recording.complete else []
    except StoreError as error:
        yield error
        return
    if not recording.complete and len(written) == 0:
        return
    for array in arrays:
        try:
            if np.asarray(array[:]).tolist() != files.tokens["token"].tolist():
                yield damaged(files.path, files.path / array.path, "holds other tokens than the tokens table")
        except StoreError as error:
            yield error
    for layer in recording.layers:
        try:
            names = [*recording.coordinates(layer), *recording.variables(layer)]
        except StoreError as error:
            yield error
            continue
        for variable in names:
            try:
                array = recording.array(layer, variable)
            except StoreError as error:
                yield error
                continue
            by_token = recording.dimensions(array)[:1] == ("token",)
            if not by_token and not recording.complete and variable in recording.variables(layer):
                continue
            yield from _values(array, written if by_token else np.arange(array.shape[0]))
            if variable == "time_s":
                try:
                    recording.times(layer)
                except StoreError as error:
                    yield error


def _result_tables(root: Path) -> Iterator[StoreError]:
    for kind in TABLE_KINDS:
        for name in table_names(root, kind):
            try:
                check_result_table(root, kind, name)
            except StoreError as error:
                yield error


def _blocks(group: Blocks) -> Iterator[StoreError]:
    """Read what is there of outcomes, of judgements of them, or of sums; tables of judgements are no such thing."""
    try:
        if group.kind == JUDGEMENTS and is_table(group.folder):
            return
        written = group.written()
        for name in [*group.labels, *group.variables]:
            array = group.array(name)
            yield from _values(array, written if name in group.variables else np.arange(array.shape[0]))
        units = f"{group.unit}s"
        hashed = group.attributes.get(f"{units}_hash")
        if hashed is not None and hashed != content_hash(group.table()):
            yield damaged(group.root, group.folder, f"holds other {units} than were written ({units}_hash differs)")
    except StoreError as error:
        yield error


def _values(array: zarr.Array, rows: np.ndarray) -> Iterator[StoreError]:
    """Read some rows of an array file by file, so that each damaged one is named and memory stays small."""
    files = array.shards or array.chunks
    counts = [range(-(-size // one)) for size, one in zip(array.shape, files, strict=True)]
    counts[0] = np.unique(rows // files[0]).tolist()
    for place in product(*counts):
        try:
            array[tuple(slice(number * one, (number + 1) * one) for number, one in zip(place, files, strict=True))]
        except StoreError as error:
            yield error
