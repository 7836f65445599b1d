"""Recordings as they lie on disk: their attributes and arrays, looked at before they are used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from layerstats.errors import ArgumentError, StoreError
from layerstats.store.damage import damaged, missing_chunks, open_array
from layerstats.store.groups import METADATA, read_attributes
from layerstats.store.schema import SUMMARIES, TOKENS, check_name

# What a reader needs, and of which kind it is.
_KINDS = {"layers": list, "maps": bool, "chunk_tokens": int, "complete": bool, "tokens_written": int}


def count_tokens(root: Path) -> int:
    """Return the number of tokens of a store, without reading its tables."""
    metadata = root / TOKENS / "token" / METADATA
    try:
        (tokens,) = json.loads(metadata.read_text(encoding="utf-8"))["shape"]
    except FileNotFoundError as error:
        raise damaged(root, metadata, "is missing") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(root, metadata, f"cannot be read ({error})") from error
    if not isinstance(tokens, int) or tokens < 1:
        raise damaged(root, metadata, f"says that there are {tokens!r} tokens")
    return tokens


def read_recording(root: Path, name: str) -> dict[str, Any]:
    """Return the attributes of a recording.

    Raises
    ------
    StoreError
        They are damaged: one is missing, of another kind, or says what cannot be.
    """
    attributes = read_attributes(root / name)
    metadata = root / name / METADATA
    for attribute, kind in _KINDS.items():
        value = attributes.get(attribute)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            said = f"has {value!r} for" if attribute in attributes else "lacks"
            raise damaged(root, metadata, f"{said} {attribute!r}")
    tokens, written = count_tokens(root), attributes["tokens_written"]
    if not 0 <= written <= tokens or (attributes["complete"] and written != tokens):
        state = "a complete" if attributes["complete"] else "a"
        raise damaged(root, metadata, f"says that {state} recording of {tokens} tokens has {written}")
    if summary_of(attributes) not in SUMMARIES:
        raise damaged(root, metadata, f"has {summary_of(attributes)!r} for 'summary'")
    if attributes["chunk_tokens"] < 1:
        raise damaged(root, metadata, f"has {attributes['chunk_tokens']} for 'chunk_tokens'")
    for layer in attributes["layers"]:
        try:
            check_name("layer", layer)
        except (ArgumentError, AttributeError, TypeError) as error:
            raise damaged(root, metadata, f"names a layer {layer!r}, which is no name of a layer") from error
    return attributes


def read_layer_attributes(root: Path, name: str, layer: str) -> dict[str, Any]:
    """Return the attributes of a layer.

    Raises
    ------
    StoreError
        Their file is missing or damaged.
    """
    metadata = root / name / layer / METADATA
    if not metadata.exists():
        raise damaged(root, metadata, "is missing")
    try:
        return read_attributes(root / name / layer)
    except StoreError as error:
        reason = f" ({error.__cause__})" if error.__cause__ else ""
        raise damaged(root, metadata, f"cannot be read{reason}") from error


def layer_array(root: Path, name: str, attributes: dict[str, Any], layer: str, variable: str) -> zarr.Array:
    """Open an array of a layer for reading and check its kind and its shape.

    Raises
    ------
    StoreError
        The recording was made without it, or it is damaged.
    """
    inside = f"{name}/{layer}/{variable}"
    read_layer_attributes(root, name, layer)
    if variable in SUMMARIES and variable != summary_of(attributes):
        raise StoreError(
            f"The layer {layer!r} of {name!r} has no {variable!r}: its {summary_of(attributes)!r} was recorded. Record "
            f"it with summary={variable!r}, in the shell --summary {variable}, into another store."
        )
    if variable == "maps" and not attributes["maps"]:
        raise StoreError(
            f"The layer {layer!r} of {name!r} has no 'maps': it was recorded without. Record it with maps "
            "(maps=True, in the shell --maps) into another store."
        )
    array = open_array(root, inside, whole=attributes["complete"])
    dimensions = {"token": ("token",), "time_s": ("sample",)} | dict.fromkeys(SUMMARIES, ("token", "sample"))
    expected = dimensions.get(variable, ("token", "channel", "sample"))
    kind = {"token": "text", "time_s": "float64"}.get(variable, "float32")
    found = "text" if array.dtype.kind in "OUT" else str(array.dtype)
    tokens = count_tokens(root)
    fits = array.ndim == len(expected) and ("token" not in expected or array.shape[0] == tokens)
    if not fits or found != kind:
        raise damaged(root, root / inside / METADATA, f"says {found} values of shape {array.shape} for {tokens} tokens")
    return array


def variables(attributes: dict[str, Any]) -> list[str]:
    """Return the arrays that every layer of a recording has."""
    return ["token", "time_s", summary_of(attributes), *(["maps"] if attributes["maps"] else [])]


def summary_of(attributes: dict[str, Any]) -> str:
    """Return what a recording holds of the channels, which is the name of the array that holds it."""
    return attributes.get("summary", SUMMARIES[0])


def check_files(root: Path, name: str, attributes: dict[str, Any]) -> None:
    """Raise `StoreError` where what was written so far is damaged, as far as that is soon seen.

    All files are looked for, and all but those of the maps are read.
    """
    for layer in attributes["layers"]:
        samples = set()
        for variable in variables(attributes):
            array = layer_array(root, name, attributes, layer, variable)
            rows = array.shape[0] if variable in ("token", "time_s") else attributes["tokens_written"]
            for file in missing_chunks(root, array, rows):
                raise damaged(root, file, "is empty" if file.exists() else "is missing")
            for start in range(0, rows if variable != "maps" else 0, array.chunks[0]):
                np.asarray(array[start : min(start + array.chunks[0], rows)])
            samples |= {array.shape[-1]} if variable != "token" else set()
        if len(samples) > 1:
            raise damaged(root, root / name / layer, f"has arrays of different numbers of samples {sorted(samples)}")


def check_times(root: Path, name: str, layer: str, time_s: np.ndarray) -> np.ndarray:
    """Return the times of a layer, or raise `StoreError` where they do not increase."""
    if not np.all(np.isfinite(time_s)) or np.any(np.diff(time_s) <= 0):
        raise damaged(root, root / name / layer / "time_s", "holds times that do not increase")
    return time_s
