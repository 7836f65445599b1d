"""A recording as it lies on disk: its attributes, layers, variables and arrays, looked at before they are used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from layerstats.errors import ArgumentError, StoreError
from layerstats.store.damage import damaged, missing_files, open_array, open_group
from layerstats.store.groups import METADATA, PARTIAL, read_attributes
from layerstats.store.layout import is_untrained, recording_folder
from layerstats.store.row_counts import count_rows
from layerstats.store.schema import PHONES, SUMMARIES, TOKENS, USUAL_DIMENSIONS, check_name
from layerstats.store.shards import Rows, is_written, shard_file

# What a reader needs, and of which kind it is; up to version 2, and from version 3 on.
_KINDS_OF_2 = {"layers": list, "maps": bool, "chunk_tokens": int, "complete": bool, "tokens_written": int}
_KINDS = {"layers": list, "variables": list, "shard_tokens": int, "complete": bool, "quantity": str, "trained": bool}


def check_told(attributes: Mapping[str, object]) -> None:
    """Raise `ArgumentError` where a new recording says what it is in another kind of value than readers need."""
    for attribute in ("quantity", "trained"):
        kind, value = _KINDS[attribute], attributes.get(attribute)
        if not isinstance(value, kind):
            what = "text" if kind is str else "true or false"
            raise ArgumentError(f"The attribute {attribute!r} of a recording must be {what}, but got {value!r}.")


@dataclass(frozen=True, eq=False)
class Recording:
    """A recording of a store.

    Parameters
    ----------
    root
        The store.
    version
        Its schema version.
    name
        Of the recording.
    """

    root: Path
    version: int
    name: str

    @property
    def inside(self) -> str:
        """Where it lies in the store."""
        return recording_folder(self.version, self.name)

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self.root / self.inside

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Its attributes; those that version 3 added are said of older recordings too.

        Raises
        ------
        StoreError
            They are damaged: one is missing, of another kind, or says what cannot be.
        """
        attributes = read_attributes(self.folder)
        metadata = self.folder / METADATA
        for attribute, kind in (_KINDS if self.version > 2 else _KINDS_OF_2).items():
            value = attributes.get(attribute)
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                said = f"has {value!r} for" if attribute in attributes else "lacks"
                raise damaged(self.root, metadata, f"{said} {attribute!r}")
        for layer in attributes["layers"]:
            try:
                check_name("layer", layer)
            except (ArgumentError, AttributeError, TypeError) as error:
                raise damaged(self.root, metadata, f"names a layer {layer!r}, which is no name of a layer") from error
        if self.version > 2:
            if attributes["shard_tokens"] < 1:
                raise damaged(self.root, metadata, f"has {attributes['shard_tokens']} for 'shard_tokens'")
            return attributes
        return self._of_earlier(attributes)

    def _of_earlier(self, attributes: dict[str, Any]) -> dict[str, Any]:
        metadata = self.folder / METADATA
        tokens, written = self.tokens, attributes["tokens_written"]
        if not 0 <= written <= tokens or (attributes["complete"] and written != tokens):
            state = "a complete" if attributes["complete"] else "a"
            raise damaged(self.root, metadata, f"says that {state} recording of {tokens} tokens has {written}")
        if attributes["chunk_tokens"] < 1:
            raise damaged(self.root, metadata, f"has {attributes['chunk_tokens']} for 'chunk_tokens'")
        summary = attributes.get("summary", SUMMARIES[0])
        if summary not in SUMMARIES:
            raise damaged(self.root, metadata, f"has {summary!r} for 'summary'")
        return {
            **attributes,
            "quantity": "activation",
            "trained": not is_untrained(self.version, self.name),
            "variables": [summary, *(["maps"] if attributes["maps"] else [])],
        }

    @property
    def complete(self) -> bool:
        """Whether it is finished."""
        return self.attributes["complete"]

    @property
    def layers(self) -> list[str]:
        """Names of its layers, in the network's order."""
        return self.attributes["layers"]

    @cached_property
    def tokens(self) -> int:
        """Number of tokens of the store."""
        return count_rows(self.root, f"{TOKENS}/token", least=1)

    @cached_property
    def _phones(self) -> int:
        return count_rows(self.root, f"{PHONES}/token")

    @property
    def rows(self) -> Rows:
        """The tokens in shards."""
        return Rows(self.tokens, self.attributes["shard_tokens"])

    def written(self) -> np.ndarray:
        """Return the rows of the tokens table whose values are there, (token,)."""
        if self.complete:
            return np.arange(self.tokens)
        if self.version <= 2:
            return np.arange(self.attributes["tokens_written"])
        there = [number for number in range(self.rows.count) if self.has_shard(number)]
        spans = [np.arange(self.tokens)[self.rows.of(number)] for number in there]
        return np.concatenate(spans) if spans else np.arange(0)

    def is_empty(self) -> bool:
        """Tell whether nothing was written yet but the beginning."""
        arrays = [self.folder / layer / variable for layer in self.layers for variable in self.variables(layer)]
        files = [file for array in arrays for file in (array / "c").rglob("*") if not file.name.endswith(PARTIAL)]
        pieces = self.folder.glob(f"*{PARTIAL}/*/*/*.npy")
        return not any(file.is_file() for file in files) and not any(pieces)

    def has_shard(self, number: int) -> bool:
        """Tell whether a shard of tokens is there in every array that is written by token."""
        files = [shard_file(folder, number, count) for folder, count in self._by_token]
        return bool(files) and all(map(is_written, files))

    @cached_property
    def _by_token(self) -> list[tuple[Path, int]]:
        """Folder and number of dimensions of every array that is written by token."""
        found = []
        for layer in self.layers:
            for variable in self.variables(layer):
                array = self.array(layer, variable)
                if self.dimensions(array)[:1] == ("token",):
                    found.append((self.folder / layer / variable, array.ndim))
        return found

    def layer_attributes(self, layer: str) -> dict[str, Any]:
        """Return the attributes of a layer.

        Raises
        ------
        StoreError
            Their file is missing or damaged.
        """
        metadata = self.folder / layer / METADATA
        if not metadata.exists():
            raise damaged(self.root, metadata, "is missing")
        try:
            return read_attributes(self.folder / layer)
        except StoreError as error:
            reason = f" ({error.__cause__})" if error.__cause__ else ""
            raise damaged(self.root, metadata, f"cannot be read{reason}") from error

    def variables(self, layer: str) -> list[str]:
        """Return the names of a layer's variables."""
        if self.version <= 2:
            return self.attributes["variables"]
        return self._names(layer, "variables")

    def coordinates(self, layer: str) -> list[str]:
        """Return the names of the arrays that label a layer's dimensions, its times first."""
        return ["time_s"] if self.version <= 2 else self._names(layer, "labels")

    def _names(self, layer: str, what: str) -> list[str]:
        metadata = self.folder / layer / METADATA
        names = self.layer_attributes(layer).get(what)
        if not isinstance(names, list) or (what == "variables" and not names):
            raise damaged(self.root, metadata, f"has {names!r} for {what!r}")
        for name in names:
            try:
                check_name("variable", name)
            except (ArgumentError, AttributeError, TypeError) as error:
                raise damaged(self.root, metadata, f"names a variable {name!r}, which is no name of one") from error
        return names

    def array(self, layer: str, variable: str) -> zarr.Array:
        """Open an array of a layer for reading and check its kind and its shape; its values stay on disk.

        Raises
        ------
        StoreError
            The recording was made without it, or it is damaged.
        """
        known = [*self.variables(layer), *self.coordinates(layer)]
        if variable not in known:
            raise StoreError(self._without(layer, variable, known))
        inside = f"{self.inside}/{layer}/{variable}"
        array = open_array(self.root, inside, whole=self.complete)
        found = "text" if array.dtype.kind in "OUT" else str(array.dtype)
        # Arrays of version 1 may lack the names of their dimensions.
        usual = {"time_s": ("sample",), **USUAL_DIMENSIONS}.get(variable)
        names = self.dimensions(array) or usual or ()
        kind = {"time_s": "float64", **dict.fromkeys(USUAL_DIMENSIONS, "float32")}.get(variable, found)
        rows = {"token": self.tokens, "phone": self._phones if "phone" in names else 0}
        fits = array.ndim == len(names) and all(
            size == rows.get(dimension, size) for dimension, size in zip(names, array.shape, strict=True)
        )
        if not fits or names != (usual or names) or found != kind:
            what = f"says {found} values of shape {array.shape} for {self.tokens} tokens"
            raise damaged(self.root, self.root / inside / METADATA, what)
        return array

    def _without(self, layer: str, variable: str, known: list[str]) -> str:
        said = f"The layer {layer!r} of {self.name!r} has no {variable!r}: "
        if variable == "maps":
            return f"{said}it was recorded without. Record it with maps (maps=True, in the shell --maps)."
        recorded = [name for name in SUMMARIES if name in known]
        if variable in SUMMARIES and recorded:
            return (
                f"{said}its {recorded[0]!r} was recorded. Record it with summary={variable!r}, in the shell --summary "
                f"{variable}."
            )
        return f"{said}there are {', '.join(map(repr, known))}."

    @staticmethod
    def dimensions(array: zarr.Array) -> tuple[str, ...]:
        """Return the names of an array's dimensions."""
        return tuple(str(name) for name in (getattr(array.metadata, "dimension_names", None) or ()))

    def times(self, layer: str) -> np.ndarray:
        """Return the centres of a layer's receptive fields, (sample,), seconds.

        Raises
        ------
        StoreError
            It has none, or they do not increase.
        """
        time_s = np.asarray(self.array(layer, "time_s")[:])
        if not np.all(np.isfinite(time_s)) or np.any(np.diff(time_s) <= 0):
            raise damaged(self.root, self.folder / layer / "time_s", "holds times that do not increase")
        return time_s

    def token_arrays(self) -> Iterator[zarr.Array]:
        """Yield the arrays that repeat the names of the tokens."""
        for place in [self.inside] if self.version > 2 else [f"{self.inside}/{layer}" for layer in self.layers]:
            array = open_array(self.root, f"{place}/token", whole=self.complete)
            if array.dtype.kind not in "OUT" or array.shape != (self.tokens,):
                raise damaged(self.root, self.root / place / "token" / METADATA, "is no text of one value a token")
            for file in missing_files(self.root, array, self.tokens):
                raise damaged(self.root, file, "is empty" if file.exists() else "is missing")
            yield array

    def dataset(self, layer: str) -> xr.Dataset:
        """Return a layer as a dataset whose values stay on disk."""
        for _ in self.token_arrays():
            pass
        for variable in [*self.variables(layer), *self.coordinates(layer)]:
            self.array(layer, variable)
        dataset = open_group(self.root, f"{self.inside}/{layer}", whole=self.complete)
        # In the order in which they were declared: a folder is listed in another one on every file system.
        variables, labels = self.variables(layer), self.coordinates(layer)
        known = {name: dataset.variables[name] for name in (*labels, *variables)}
        rest = {name: variable for name, variable in dataset.variables.items() if name not in known}
        ordered = xr.Dataset({**known, **rest}, attrs=dataset.attrs)
        coordinates = [name for name in (*labels, *dataset.coords) if name in ordered]
        return ordered.set_coords(coordinates)

    def summary(self) -> str | None:
        """Return the name of the series that stands for a layer: (token, sample), "mean" where there is one."""
        names = self.attributes["variables"]
        usual = [name for name in SUMMARIES if name in names]
        if usual or not self.layers:
            return usual[0] if usual else None
        layer = self.layers[0]
        series = [
            name for name in self.variables(layer) if self.dimensions(self.array(layer, name)) == ("token", "sample")
        ]
        return series[0] if series else None
