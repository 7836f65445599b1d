"""Writing a recording: a shard of tokens at a time, in any order, by any number of processes, which may be killed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
import zarr
from numpy.typing import ArrayLike

from layerstats.checks import check_count
from layerstats.errors import ArgumentError, StoreError
from layerstats.files import explaining
from layerstats.store.claims import claimed, is_being_written
from layerstats.store.consolidated import consolidate
from layerstats.store.create import RESUME, create_or_resume
from layerstats.store.groups import METADATA, read_attributes, remove_partial_files, write_group
from layerstats.store.layer_spec import LayerSpec
from layerstats.store.layout import old_seed, recording_name
from layerstats.store.locks import locked
from layerstats.store.pieces import assemble, piece_file, write_piece
from layerstats.store.provenance import timestamp
from layerstats.store.recordings import Recording, check_told
from layerstats.store.schema import check_current, clean_attributes
from layerstats.store.shards import Rows, encode, is_written, shard_file, tokens_in_shard, write_file
from layerstats.store.skeleton import begin_recording, phone_rows
from layerstats.store.whole import check_whole

# Not part of what was recorded: they may differ between two runs that share a recording.
BOOKKEEPING = {"key", "complete", "created_at", "shard_tokens", "tokens_written", "chunk_tokens"}
# What has to be equal where a recording is gone on with.
_SAME = ("key", "layers", "variables")
_PAUSE_S = 0.05
# Another process may be putting together what it recorded by phone.
_PATIENCE_S = 3600.0


class RecordingWriter:
    """Writes one recording of a store; a context manager that goes on where earlier runs of the same key stopped.

    Several processes may write the same recording at once: each claims the shards that it writes, and waits at the end
    for those of others.

    Parameters
    ----------
    path, tokens, phones
        As for `create_or_resume`, which is called first.
    name
        Of the recording; any name without "/". A name that version 2 gave to untrained networks
        (``untrained/seed_03``) means the same.
    layers
        The layers, in their order in the network, each with its variables.
    key
        Hash of all that determines the values (weights, preprocessing, corpus, options). The same call again finds
        the same key and has nothing to do; another key in the same place is an error.
    attrs
        What the recording is and where it is from: `quantity` ("activation" by default, "relevance", "gradient",
        "input", ...), `trained` (true by default), `network`, `network_kind`, `part`, `network_seed`, `rule`,
        `model_hash`, preprocessing, ...
    store_attrs
        Provenance of the store (see `create_or_resume`).
    shard_tokens
        Tokens of a shard, which is one file an array; a multiple of the batch size makes a resumed run form the same
        batches. By default what `tokens_in_shard` says.
    overwrite
        Replace a recording that has another key.
    created_at
        Time to be written instead of now (or of SOURCE_DATE_EPOCH).

    Raises
    ------
    StoreError
        The place holds a recording with another key, other clips or damaged files, the store is of an earlier schema
        and has no such finished recording, may not be written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> tokens = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "dark"], "speaker": ["s1", "s2"], "split": "test"})
    >>> layer = LayerSpec("conv1", time_s=[0.0, 0.1, 0.2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with RecordingWriter(f"{folder}/s.zarr", "activations", tokens, None, [layer], key="k") as writer:
    ...         for rows in writer.missing():
    ...             writer.write(rows, {"conv1": {"mean": np.ones((rows.stop - rows.start, 3))}})
    ...         writer.finish()
    ...         writer.complete
    True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        name: str,
        tokens: pd.DataFrame,
        phones: pd.DataFrame | None,
        layers: Sequence[LayerSpec],
        *,
        key: str,
        attrs: Mapping[str, object] | None = None,
        store_attrs: Mapping[str, object] | None = None,
        shard_tokens: int | None = None,
        overwrite: bool = False,
        created_at: str | None = None,
    ) -> None:
        self.name = recording_name(name)
        seed = old_seed(name)
        # What the names of version 2 said.
        usual = {"quantity": "activation", "trained": seed is None, **({} if seed is None else {"seed": seed})}
        self.layers = {layer.name: layer for layer in layers}
        recorded = self._recorded({**usual, **(attrs or {})}, key)
        if not layers or len(self.layers) < len(layers):
            raise ArgumentError(
                f"A recording needs at least one layer and no name twice, but got {[layer.name for layer in layers]}."
            )
        self.tokens = len(tokens)
        shard = tokens_in_shard(layers, self.tokens) if shard_tokens is None else shard_tokens
        check_count("shard_tokens", shard)
        self.path = create_or_resume(path, tokens, phones, attrs=store_attrs, created_at=created_at)
        self._token_names = tokens["token"].to_numpy(dtype=object)
        self._shard_of_phone, self._phones = np.zeros(0, dtype=int), 0 if phones is None else len(phones)
        with explaining(self.path, StoreError, full=RESUME):
            self._begin(recorded, shard, overwrite, created_at or timestamp())
        self._rows = self._recording.rows if self._recording.version > 2 else Rows(self.tokens, self.tokens)
        if phones is not None:
            token_rows = pd.Index(self._token_names).get_indexer(pd.Index(phones["token"]))
            self._shard_of_phone = token_rows // self._rows.shard
        self._arrays: dict[tuple[str, str], zarr.Array] = {}
        self._there: set[int] = set()

    @property
    def complete(self) -> bool:
        """Whether the recording is finished, so that there is nothing to do."""
        return self._recording.complete

    @property
    def written(self) -> list[slice]:
        """The rows of the tokens table that are on disk, a slice a shard."""
        if self.complete:
            return [slice(0, self.tokens)]
        return [self._rows.of(number) for number in range(self._rows.count) if self._has(number)]

    def phone_rows(self, rows: slice) -> np.ndarray:
        """Return the rows of the phones table that belong to a shard of tokens: what `write` expects by phone."""
        return np.flatnonzero(self._shard_of_phone == self._number(rows))

    def missing(self) -> Iterator[slice]:
        """Yield the rows of one shard after the other that nobody has written yet, for this process to write.

        Those that other processes have claimed are waited for at the end, and taken over where such a process ends
        without having written them.

        Raises
        ------
        StoreError
            The file system has no locks.
        """
        waiting = not self.complete
        while waiting:
            waiting = progressed = False
            for number in range(self._rows.count):
                if self._has(number):
                    continue
                if self._is_finished():
                    return
                with claimed(self._recording.folder, number) as mine:
                    if mine and not self._has(number) and not self._is_finished():
                        progressed = True
                        yield self._rows.of(number)
                    waiting |= not mine
            if waiting and not progressed:
                time.sleep(_PAUSE_S)

    def write(self, rows: slice, values: Mapping[str, Mapping[str, ArrayLike]]) -> None:
        """Write a shard; it is on disk when this returns, and whoever is killed before has written nothing.

        Parameters
        ----------
        rows
            Of the tokens table, as `missing` gives them.
        values
            By layer and variable: (token, ...) with these tokens, or (phone, ...) with the phones of `phone_rows`.

        Raises
        ------
        ArgumentError
            The rows are no shard, a variable is missing or unknown, or an array has another shape than announced.
        StoreError
            The disk is full.
        """
        number = self._number(rows)
        phones = self.phone_rows(rows)
        wanted = [(layer.name, one) for layer in self.layers.values() for one in layer.variables if one.by_shard]
        arrays = self._checked(values, wanted, {"token": rows.stop - rows.start, "phone": len(phones)})
        with explaining(self.path, StoreError, full=RESUME):
            for (layer, variable), array in arrays.items():
                if self.layers[layer].variable(variable).by_shard == "phone":
                    write_piece(piece_file(self._recording.folder, number, layer, variable), array)
                else:
                    self._write(layer, variable, number, array)

    def finish(self, values: Mapping[str, Mapping[str, ArrayLike]] | None = None) -> None:
        """Mark the recording as complete, when all shards are there.

        Parameters
        ----------
        values
            By layer and variable, those that are neither by token nor by phone.

        Raises
        ------
        ArgumentError
            Such a variable is missing or unknown, or an array has another shape than announced.
        StoreError
            Tokens are still missing, or the disk is full.
        """
        if self.complete:
            return
        folder = self._recording.folder
        with explaining(self.path, StoreError, full=RESUME):
            with locked(folder, str(folder), patience_s=_PATIENCE_S):
                if not self._is_finished():
                    self._finish(values or {})
            self._recording = Recording(self.path, self._recording.version, self.name)
            with locked(self.path, f"the tables of {self.path}"):
                self._tidy()

    def close(self) -> None:
        """Nothing is left open: what was written is on disk, and claims end with the loop over `missing`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _recorded(self, attrs: Mapping[str, object], key: str) -> dict:
        layers = list(self.layers)
        variables = list(dict.fromkeys(one.name for layer in self.layers.values() for one in layer.variables))
        recorded = clean_attributes({**attrs, "key": key, "layers": layers, "variables": variables})
        check_told(recorded)
        return recorded

    def _begin(self, recorded: dict, shard_tokens: int, overwrite: bool, created_at: str) -> None:
        with locked(self.path, f"the tables of {self.path}"):
            root = read_attributes(self.path)
            self._recording = Recording(self.path, int(root["schema_version"]), self.name)
            if self._recording.version > 2 and not (self._recording.folder.parent / METADATA).exists():
                write_group(self._recording.folder.parent)
            if (self._recording.folder / METADATA).exists() and self._is_gone_on_with(recorded, overwrite):
                if self._recording.version > 2 and self.complete:
                    self._tidy()
                return
            check_current(root, self.path)
            if (self._recording.folder / METADATA).exists():
                created_at = self._created_before(recorded) or created_at
            attributes = {**recorded, "shard_tokens": shard_tokens, "created_at": created_at, "complete": False}
            layers = list(self.layers.values())
            begin_recording(self._recording.folder, attributes, layers, self._token_names, self._phones)
            self._recording = Recording(self.path, self._recording.version, self.name)

    def _created_before(self, recorded: dict) -> str | None:
        """Return when the same recording was begun first, where it is begun again."""
        there = read_attributes(self._recording.folder)
        return there.get("created_at") if all(there.get(name) == recorded[name] for name in _SAME) else None

    def _is_gone_on_with(self, recorded: dict, overwrite: bool) -> bool:
        """Tell whether what is there is this recording, all of whose files were looked for, and not to be replaced."""
        folder = self._recording.folder
        if overwrite:
            attributes = read_attributes(folder)
            if any(attributes.get(name) != recorded[name] for name in _SAME):
                if is_being_written(folder):
                    raise StoreError(f"Another process is writing {folder}. Wait until it has finished.")
                return False
        attributes = self._recording.attributes
        if any(attributes.get(name) != recorded[name] for name in _SAME):
            raise StoreError(_another_key(self.path, self._recording, recorded))
        if not attributes["complete"]:
            check_current(read_attributes(self.path), self.path)
            if self._recording.is_empty() and not is_being_written(folder):
                # There is nothing to go on with, and what is said of the layers may have been corrected since.
                return False
        check_whole(self._recording)
        return True

    def _finish(self, values: Mapping[str, Mapping[str, ArrayLike]]) -> None:
        written = sum(rows.stop - rows.start for rows in self.written)
        if written < self.tokens:
            raise StoreError(
                f"The recording {self.name!r} has {written} of {self.tokens} tokens and cannot be finished yet."
            )
        wanted = [(layer.name, one) for layer in self.layers.values() for one in layer.variables if not one.by_shard]
        for (layer, variable), array in self._checked(values, wanted, {}).items():
            self._write(layer, variable, 0, array)
        self._assemble()
        write_group(self._recording.folder, {**read_attributes(self._recording.folder), "complete": True})

    def _is_finished(self) -> bool:
        """Tell whether some process has finished the recording meanwhile."""
        return bool(read_attributes(self._recording.folder)["complete"])

    def _tidy(self) -> None:
        """Remove what processes left, and name the recording in the root; needs the lock of the store."""
        remove_partial_files(self._recording.folder)
        consolidate(self.path)

    def _number(self, rows: slice) -> int:
        number = self._rows.number(rows)
        if number is None:
            raise ArgumentError(
                f"The rows {rows} are no shard of {self.name!r}, whose shards have {self._rows.shard} tokens. Write "
                "what `missing` gives, all of it at once."
            )
        return number

    def _has(self, number: int) -> bool:
        if number not in self._there:
            folder = self._recording.folder
            for layer in self.layers.values():
                for variable in layer.variables:
                    file = shard_file(folder / layer.name / variable.name, number, len(variable.dimensions))
                    if variable.by_shard == "phone":
                        file = piece_file(folder, number, layer.name, variable.name)
                    if variable.by_shard and not is_written(file):
                        return False
            self._there.add(number)
        return True

    def _checked(
        self, values: Mapping[str, Mapping[str, ArrayLike]], wanted: Sequence[tuple], rows: Mapping[str, int]
    ) -> dict[tuple[str, str], np.ndarray]:
        given = {(layer, variable): array for layer, arrays in values.items() for variable, array in arrays.items()}
        announced = {(layer, variable.name) for layer, variable in wanted}
        if given.keys() != announced:
            difference = sorted("/".join(pair) for pair in given.keys() ^ announced)
            raise ArgumentError(f"Exactly the announced variables are written; missing or unknown: {difference}.")
        arrays = {}
        for layer, variable in wanted:
            array = np.asarray(given[layer, variable.name], dtype=variable.dtype)
            shape = self.layers[layer].shape(variable.name, rows.get("token", 0), rows.get("phone", 0))
            if array.shape != shape:
                named = ", ".join(f"{name} {size}" for name, size in zip(variable.dimensions, shape, strict=True))
                raise ArgumentError(
                    f"{layer}/{variable.name} must have the shape {shape} ({named}), but got {array.shape} instead."
                )
            arrays[layer, variable.name] = array
        return arrays

    def _array(self, layer: str, variable: str) -> zarr.Array:
        if (layer, variable) not in self._arrays:
            self._arrays[layer, variable] = self._recording.array(layer, variable)
        return self._arrays[layer, variable]

    def _write(self, layer: str, variable: str, number: int, values: np.ndarray) -> None:
        array = self._array(layer, variable)
        if values.shape[1:] != array.shape[1:]:
            raise StoreError(
                f"{layer}/{variable} of {self._recording.folder} has values of shape {array.shape[1:]}, and "
                f"{values.shape[1:]} came now. Choose another path, or remove that folder."
            )
        file = shard_file(self._recording.folder / layer / variable, number, array.ndim)
        write_file(file, encode(values, array))

    def _assemble(self) -> None:
        rows = phone_rows(self._rows, self._phones)
        for layer in self.layers.values():
            for variable in layer.variables:
                if variable.by_shard == "phone":
                    assemble(
                        self._recording.folder,
                        layer.name,
                        variable.name,
                        self._array(layer.name, variable.name),
                        rows,
                        self._shard_of_phone,
                        lambda shard: np.flatnonzero(self._shard_of_phone == shard),
                    )


def _another_key(path: Path, existing: Recording, recorded: Mapping[str, object]) -> str:
    there = existing.attributes
    names = sorted((there.keys() | recorded.keys()) - BOOKKEEPING)
    changes = [
        f"{name}: {there.get(name)!r} there, {recorded.get(name)!r} now"
        for name in names
        if there.get(name) != recorded.get(name)
    ]
    what = "; ".join(changes) or f"key: {there.get('key')!r} there, {recorded['key']!r} now"
    return (
        f"{path} already holds another recording {existing.name!r} ({what}). Choose another path or name, or remove "
        f"the folder {existing.folder} to replace it."
    )
