"""One file that names all that is finished: with it `xarray.open_datatree` opens a store at once and without a word."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from layerstats.store.groups import METADATA, PARTIAL, read_attributes, write_group

# Attributes of groups that say in which order their children come; others follow by the alphabet.
_DECLARED = ("columns", "layers", "labels", "axis_labels", "variables")


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


def disagreements(root: Path) -> Iterator[tuple[str, str]]:
    """Yield where the metadata in the root and those in the folders differ, by file, and how.

    Half-written recordings are passed over: the root has what they held before, if anything.
    """
    whole = json.loads((root / METADATA).read_text(encoding="utf-8")).get("consolidated_metadata")
    listed = whole.get("metadata") if isinstance(whole, dict) else None
    if not isinstance(listed, dict):
        yield METADATA, "lacks the metadata of what is in the store (consolidated_metadata)"
        return
    passed: set[str] = set()
    # What holds others comes first, so that of what is lost as a whole only the top is named.
    for inside in sorted(listed):
        if any(str(parent) in passed for parent in PurePosixPath(inside).parents):
            continue
        file = root / inside / METADATA
        there = _read(file)
        if there is not None and there.get("attributes", {}).get("complete") is False:
            passed.add(inside)
        elif there != listed[inside]:
            passed.add(inside)
            differs = f"says something else than its copy in the store's own {METADATA}"
            missing = f"is missing, but the store's own {METADATA} names it"
            yield f"{inside}/{METADATA}", differs if file.exists() else missing


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
        lists = [attributes[which] for which in _DECLARED if isinstance(attributes.get(which), list)]
        declared = [name for names in lists for name in names]
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
