"""One writer at a time: locks of the operating system on folders, which end with their process and leave nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerstats.errors import StoreError

if sys.platform != "win32":
    import fcntl

# For file systems without locks; read when a lock is taken.
VARIABLE = "LAYERSTATS_LOCKS"
# Tables of a hundred thousand tokens take seconds.
PATIENCE_S = 60.0
_PAUSE_S = 0.02


class Busy(StoreError):
    """Another process holds a lock."""


def hold(folder: Path, what: str, *, patience_s: float = 0.0) -> int | None:
    """Lock a folder, which is made, for this process; hand the answer to `release`.

    Parameters
    ----------
    folder
        What is locked.
    what
        Its name in the message.
    patience_s
        How long to wait for another process.

    Raises
    ------
    StoreError
        Another process holds it, or the file system has no locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32" or os.environ.get(VARIABLE) == "none":
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor, folder, what, time.monotonic() + patience_s)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def release(lock: int | None) -> None:
    """Let another process write."""
    if lock is not None:
        os.close(lock)


@contextmanager
def locked(folder: Path, what: str, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the lock of a folder for a moment, waiting for whoever has it."""
    lock = hold(folder, what, patience_s=patience_s)
    try:
        yield
    finally:
        release(lock)


def _lock(descriptor: int, folder: Path, what: str, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise Busy(
                    f"Another process is writing {what}. Wait until it has finished, or choose another path."
                ) from error
            time.sleep(_PAUSE_S)
        except OSError as error:
            # NFS without its lock service says ENOLCK or EBADF, others ENOSYS, EOPNOTSUPP or EINVAL.
            raise StoreError(
                f"The file system of {folder} has no locks ({error.strerror}), which keep two processes from writing "
                f"one store at once. Where no other process writes there, set the environment variable {VARIABLE}=none "
                "and run the same call again, or choose a path on a local disk."
            ) from error
