"""Groups and arrays on disk: small helpers over Zarr that write metadata atomically and without timestamps."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.dtype import VariableLengthUTF8

from layerstats.errors import StoreError
from layerstats.store.compression import COMPRESSION

METADATA = "zarr.json"
# How names of what is half-written end.
PARTIAL = ".partial"
# Left by file managers; they mean nothing.
STRAY = {".DS_Store", "Thumbs.db", "desktop.ini"}


def read_attributes(folder: Path) -> dict:
    """Return the attributes of a group.

    Raises
    ------
    StoreError
        Where `folder` holds no Zarr v3 group, or its metadata are damaged.
    """
    try:
        metadata = json.loads((folder / METADATA).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreError(f"There is no store at {folder}: it has no {METADATA}.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise StoreError(
            f"The metadata {folder / METADATA} are damaged ({error}). Restore the file from a copy, or remove the "
            f"folder {folder} and record again."
        ) from error
    except OSError as error:
        raise StoreError(f"{folder / METADATA} cannot be read ({error.strerror}).") from error
    if not isinstance(metadata, dict) or metadata.get("zarr_format") != 3 or metadata.get("node_type") != "group":
        raise StoreError(f"{folder} is not a Zarr v3 group, so it is not a store of layerstats.")
    attributes = metadata.get("attributes", {})
    if not isinstance(attributes, dict):
        raise StoreError(
            f"The metadata {folder / METADATA} are damaged (attributes are no table). Restore the file from a copy, "
            f"or remove the folder {folder} and record again."
        )
    return attributes


def group_names(root: Path, kind: str) -> list[str]:
    """Return the names of what lies in a group of groups, without what is half-written beside its place."""
    names = [file.parent.name for file in sorted((root / kind).glob(f"*/{METADATA}"))]
    return [name for name in names if not name.endswith(PARTIAL)]


def write_group(
    folder: Path, attributes: Mapping[str, object] | None = None, more: Mapping[str, object] | None = None
) -> None:
    """Write a group's metadata, replacing older ones in a single step: a kill leaves the old or the new.

    `more` are metadata beside the attributes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"zarr_format": 3, "node_type": "group", "attributes": dict(attributes or {}), **(more or {})}
    partial = folder / f"{METADATA}.partial"
    try:
        partial.write_text(json.dumps(metadata, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
        os.replace(partial, folder / METADATA)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def create_array(
    folder: Path,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    dtype: np.dtype | str,
    dimensions: tuple[str, ...],
    attributes: Mapping[str, Any],
    shards: tuple[int, ...] | None = None,
) -> zarr.Array:
    """Create an empty array; text is stored with variable length, numbers with NaN (or 0, False) where unwritten."""
    is_text = dtype == "text"
    is_float = not is_text and np.dtype(dtype).kind == "f"
    return zarr.create_array(
        folder,
        shape=shape,
        chunks=tuple(max(size, 1) for size in chunks),
        shards=shards,
        dtype=VariableLengthUTF8() if is_text else np.dtype(dtype),
        fill_value="" if is_text else np.nan if is_float else np.dtype(dtype).type(0),
        compressors=[COMPRESSION],
        dimension_names=dimensions,
        attributes=dict(attributes),
        zarr_format=3,
        config={"write_empty_chunks": True},
    )


def holds_something(folder: Path) -> bool:
    """Tell whether there is anything in a folder that somebody put there."""
    begun = f"{METADATA}{PARTIAL}"  # by a process that was killed before anything else
    names = [child.name for child in folder.iterdir() if child.name != begun]
    return any(name not in STRAY and not name.startswith("._") for name in names)


def remove_partial_files(folder: Path) -> None:
    """Remove what a killed process left half-written."""
    for leftover in [*folder.rglob(f"*{PARTIAL}")]:
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def replace_folder(partial: Path, place: Path) -> None:
    """Give a folder that was written beside its place its name; an older one is there until the new one is."""
    older = place.with_name(f"{place.name}.older{PARTIAL}")
    if place.exists():
        os.replace(place, older)
    os.replace(partial, place)
    shutil.rmtree(older, ignore_errors=True)
