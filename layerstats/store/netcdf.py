"""A selection as netCDF-4: the groups and variables of the store in one file, which R's ncdf4 opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import h5netcdf
import h5py
import numpy as np
import pandas as pd
import xarray as xr

from layerstats.store.blocks import Blocks
from layerstats.store.outcome_frames import finished_groups
from layerstats.store.result_tables import tables_of
from layerstats.store.schema import PHONES, RECORDINGS, TOKENS, unit_and_name
from layerstats.store.selection import Selection
from layerstats.store.tables import MISSING

BLOCK_TOKENS = 64
# What of a recording is repeated on the variables of its layers.
IDENTITY = ("quantity", "network", "network_kind", "part", "network_seed", "trained", "rule", "seed", "ragged")
INT32 = np.iinfo(np.int32)


def write_groups(root: h5netcdf.File, recordings: Sequence[Selection]) -> None:
    """Write the selected tokens, their phones and the selected layers into an open file, block by block.

    The recordings after the first are the same selection in untrained networks. Attributes of a layer, and
    what its recording is, are also written on its variables, because ncdf4 does not read those of groups.
    """
    selection = recordings[0]
    tokens, phones = selection.tokens, selection.phones
    recorded = selection.has_recording
    _write_attributes(root, {**selection.attrs, **({"recording": selection.name} if recorded else {})})
    if len(tokens):
        root.dimensions = {"token": len(tokens)}
        # At the top, so that the axis `token` of every layer is labelled.
        _write_column(root, "token", pd.Series(tokens["token"]), "token")
        _write_table(root.create_group(TOKENS), tokens.drop(columns="token"), "token")
    if len(phones):
        # A dimension of length 0 would be an unlimited one.
        root.dimensions["phone"] = len(phones)
        # ncdf4 takes a variable for an axis where one shares the name of the other.
        _write_table(root.create_group(PHONES), phones.rename(columns={"token": "phone_token"}), "phone")
    for recording in recordings if recorded else ():
        place = f"{RECORDINGS}/{recording.name}"
        for layer in recording.layers:
            _write_layer(root.create_group(f"{place}/{layer}"), recording, layer)
        if recording is not selection:
            _write_attributes(root[place], recording.recording_attrs)
    for kind, name, table in tables_of(selection):
        group = root.create_group(f"{kind}/{name}")
        group.dimensions = {kind: len(table)}
        _write_table(group, table.rename(columns={"token": f"{kind}_token"}), kind)
        _write_attributes(group, {str(name): value for name, value in table.attrs.items()})
    for blocks in finished_groups(selection.path):
        _write_blocks(root.create_group(blocks.inside), blocks)


def _write_blocks(group: h5netcdf.Group, blocks: Blocks) -> None:
    """Write outcomes, or judgements of them, block by block."""
    arrays = {name: blocks.array(name) for name in [*blocks.labels, *blocks.variables]}
    names = {name: blocks.dimensions(name) for name in arrays}
    group.dimensions = {
        one: size for name, array in arrays.items() for one, size in zip(names[name], array.shape, strict=True)
    }
    _write_attributes(group, {name: value for name, value in blocks.attributes.items() if value != ""})
    for name, array in arrays.items():
        if array.ndim == 1:
            values = np.asarray(array[:])
            text = values.dtype.kind in "OUT"
            missing = text and name in blocks.variables
            column = pd.Series(values.astype(object) if text else values)
            _write_column(group, name, column.where(column != "", None) if missing else column, names[name][0])
            continue
        chunks = (min(BLOCK_TOKENS, array.shape[0]), *array.shape[1:])
        options = {"chunks": chunks, "compression": "gzip", "compression_opts": 1, "shuffle": True}
        target = group.create_variable(name, names[name], array.dtype, **options)
        _write_attributes(target, {one: array.attrs[one] for one in ("units", "long_name") if one in array.attrs})
        for number in range(blocks.rows.count):
            rows = blocks.rows.of(number)
            target[rows] = np.asarray(array[rows])


def _write_layer(group: h5netcdf.Group, selection: Selection, layer: str) -> None:
    dataset = selection.layer(layer)
    if 0 in dataset.sizes.values():
        return
    about = {str(name): value for name, value in dataset.attrs.items() if name not in ("units", "long_name")}
    about |= {name: value for name, value in selection.recording_attrs.items() if name in IDENTITY}
    _write_attributes(group, about)
    group.dimensions = {name: size for name, size in dataset.sizes.items() if name not in ("token", "phone")}
    for name, variable in dataset.coords.items():
        if variable.dims[0] in group.dimensions:
            values = variable.to_numpy()
            text = values.dtype.kind in "OUT"
            _write_column(group, str(name), pd.Series(values.astype(object) if text else values), str(variable.dims[0]))
    for name in map(str, dataset.data_vars):
        _write_variable(group, selection, layer, name, dataset, about)


def _write_variable(
    group: h5netcdf.Group, selection: Selection, layer: str, name: str, dataset: xr.Dataset, about: Mapping[str, Any]
) -> None:
    variable = dataset[name]
    chunks = (min(BLOCK_TOKENS, variable.shape[0]), *variable.shape[1:])
    target = group.create_variable(
        name, variable.dims, variable.dtype, chunks=chunks, compression="gzip", compression_opts=1, shuffle=True
    )
    labels = [str(label) for label in variable.coords if label in group.variables and label != "sample"]
    coordinates = {"coordinates": " ".join(labels)} if labels else {}
    said = {attribute: variable.attrs[attribute] for attribute in ("units", "long_name") if attribute in variable.attrs}
    _write_attributes(target, {**about, **said, **coordinates})
    source = selection.array(layer, name)
    rows = {"token": selection.token_rows, "phone": selection.phone_rows}.get(str(variable.dims[0]))
    rows = np.arange(variable.shape[0]) if rows is None else rows
    rest: list[slice] = [slice(None)] * (source.ndim - 1)
    if variable.dims[-1] == "sample" and source.ndim > 1:
        rest[-1] = slice(*selection.sample_range(selection.times(layer)))
    for first in range(0, len(rows), BLOCK_TOKENS):
        block = rows[first : first + BLOCK_TOKENS]
        target[first : first + len(block)] = np.asarray(source.oindex[(block, *rest)])


def _write_table(group: h5netcdf.Group, table: pd.DataFrame, dimension: str) -> None:
    for name, column in table.items():
        _write_column(group, str(name), column, dimension)


def _write_column(group: h5netcdf.Group, name: str, column: pd.Series, dimension: str) -> None:
    attributes: dict[str, Any] = dict(unit_and_name(name))
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy()
        if values.dtype == bool:
            values = values.astype(np.int8)
            attributes["dtype"] = "bool"  # xarray's way of saying so
        elif values.dtype.kind == "i":
            # R has no whole numbers beyond 32 bits.
            small = len(values) == 0 or (values.min() >= INT32.min and values.max() <= INT32.max)
            values = values.astype(np.int32 if small else np.float64)
        variable = group.create_variable(name, (dimension,), values.dtype)
    else:
        values = column.fillna("").to_numpy(dtype=object)
        attributes |= MISSING if column.isna().any() else {}
        variable = group.create_variable(name, (dimension,), h5py.string_dtype())
    variable[:] = values
    _write_attributes(variable, attributes)


def _write_attributes(target: Any, attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        if isinstance(value, bool):
            value = np.int8(value)
        elif isinstance(value, int):
            value = np.int32(value) if INT32.min <= value <= INT32.max else float(value)
        elif isinstance(value, list) and not value:
            continue
        target.attrs[name] = value
