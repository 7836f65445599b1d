"""The beginning of a recording: its groups and empty arrays, which appear at once."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from layerstats.store.groups import PARTIAL, create_array, replace_folder, write_group
from layerstats.store.layer_spec import LayerSpec
from layerstats.store.schema import clean_attributes, unit_and_name
from layerstats.store.shards import Rows, chunk_rows, cut


def begin_recording(
    place: Path,
    attributes: Mapping[str, object],
    layers: Sequence[LayerSpec],
    tokens: np.ndarray,
    phones: int,
) -> None:
    """Write a recording without values beside its place, and rename it; needs the lock of the store.

    Parameters
    ----------
    place
        Its folder; what is there is replaced.
    attributes
        Its attributes, `shard_tokens` among them.
    layers
        Its layers.
    tokens
        Names of the store's tokens, (token,).
    phones
        Number of the store's phones.
    """
    partial = place.with_name(f"{place.name}{PARTIAL}")
    shutil.rmtree(partial, ignore_errors=True)
    write_group(partial, attributes)
    # Here and not in each layer: coordinates are inherited down the tree.
    names = create_array(partial / "token", tokens.shape, tokens.shape, "text", ("token",), unit_and_name("token"))
    names[:] = tokens
    rows = {"token": Rows(len(tokens), int(str(attributes["shard_tokens"])))}
    rows["phone"] = phone_rows(rows["token"], phones)
    for layer in layers:
        _begin_layer(partial / layer.name, layer, rows)
    replace_folder(partial, place)


def phone_rows(tokens: Rows, phones: int) -> Rows:
    """Return the phones in shards of about as many tokens as those of `tokens`."""
    chunk = chunk_rows(tokens.shard)
    return Rows(phones, max(1, round(tokens.shard * phones / tokens.total / chunk)) * chunk)


def write_label(folder: Path, dimension: str, values: np.ndarray) -> None:
    """Write an array that labels a dimension, at once."""
    text = values.dtype.kind in "OUT"
    kind = "text" if text else "float64" if values.dtype.kind == "f" else "int64"
    array = create_array(folder, values.shape, values.shape, kind, (dimension,), unit_and_name(folder.name))
    array[:] = values.astype(object) if text else values.astype(kind)


def _begin_layer(folder: Path, layer: LayerSpec, rows: Mapping[str, Rows]) -> None:
    labels = {"time_s": ("sample", layer.times)} if layer.time_s is not None else {}
    labels |= {name: (dimension, np.asarray(values)) for name, (dimension, values) in layer.coords.items()}
    about = {"layer": layer.name, **layer.attrs}
    about |= {"variables": [one.name for one in layer.variables], "labels": list(labels)}
    used = {dimension for variable in layer.variables for dimension in variable.dimensions}
    if unused := [name for name, (dimension, _) in labels.items() if dimension not in used]:
        # Where no variable names them, xarray reads of the group which arrays are labels.
        about["coordinates"] = " ".join(unused)
    write_group(folder, clean_attributes(about))
    for name, (dimension, values) in labels.items():
        write_label(folder / name, dimension, values)
    for variable in layer.variables:
        shape = layer.shape(variable.name, rows["token"].total, rows["phone"].total)
        chunks, shards = (shape, None) if variable.by_shard is None else cut(shape, rows[variable.by_shard])
        labelled = [name for name, (dimension, _) in labels.items() if dimension in variable.dimensions]
        # xarray's way of saying which arrays label the axes of this one.
        coordinates = {"coordinates": " ".join(labelled)} if labelled else {}
        attributes = {**variable.attributes, **coordinates}
        create_array(folder / variable.name, shape, chunks, variable.dtype, variable.dimensions, attributes, shards)
