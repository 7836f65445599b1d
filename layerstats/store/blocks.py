"""A group in blocks as it lies on disk: outcomes of maximizations, what a judge says of them, or sums over windows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import zarr

from layerstats.errors import ArgumentError, StoreError
from layerstats.store.claims import WORKING
from layerstats.store.damage import damaged, missing_files, open_array, open_group
from layerstats.store.groups import METADATA, PARTIAL, read_attributes
from layerstats.store.row_counts import count_rows
from layerstats.store.schema import BLOCK_UNITS, JUDGEMENTS, OUTCOMES, SUMS, check_name
from layerstats.store.shards import Rows, is_written, shard_file

# What a reader needs, and of which kind it is; what groups of one sort say besides.
_KINDS = {"variables": list, "axis_labels": list, "complete": bool}
_STARTS = {"shard_starts": int, "set_up": str, "network": str}
_BESIDES = {
    OUTCOMES: _STARTS,
    JUDGEMENTS: {**_STARTS, "outcomes": str, "judge": str},
    SUMS: {"shard_speakers": int, "recording": str},
}


@dataclass(frozen=True, eq=False)
class Blocks:
    """A group of a store whose arrays are cut into blocks of starts, or of speakers.

    Parameters
    ----------
    root
        The store.
    kind
        "outcomes", "judgements" or "sums".
    name
        Of the group.
    """

    root: Path
    kind: str
    name: str

    @property
    def unit(self) -> str:
        """The dimension that is cut into blocks."""
        return BLOCK_UNITS[self.kind]

    @property
    def inside(self) -> str:
        """Where it lies in the store."""
        return f"{self.kind}/{self.name}"

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self.root / self.kind / self.name

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Its attributes.

        Raises
        ------
        StoreError
            They are damaged: one is missing, of another kind, or says what cannot be.
        """
        attributes = read_attributes(self.folder)
        metadata = self.folder / METADATA
        for attribute, kind in {**_KINDS, **_BESIDES[self.kind]}.items():
            value = attributes.get(attribute)
            if not isinstance(value, kind) or (kind is int and (value is True or value == 0)):
                said = f"has {value!r} for" if attribute in attributes else "lacks"
                raise damaged(self.root, metadata, f"{said} {attribute!r}")
        for name in [*attributes["axis_labels"], *attributes["variables"]]:
            try:
                check_name("variable", name)
            except (ArgumentError, AttributeError, TypeError) as error:
                raise damaged(self.root, metadata, f"names a variable {name!r}, which is no name of one") from error
        if self.unit not in attributes["axis_labels"]:
            raise damaged(self.root, metadata, f"names no {self.unit}s among the labels of axes")
        return attributes

    @property
    def complete(self) -> bool:
        """Whether it is finished."""
        return self.attributes["complete"]

    @property
    def variables(self) -> list[str]:
        """Names of what is written in blocks."""
        return self.attributes["variables"]

    @property
    def labels(self) -> list[str]:
        """Names of what was known at the beginning: the starts, and labels of other dimensions."""
        return self.attributes["axis_labels"]

    @cached_property
    def total(self) -> int:
        """Number of its starts, or speakers."""
        return count_rows(self.root, f"{self.inside}/{self.unit}", least=1)

    @property
    def rows(self) -> Rows:
        """The starts, or speakers, in blocks."""
        return Rows(self.total, self.attributes[f"shard_{self.unit}s"])

    def has_block(self, number: int) -> bool:
        """Tell whether a block is there in every array."""
        files = [shard_file(self.folder / name, number, self.array(name).ndim) for name in self.variables]
        return all(map(is_written, files))

    def written(self) -> np.ndarray:
        """Return the rows of the starts, or speakers, whose values are there."""
        if self.complete:
            return np.arange(self.total)
        spans = [np.arange(self.total)[self.rows.of(number)] for number in self.blocks()]
        return np.concatenate(spans) if spans else np.arange(0)

    def blocks(self) -> list[int]:
        """Return the numbers of the blocks that are there."""
        return [number for number in range(self.rows.count) if self.complete or self.has_block(number)]

    def is_empty(self) -> bool:
        """Tell whether nothing was written yet but the beginning."""
        files = [file for name in self.variables for file in (self.folder / name / "c").rglob("*")]
        files += (self.folder / WORKING).rglob("*")
        return not any(file.is_file() and not file.name.endswith(PARTIAL) for file in files)

    def array(self, name: str) -> zarr.Array:
        """Open an array for reading and check its shape; its values stay on disk.

        Raises
        ------
        StoreError
            There is no such array, or it is damaged.
        """
        if name not in (known := [*self.variables, *self.labels]):
            raise StoreError(f"{self.name!r} has no {name!r}: there are {', '.join(map(repr, known))}.")
        array = open_array(self.root, f"{self.inside}/{name}", whole=self.complete or name in self.labels)
        names = _dimensions(array)
        by_unit = names[:1] == (self.unit,)
        wrong = len(names) != array.ndim or (by_unit and array.shape[0] != self.total)
        if wrong or (name in self.variables and not by_unit):
            what = f"says values of shape {array.shape} ({', '.join(names)}) for {self.total} {self.unit}s"
            raise damaged(self.root, self.folder / name / METADATA, what)
        return array

    def dimensions(self, name: str) -> tuple[str, ...]:
        """Return the names of an array's dimensions."""
        return _dimensions(self.array(name))

    def table(self) -> pd.DataFrame:
        """Return what was known of each start, or speaker, at the beginning, as it was given."""
        unit = (self.unit,)
        columns = {name: np.asarray(self.array(name)[:]) for name in self.labels if self.dimensions(name) == unit}
        text = {name: values.astype(object) for name, values in columns.items() if values.dtype.kind in "OUT"}
        return pd.DataFrame({**columns, **text})

    def check_whole(self) -> None:
        """Raise `StoreError` where a file that should be there is not; those of labels are read."""
        for name in self.labels:
            np.asarray(self.array(name)[...])
        for name in self.variables:
            array = self.array(name)
            for file in missing_files(self.root, array, self.total) if self.complete else []:
                raise damaged(self.root, file, "is empty" if file.exists() else "is missing")

    def dataset(self) -> xr.Dataset:
        """Return it as a dataset whose values stay on disk."""
        names = [*self.labels, *self.variables]
        for name in names:
            self.array(name)
        dataset = open_group(self.root, self.inside, whole=self.complete)
        ordered = {name: dataset.variables[name] for name in names}
        return xr.Dataset(ordered, attrs=dataset.attrs).set_coords(self.labels)


def _dimensions(array: zarr.Array) -> tuple[str, ...]:
    return tuple(str(one) for one in (getattr(array.metadata, "dimension_names", None) or ()))
