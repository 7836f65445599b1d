"""Writing a recording: a shard of tokens at a time, in any order, by any number of processes, which may be killed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import zarr
from numpy.typing import ArrayLike

from layerstats.checks import check_count
from layerstats.errors import ArgumentError, StoreError
from layerstats.files import explaining
from layerstats.store.create import RESUME, create_or_resume
from layerstats.store.layer_spec import LayerSpec
from layerstats.store.layout import old_seed, recording_name
from layerstats.store.pieces import PhoneShards, piece_file, write_piece
from layerstats.store.provenance import timestamp
from layerstats.store.recordings import Recording, check_told
from layerstats.store.schema import clean_attributes
from layerstats.store.sharded_writer import ShardedWriter
from layerstats.store.shards import Rows, encode, shard_file, tokens_in_shard, write_file
from layerstats.store.skeleton import begin_recording, phone_rows
from layerstats.store.whole import check_whole


class RecordingWriter(ShardedWriter):
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
    joining
        Another process has begun this recording, and this one only helps to write its shards.

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

    _kind = "recording"
    _unit = "tokens"
    _same = ("key", "layers", "variables")
    _place: Recording

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
        joining: bool = False,
    ) -> None:
        super().__init__()
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
        number_of_phones = 0 if phones is None else len(phones)
        usual_shard = tokens_in_shard(layers, self.tokens, phones=number_of_phones)
        shard = usual_shard if shard_tokens is None else shard_tokens
        check_count("shard_tokens", shard)
        self.path = (
            Path(path) if joining else create_or_resume(path, tokens, phones, attrs=store_attrs, created_at=created_at)
        )
        self._token_names = tokens["token"].to_numpy(dtype=object)
        self._number_of_phones = number_of_phones
        with explaining(self.path, StoreError, full=RESUME):
            if joining:
                self._join(recorded)
            else:
                self._begin(recorded, {"shard_tokens": shard}, overwrite, created_at or timestamp())
        self._rows = self._place.rows if self._place.version > 2 else Rows(self.tokens, self.tokens)
        token_rows = pd.Index(self._token_names).get_indexer(pd.Index([] if phones is None else phones["token"]))
        shards = phone_rows(self._rows, number_of_phones)
        self._phones = PhoneShards(self._place.folder, shards, token_rows // self._rows.shard)
        self._arrays: dict[tuple[str, str], zarr.Array] = {}

    def phone_rows(self, rows: slice) -> np.ndarray:
        """Return the rows of the phones table that belong to a shard of tokens: what `write` expects by phone."""
        return self._phones.of(self._number(rows))

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
                    write_piece(piece_file(self._place.folder, number, layer, variable), array)
                else:
                    self._write(layer, variable, number, array)
            # Here and not at the end only, so that those who write share what takes most of the time.
            self._assemble(self._phones.beside(number))

    def write_behind(self, rows: slice, values: Mapping[str, Mapping[str, ArrayLike]]) -> None:
        """Write a shard as `write` does, but by a thread, while the caller computes the next one.

        Its claim lasts until it is on disk. One shard at a time is on its way: the next call waits for it, and so does
        the end of the loop over `missing`, which has to be closed (`contextlib.closing`) where it is left early.

        Parameters
        ----------
        rows, values
            As for `write`, whose errors are raised by the next call or by the end of the loop.
        """
        self._write_behind(partial(self.write, rows, values))

    def _recorded(self, attrs: Mapping[str, object], key: str) -> dict:
        layers = list(self.layers)
        variables = list(dict.fromkeys(one.name for layer in self.layers.values() for one in layer.variables))
        recorded = clean_attributes({**attrs, "key": key, "layers": layers, "variables": variables})
        check_told(recorded)
        return recorded

    def _open(self, version: int) -> Recording:
        return Recording(self.path, version, self.name)

    def _write_beginning(self, attributes: Mapping[str, object]) -> None:
        begin_recording(
            self._place.folder, attributes, list(self.layers.values()), self._token_names, self._number_of_phones
        )

    def _check_whole(self) -> None:
        check_whole(self._place)

    def _write_rest(self, values: Mapping[str, Mapping[str, ArrayLike]]) -> None:
        """Write variables that are neither by token nor by phone, and put together those by phone."""
        wanted = [(layer.name, one) for layer in self.layers.values() for one in layer.variables if not one.by_shard]
        for (layer, variable), array in self._checked(values, wanted, {}).items():
            self._write(layer, variable, 0, array)
        self._assemble(range(self._phones.rows.count))

    def _files(self, number: int) -> Iterator[Path]:
        folder = self._place.folder
        for layer in self.layers.values():
            for variable in layer.variables:
                if variable.by_shard == "phone":
                    yield piece_file(folder, number, layer.name, variable.name)
                elif variable.by_shard:
                    yield shard_file(folder / layer.name / variable.name, number, len(variable.dimensions))

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
            self._arrays[layer, variable] = self._place.array(layer, variable)
        return self._arrays[layer, variable]

    def _write(self, layer: str, variable: str, number: int, values: np.ndarray) -> None:
        array = self._array(layer, variable)
        if values.shape[1:] != array.shape[1:]:
            raise StoreError(
                f"{layer}/{variable} of {self._place.folder} has values of shape {array.shape[1:]}, and "
                f"{values.shape[1:]} came now. Choose another path, or remove that folder."
            )
        file = shard_file(self._place.folder / layer / variable, number, array.ndim)
        write_file(file, encode(values, array))

    def _assemble(self, numbers: Iterable[int]) -> None:
        """Write those of some shards of phones all of whose pieces are there."""
        for number in numbers:
            for layer in self.layers.values():
                for one in layer.variables:
                    if one.by_shard == "phone" and self._phones.is_ready(number, layer.name, one.name):
                        self._phones.assemble(number, layer.name, one.name, self._array(layer.name, one.name))
