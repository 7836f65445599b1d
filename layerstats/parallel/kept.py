"""Results of finished tasks in a folder, so that a long computation that was stopped goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from layerstats.errors import ArgumentError
from layerstats.files import replacing
from layerstats.parallel.versions import versions_here


class Kept:
    """Results by a hash of the function, what is bound to it, the task, and the versions of the packages.

    Parameters
    ----------
    folder : path
        Made when the first result is there.
    function : callable
        What is computed.
    """

    def __init__(self, folder: str | os.PathLike[str], function: Callable[[Any], Any]) -> None:
        self.folder = Path(folder)
        self._about = hashlib.sha256(_pickled((_named(function), sorted(versions_here().items()))))

    def key(self, task: Any) -> str:
        """Return what the result of a task is known by: taken before it is run, which may change what a task holds."""
        about = self._about.copy()
        about.update(_pickled(task))
        return about.hexdigest()[:40]

    def read(self, key: str) -> tuple[bool, Any]:
        """Return whether the result of a task is there, and the result."""
        try:
            return True, pickle.loads(self._file(key).read_bytes())
        except (OSError, EOFError, pickle.UnpicklingError, AttributeError, ImportError, IndexError, ValueError):
            # Not there, or not whole: it is computed again.
            return False, None

    def write(self, key: str, result: Any) -> None:
        """Keep the result of a task.

        Raises
        ------
        FileError
            The disk is full, or the folder may not be written to.
        """
        with replacing(self._file(key)) as partial_file:
            partial_file.write_bytes(_pickled(result))

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.pickle"


def _named(function: Callable[[Any], Any]) -> Any:
    if isinstance(function, partial):
        return _named(function.func), function.args, sorted(function.keywords.items())
    return f"{function.__module__}.{function.__qualname__}"


def _pickled(value: Any) -> bytes:
    try:
        return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise ArgumentError(
            f"Results can only be kept of tasks that can be pickled, which one cannot: {error}."
        ) from error
