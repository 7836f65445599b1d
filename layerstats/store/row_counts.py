"""How many rows a table or a set of starts has, from its metadata."""

from __future__ import annotations

import json
from pathlib import Path

from layerstats.store.damage import damaged
from layerstats.store.groups import METADATA


def count_rows(root: Path, column: str, least: int = 0) -> int:
    """Return the number of rows of a column of a store, by its path inside, without reading it.

    Raises
    ------
    StoreError
        It is missing or damaged, or says that there are fewer rows than can be.
    """
    metadata = root / column / METADATA
    try:
        (rows,) = json.loads(metadata.read_text(encoding="utf-8"))["shape"]
    except FileNotFoundError as error:
        raise damaged(root, metadata, "is missing") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(root, metadata, f"cannot be read ({error})") from error
    if not isinstance(rows, int) or rows < least:
        raise damaged(root, metadata, f"says that there are {rows!r} rows")
    return rows
