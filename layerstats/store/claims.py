"""Which process writes which shard: a claim is the lock of a folder, and ends with its process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerstats.store.groups import PARTIAL
from layerstats.store.locks import Busy, hold, release

# In the folder of a recording, as long as it is not finished.
WORKING = f"working{PARTIAL}"


def working_folder(recording: Path, number: int) -> Path:
    """Return where a shard of a recording is prepared."""
    return recording / WORKING / str(number)


@contextmanager
def claimed(recording: Path, number: int) -> Iterator[bool]:
    """Claim a shard for this process, and say whether nobody else has it."""
    try:
        lock = hold(working_folder(recording, number), f"shard {number} of {recording}")
    except (Busy, FileNotFoundError):
        # Or it was finished just now, and the folder is gone.
        yield False
        return
    try:
        yield True
    finally:
        release(lock)


def is_being_written(recording: Path) -> bool:
    """Tell whether a process has claimed a shard of a recording."""
    for folder in (recording / WORKING).glob("*"):
        with claimed(recording, int(folder.name)) as free:
            if not free:
                return True
    return False
