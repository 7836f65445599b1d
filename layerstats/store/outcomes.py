"""Outcomes of maximizations, judgements of them, and sums, as an analysis sees them: listed, chosen, read lazily."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import xarray as xr

from layerstats.errors import ArgumentError, StoreError
from layerstats.store.blocks import Blocks
from layerstats.store.groups import group_names
from layerstats.store.result_tables import is_table
from layerstats.store.schema import JUDGEMENTS, OUTCOMES, SUMS

# What lists say of each; whatever else any of them says follows.
LISTED = {
    OUTCOMES: ["name", "set_up", "network", "starts", "written", "complete", "prior", "objective", "null"],
    JUDGEMENTS: ["name", "outcomes", "set_up", "network", "judge", "starts", "written", "complete", "null"],
    SUMS: ["name", "recording", "quantity", "method", "rules", "speakers", "written", "complete"],
}
_WHAT = {OUTCOMES: "outcomes", JUDGEMENTS: "judgements of outcomes", SUMS: "sums over windows"}
_OF_THE_FILES = ("variables", "axis_labels", "shard_starts", "starts_hash", "shard_speakers", "speakers_hash")
_ASKED = {OUTCOMES: "set_up=, network=", JUDGEMENTS: "set_up=, network=", SUMS: "name="}


def block_groups(root: Path, kind: str) -> list[Blocks]:
    """Return the groups in blocks of one kind, by the alphabet."""
    groups = [Blocks(root, kind, name) for name in group_names(root, kind)]
    return [group for group in groups if kind != JUDGEMENTS or not is_table(group.folder)]


def listed(root: Path, kind: str) -> pd.DataFrame:
    """Return a row a group, with all attributes that any of them has.

    Raises
    ------
    StoreError
        One is damaged.
    """
    rows = []
    for group in block_groups(root, kind):
        about = {name: value for name, value in group.attributes.items() if name not in _OF_THE_FILES}
        counts = {"name": group.name, f"{group.unit}s": group.total, "written": len(group.written())}
        rows.append({**about, **counts})
    others = sorted({name for row in rows for name in row} - set(LISTED[kind]) - {"key", "created_at"})
    return pd.DataFrame(rows, columns=[*LISTED[kind], *others, "key", "created_at"])


def chosen(root: Path, kind: str, wanted: Mapping[str, str | None], *, allow_incomplete: bool = False) -> Blocks:
    """Return the one group of which all that is wanted is true; outcomes that are no null, where there are some.

    Raises
    ------
    ArgumentError
        None or several are so; the message lists what there is.
    StoreError
        It is half-written, and that was not allowed.
    """
    asked = {attribute: value for attribute, value in wanted.items() if value is not None}
    groups = block_groups(root, kind)
    found = [
        group
        for group in groups
        if all({**group.attributes, "name": group.name}.get(attribute) == value for attribute, value in asked.items())
    ]
    if len(found) > 1 and "null" not in asked:
        # Nulls are of the set-up and the network that they are a null of.
        found = [group for group in found if not group.attributes.get("null")] or found
    if len(found) != 1:
        described = ", ".join(f"{attribute}={value!r}" for attribute, value in asked.items())
        there = ", ".join(repr(group.name) for group in found or groups) or "none"
        many = f"{len(found)} {_WHAT[kind]} of {root} are so" if found else f"{root} has no such {_WHAT[kind]}"
        if found and not described:
            many, described = f"{root} holds {len(found)} {_WHAT[kind]}", f"say which: {_ASKED[kind]}"
        raise ArgumentError(f"{many} ({described or 'none at all'}). There are: {there}.")
    (group,) = found
    if not group.complete and not allow_incomplete:
        raise StoreError(
            f"The {_WHAT[kind]} {group.name!r} of {root} are half-written: {len(group.written())} of {group.total} "
            f"{group.unit}s. Run the call that wrote them again and it goes on from there, or say incomplete='allow' "
            "(in Python) to use what is there."
        )
    return group


def dataset_of(group: Blocks) -> xr.Dataset:
    """Return what is there of a group as a dataset whose values stay on disk."""
    dataset = group.dataset()
    return dataset if group.complete else dataset.isel({group.unit: group.written()})
