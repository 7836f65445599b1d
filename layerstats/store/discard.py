"""Taking back what an error left half-written and no later run could finish."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from layerstats.store.claims import is_being_written
from layerstats.store.consolidated import consolidate
from layerstats.store.groups import METADATA, group_names, read_attributes
from layerstats.store.locks import locked
from layerstats.store.schema import RECORDINGS, RESULT_KINDS


def discard_unfinished(path: str | os.PathLike[str], parts: Sequence[str], *, empty_store: bool = False) -> None:
    """Remove groups of a store that are not complete and that no process is writing.

    Parameters
    ----------
    path
        The store; where there is none, nothing is done.
    parts
        Groups by their place in it: "recordings/epsilon", "sums/epsilon".
    empty_store
        Remove the store too, if nothing is left in it but the tables.

    Examples
    --------
    >>> discard_unfinished("nowhere.zarr", ["recordings/epsilon"])
    """
    root = Path(path)
    if not (root / METADATA).exists():
        return
    with locked(root, f"the tables of {root}"):
        for part in parts:
            folder = root / part
            unfinished = (folder / METADATA).exists() and not read_attributes(folder).get("complete", True)
            if unfinished and not is_being_written(folder):
                shutil.rmtree(folder)
        if empty_store and not any(group_names(root, kind) for kind in (RECORDINGS, *RESULT_KINDS)):
            shutil.rmtree(root)
        else:
            consolidate(root)
