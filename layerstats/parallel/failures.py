"""Tasks that failed: which, and why; the others were finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layerstats.errors import LayerstatsError

# Lines of a message; all failures are in the exception.
_MOST = 10


@dataclass(frozen=True)
class TaskFailure:
    """A task that failed.

    Parameters
    ----------
    number : int
        Which task of those that were asked for, from 0 on.
    task : str
        What it was about.
    error : Exception
        Why it failed.
    traceback : str
        Where, as text: it may have been on another machine.

    Examples
    --------
    >>> TaskFailure(3, "conv4", ValueError("no rows")).task
    'conv4'
    """

    number: int
    task: str
    error: Exception
    traceback: str = ""

    @property
    def reason(self) -> str:
        """The error in a line."""
        lines = str(self.error).strip().splitlines() or [""]
        named = isinstance(self.error, LayerstatsError)
        return lines[0] if named and lines[0] else f"{type(self.error).__name__}: {lines[0]}"


class TaskFailures(LayerstatsError, RuntimeError):
    """Some tasks failed, for reasons of their own.

    Parameters
    ----------
    failures : sequence of TaskFailure
        In the order of the tasks.
    total : int
        How many tasks there were.

    Examples
    --------
    >>> print(TaskFailures([TaskFailure(3, "shard 4 of 8", ValueError("no sound"))], 8))
    1 of 8 tasks failed; the others were finished.
      shard 4 of 8: ValueError: no sound
    """

    def __init__(self, failures: Sequence[TaskFailure], total: int) -> None:
        self.failures, self.total = tuple(failures), total
        told = [f"  {failure.task}: {failure.reason}" for failure in self.failures[:_MOST]]
        more = len(self.failures) - len(told)
        told += [f"  and {more} more"] if more else []
        super().__init__("\n".join([f"{len(failures)} of {total} tasks failed; the others were finished.", *told]))

    def __reduce__(self) -> tuple:
        return TaskFailures, (self.failures, self.total)


def raise_failures(failures: Sequence[TaskFailure], total: int) -> None:
    """Raise what failed: the error itself where all that failed say the same, else all of them together.

    Raises
    ------
    Exception
        What the one task that failed raised, or all of them alike.
    TaskFailures
        The reasons differ.
    """
    if not failures:
        return
    first = failures[0]
    if len({(type(failure.error), str(failure.error)) for failure in failures}) > 1:
        raise TaskFailures(failures, total) from first.error
    if total > 1:
        first.error.add_note(f"In {first.task}" + (f" and {len(failures) - 1} more." if len(failures) > 1 else "."))
    if first.traceback and first.error.__traceback__ is None:
        first.error.add_note(f"In another process:\n{first.traceback}")
    raise first.error
