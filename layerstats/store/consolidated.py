"""One file that names all that is finished: with it `xarray.open_datatree` opens a store at once and without a word."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from layerstats.store.groups import METADATA, PARTIAL, read_attributes, write_group

# Attributes of groups that say in which order their children come; others follow by the alphabet.
_DECLARED = ("columns", "layers", "labels", "variables")


def consolidate(root: Path, attributes: dict | None = None) -> None:
    """Write the metadata of all finished parts of a store into its root, if they are not there; needs its lock.

    Parameters
    ----------
    root
        The store.
    attributes
        New attributes of the root; by default those that are there.
    """
    there = json.loads((root / METADATA).read_text(encoding="utf-8"))
    attributes = read_attributes(root) if attributes is None else attributes
    consolidated = {"kind": "inline", "must_understand": False, "metadata": dict(_nodes(root))}
    if there.get("attributes") != attributes or there.get("consolidated_metadata") != consolidated:
        write_group(root, attributes, {"consolidated_metadata": consolidated})


def _nodes(root: Path) -> Iterator[tuple[str, dict]]:
    """Yield path and metadata of every group and array below the root, in the order in which they were declared."""
    for folder, children, files in os.walk(root):
        # In this order the walk goes on; what is half-written, and the chunks of arrays, are passed over.
        children[:] = sorted(child for child in children if not child.endswith(PARTIAL))
        place = Path(folder)
        if place == root:
            continue
        if METADATA not in files:
            children.clear()
            continue
        metadata = _read(place / METADATA)
        if metadata is None:
            children.clear()
            continue
        attributes = metadata.get("attributes", {})
        declared = [name for which in _DECLARED for name in attributes.get(which) or ()]
        places = {name: number for number, name in enumerate(declared)}
        children.sort(key=lambda child: places.get(child, len(places)))
        if metadata.get("node_type") == "array":
            children.clear()
        elif attributes.get("complete") is False:
            children.clear()
            continue
        yield place.relative_to(root).as_posix(), metadata


def _read(file: Path) -> dict | None:
    """Return metadata; None where they are damaged, which whoever needs them is told."""
    try:
        metadata = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return metadata if isinstance(metadata, dict) and isinstance(metadata.get("attributes", {}), dict) else None
