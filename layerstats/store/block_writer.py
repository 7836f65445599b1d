"""Writing outcomes of maximizations, what judges say of them, and sums: a block at a time, as recordings are."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import zarr
from numpy.typing import ArrayLike

from layerstats.checks import check_columns, check_complete, check_count
from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.files import explaining
from layerstats.store.blocks import Blocks
from layerstats.store.create import RESUME
from layerstats.store.groups import PARTIAL, create_array, replace_folder, write_group
from layerstats.store.hashing import content_hash
from layerstats.store.layer_spec import VariableSpec, check_coordinates
from layerstats.store.provenance import timestamp
from layerstats.store.schema import check_name, clean_attributes
from layerstats.store.sharded_writer import ShardedWriter
from layerstats.store.shards import cut_block, encode, shard_file, starts_in_block, write_file
from layerstats.store.skeleton import write_label
from layerstats.store.tables import MISSING, storable

# Follows from other values, so that it is derived wherever it is needed.
_DERIVED = "success"
_BOOKKEPT = ("complete", "created_at")


class BlockWriter(ShardedWriter):
    """Writes a group in blocks of starts or speakers; the writers of each kind say what is in it."""

    _kind = "group"
    _unit = "starts"
    _same = ("key", "axis_labels", "variables", "starts_hash")
    _place: Blocks

    def __init__(
        self,
        place: Blocks,
        starts: pd.DataFrame,
        variables: Sequence[VariableSpec],
        coords: Mapping[str, tuple[str, ArrayLike]],
        *,
        key: str,
        attrs: Mapping[str, object],
        shard_rows: int | None,
        overwrite: bool,
        created_at: str | None,
        joining: bool = False,
    ) -> None:
        super().__init__()
        self.path, self.name, self._group, unit = place.root, place.name, place.kind, place.unit
        self._by = unit
        check_name(self._kind, self.name)
        self.variables = {variable.name: variable for variable in variables}
        self.starts = self._checked_starts(starts)
        self._coords = {name: (dimension, np.asarray(values)) for name, (dimension, values) in coords.items()}
        self._check_variables(variables)
        own = [attribute for attribute in (*self._same, *_BOOKKEPT, f"shard_{unit}s") if attribute in attrs]
        if own:
            raise ArgumentError(f"The attribute {own[0]!r} of {self.name!r} is the store's own; call it otherwise.")
        recorded = {
            **attrs,
            "key": key,
            "axis_labels": [*self.starts.columns, *self._coords],
            "variables": list(self.variables),
            f"{unit}s_hash": content_hash(self.starts),
        }
        block = starts_in_block(variables, len(starts)) if shard_rows is None else shard_rows
        check_count(f"shard_{unit}s", block)
        beginning = {f"shard_{unit}s": min(block, len(starts))}
        with explaining(self.path, StoreError, full=RESUME):
            if joining:
                self._join(clean_attributes(recorded))
            else:
                self._begin(clean_attributes(recorded), beginning, overwrite, created_at or timestamp())
        self._rows = self._place.rows
        self._arrays: dict[str, zarr.Array] = {}

    def write(self, rows: slice, values: Mapping[str, ArrayLike]) -> None:
        """Write a block; it is on disk when this returns, and whoever is killed before has written nothing.

        Parameters
        ----------
        rows
            Of the starts, as `missing` gives them.
        values
            By variable: (start, ...) with these starts.

        Raises
        ------
        ArgumentError
            The rows are no block, a variable is missing or unknown, or an array has another shape than announced.
        StoreError
            The disk is full.
        """
        number = self._number(rows)
        arrays = self._checked(values, rows.stop - rows.start)
        with explaining(self.path, StoreError, full=RESUME):
            for name, array in arrays.items():
                target = self._array(name)
                file = shard_file(self._place.folder / name, number, target.ndim)
                write_file(file, encode(array, target))

    def _checked_starts(self, starts: pd.DataFrame) -> pd.DataFrame:
        what = f"the {self._by}s of {self.name!r}"
        check_columns(starts, (self._by,), what)
        check_complete(starts, (self._by,), what)
        if starts.empty:
            asked = "what is to be maximized?" if self._by == "start" else "whose windows are summed up?"
            raise DataError(f"There are no {self._by}s in {self.name!r}: {asked}")
        if starts[self._by].duplicated().any():
            twice = starts.loc[starts[self._by].duplicated(), self._by].iloc[0]
            raise DataError(f"Column {self._by!r} of {what} holds {twice!r} more than once.")
        # A missing text is an empty one, so that labels need no gaps.
        text = {name: starts[name].fillna("") for name in starts if starts[name].dtype.kind not in "biuf"}
        return storable(starts.assign(**text), what)

    def _check_variables(self, variables: Sequence[VariableSpec]) -> None:
        if not variables or len(self.variables) < len(variables):
            raise ArgumentError(
                f"{self.name!r} needs at least one variable and no name twice, but got "
                f"{[variable.name for variable in variables]}."
            )
        names = [*self.starts.columns, *self._coords, *self.variables]
        dimensions = {dimension for variable in variables for dimension in variable.dimensions}
        for variable in variables:
            if variable.dimensions[0] != self._by:
                raise ArgumentError(f"The variable {variable.name!r} must have {self._by!r} as its first dimension.")
        if _DERIVED in names:
            raise DataError(f"{_DERIVED!r} follows from the scores and is not stored; leave it out of {self.name!r}.")
        twice = sorted({name for name in names if names.count(name) > 1} | (dimensions & set(self.variables)))
        if twice:
            raise ArgumentError(f"{self.name!r} has two things called {twice[0]!r}.")
        check_coordinates(repr(self.name), self._coords, variables, ())

    def _checked(self, values: Mapping[str, ArrayLike], starts: int) -> dict[str, np.ndarray]:
        if values.keys() != self.variables.keys():
            difference = sorted(values.keys() ^ self.variables.keys())
            raise ArgumentError(f"Exactly the announced variables are written; missing or unknown: {difference}.")
        arrays = {}
        for name, variable in self.variables.items():
            array = np.asarray(values[name], dtype=object if variable.dtype == "text" else variable.dtype)
            shape = (starts, *(int(variable.sizes[dimension]) for dimension in variable.dimensions[1:]))
            if array.shape != shape:
                named = ", ".join(f"{name} {size}" for name, size in zip(variable.dimensions, shape, strict=True))
                raise ArgumentError(f"{name} must have the shape {shape} ({named}), but got {array.shape} instead.")
            arrays[name] = np.where(pd.isna(array), "", array) if variable.dtype == "text" else array
        return arrays

    def _array(self, name: str) -> zarr.Array:
        if name not in self._arrays:
            self._arrays[name] = self._place.array(name)
        return self._arrays[name]

    def _open(self, version: int) -> Blocks:
        return Blocks(self.path, self._group, self.name)

    def _check_whole(self) -> None:
        self._place.check_whole()

    def _write_rest(self, values: Mapping[str, object]) -> None:
        """Nothing is in no block."""

    def _files(self, number: int) -> Iterable[Path]:
        return [
            shard_file(self._place.folder / name, number, len(variable.dimensions))
            for name, variable in self.variables.items()
        ]

    def _write_beginning(self, attributes: Mapping[str, object]) -> None:
        place = self._place.folder
        partial = place.with_name(f"{place.name}{PARTIAL}")
        shutil.rmtree(partial, ignore_errors=True)
        labels = {name: (self._by, self.starts[name].to_numpy()) for name in self.starts} | self._coords
        for name, (dimension, values) in labels.items():
            write_label(partial / name, dimension, values)
        block = int(str(attributes[f"shard_{self._by}s"]))
        for name, variable in self.variables.items():
            shape = (len(self.starts), *(int(variable.sizes[one]) for one in variable.dimensions[1:]))
            chunks, shards = cut_block(variable, block)
            of_it = [label for label, (dimension, _) in labels.items() if dimension in variable.dimensions]
            about = {**variable.attributes, "coordinates": " ".join(of_it)}
            about |= MISSING if variable.dtype == "text" else {}
            create_array(partial / name, shape, chunks, variable.dtype, variable.dimensions, about, shards)
        write_group(partial, attributes)
        replace_folder(partial, place)
