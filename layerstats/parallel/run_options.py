"""Where tasks are run, who is told how far they are, and where their results are kept: one object that travels."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from layerstats.checks import check_count
from layerstats.parallel.tasks import run_tasks

Task = TypeVar("Task")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RunOptions:
    """The options of `run_tasks`, for what calls it several times on the way.

    Attributes
    ----------
    workers, client, threads, progress, keep
        See `run_tasks`.

    Examples
    --------
    >>> RunOptions(workers=2, threads=True).run(abs, [-1, 2])
    [1, 2]
    """

    workers: int = 1
    client: Any = None
    threads: bool = False
    progress: Progress | None = None
    keep: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        check_count("workers", self.workers)

    def run(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        describe: Callable[[Task], str] | None = None,
        received: Callable[[int, Result], None] | None = None,
    ) -> list[Result]:
        """Return the results of tasks, in their order; see `run_tasks`."""
        return run_tasks(
            function,
            tasks,
            workers=self.workers,
            client=self.client,
            threads=self.threads,
            progress=self.progress,
            describe=describe,
            keep=self.keep,
            received=received,
        )

    def share(self, number: int, parts: int) -> RunOptions:
        """Return the same for one of several parts of a computation that take about as long; progress is in percent."""
        told = self.progress
        if told is None or parts == 1:
            return self
        return replace(self, progress=lambda done, total: told(round(100 * (number + done / total)), 100 * parts))

    @property
    def sends(self) -> bool:
        """Whether tasks are pickled: for other processes, or to know their results again."""
        return self.client is not None or self.keep is not None or not self.threads
