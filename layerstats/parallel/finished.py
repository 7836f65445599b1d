"""One task, run: its result, or why there is none, in a form that travels between processes."""

from __future__ import annotations

import hashlib
import pickle
import threading
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from layerstats.errors import LayerstatsError

# In a worker: what was sent last, by its hash, so that a network is unpickled once and not for every task.
_SENT: dict[str, Callable[[Any], Any]] = {}
# Tasks may set what belongs to their process, such as the number of torch's threads.
_ALONE = threading.Lock()


@dataclass(frozen=True)
class Finished:
    """What became of a task: `value`, unless there is an `error`."""

    value: Any = None
    error: Exception | None = None
    traceback: str = ""


@dataclass(frozen=True)
class Sent:
    """A function as it goes to workers: pickled once, whatever the number of tasks."""

    content: bytes
    key: str
    # Whether several tasks may run in one process at a time.
    together: bool = False

    @staticmethod
    def of(function: Callable[[Any], Any], together: bool = False) -> Sent:
        """Pickle a function with the arguments that are bound to it."""
        content = pickle.dumps(function, protocol=pickle.HIGHEST_PROTOCOL)
        return Sent(content, hashlib.sha256(content).hexdigest(), together)

    def function(self) -> Callable[[Any], Any]:
        """Return the function, which is unpickled once a process."""
        if self.key not in _SENT:
            _SENT.clear()
            _SENT[self.key] = pickle.loads(self.content)
        return _SENT[self.key]


def run_one(function: Callable[[Any], Any], task: Any) -> Finished:
    """Run a task in this process."""
    try:
        return Finished(function(task))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other tasks go on
        return Finished(error=error, traceback=traceback.format_exc())


def run_sent(sent: Sent, tasks: list[Any]) -> list[Finished]:
    """Run tasks in a worker, one after the other."""
    with nullcontext() if sent.together else _ALONE:
        try:
            function = sent.function()
        except Exception as error:  # noqa: BLE001 - it fails in the same way for each of them
            return [Finished(error=_portable(error), traceback=traceback.format_exc())] * len(tasks)
        return [_travelling(run_one(function, task)) for task in tasks]


def _travelling(finished: Finished) -> Finished:
    if finished.error is None:
        return finished
    return Finished(error=_portable(finished.error), traceback=finished.traceback)


def _portable(error: Exception) -> Exception:
    """Return an error that can be unpickled elsewhere: itself, or one that says the same."""
    try:
        copy = pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - exceptions of other packages may hold anything
        return LayerstatsError(f"{type(error).__name__}: {error}")
    return error if type(copy) is type(error) and str(copy) == str(error) else LayerstatsError(str(error))
