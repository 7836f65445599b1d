"""The one way in which tasks are run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, TypeVar

from layerstats.checks import check_count
from layerstats.errors import ArgumentError
from layerstats.parallel.cluster import check_client, on_workers
from layerstats.parallel.failures import TaskFailure, raise_failures
from layerstats.parallel.finished import Finished, Sent, run_one
from layerstats.parallel.kept import Kept
from layerstats.parallel.processes import Numbered, in_processes

Task = TypeVar("Task")
Result = TypeVar("Result")
# Tasks that are sent together where there are many: so many packets a worker, so that all end at about the same time.
_PACKETS = 32


def run_tasks(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    workers: int = 1,
    client: Any = None,
    threads: bool = False,
    progress: Callable[[int, int], None] | None = None,
    describe: Callable[[Task], str] | None = None,
    keep: str | os.PathLike[str] | None = None,
    received: Callable[[int, Result], None] | None = None,
) -> list[Result]:
    """Return the results of tasks, in their order, wherever they are run.

    The order of results does not depend on which was finished first, so that what is made of them does not either.
    Seeds belong into the tasks.

    Parameters
    ----------
    function : callable
        Takes a task. For processes and clusters it must be one that can be pickled: at the level of a module, or a
        `functools.partial` of such a one; what is bound to that goes once to every worker.
    tasks : sequence
        What it is called with, one after the other; small.
    workers : int
        How many tasks are run at a time on this machine: 1 runs them here and now.
    client : distributed.Client, optional
        Run them on the workers of this cluster instead; `workers` then says nothing.
    threads : bool
        Threads of this process instead of processes: for numpy's work, which lets other threads run meanwhile.
    progress : callable, optional
        Called with (tasks done, tasks in all).
    describe : callable, optional
        Says what a task is about, for messages: `describe(task)`.
    keep : path, optional
        A folder in which the results of finished tasks are kept, and found when the same call comes again.
    received : callable, optional
        Called with the number of each task and its result as soon as that is there, in whatever order.

    Returns
    -------
    list
        A result a task.

    Raises
    ------
    ArgumentError
        The function, or what is bound to it, cannot be pickled, or `workers` is no count.
    TaskFailures
        Tasks failed for different reasons, when all others were finished. Where the reason is the same, that error.
    WorkerError
        The cluster has no workers, or such with other versions, or its scheduler ended.

    Examples
    --------
    >>> from functools import partial
    >>> from math import pow
    >>> run_tasks(partial(pow, 2), [1, 2, 3], workers=2, threads=True)
    [2.0, 4.0, 8.0]
    """
    check_count("workers", workers)
    tasks = list(tasks)
    kept = Kept(keep, function) if keep is not None else None
    keys = [] if kept is None else [kept.key(task) for task in tasks]
    done: dict[int, Finished] = {}
    if kept is not None:
        found = {number: kept.read(key) for number, key in enumerate(keys)}
        done = {number: Finished(result) for number, (there, result) in found.items() if there}
    for number, finished in done.items():
        if received is not None:
            received(number, finished.value)
    if done and progress is not None:
        progress(len(done), len(tasks))
    missing = [(number, task) for number, task in enumerate(tasks) if number not in done]
    for number, finished in _finished(function, missing, workers, client, threads):
        done[number] = finished
        if kept is not None and finished.error is None:
            kept.write(keys[number], finished.value)
        if received is not None and finished.error is None:
            received(number, finished.value)
        if progress is not None:
            progress(len(done), len(tasks))
    failed = [
        TaskFailure(number, _said(describe, tasks, number), done[number].error, done[number].traceback)  # pyright: ignore[reportArgumentType]
        for number in sorted(done)
        if done[number].error is not None
    ]
    raise_failures(failed, len(tasks))
    return [done[number].value for number in range(len(tasks))]


def _finished(
    function: Callable[[Any], Any], missing: Numbered, workers: int, client: Any, threads: bool
) -> Iterator[tuple[int, Finished]]:
    if not missing:
        return
    if client is not None:
        slots = check_client(client)
        yield from on_workers(_sent(function, threads), _packets(missing, slots), client)
    elif workers == 1 or len(missing) == 1:
        for number, task in missing:
            yield number, run_one(function, task)
    elif threads:
        yield from _on_threads(function, missing, workers)
    else:
        yield from in_processes(_sent(function), _packets(missing, workers), workers)


def _on_threads(function: Callable[[Any], Any], missing: Numbered, workers: int) -> Iterator[tuple[int, Finished]]:
    pool = ThreadPoolExecutor(min(workers, len(missing)))
    futures = {pool.submit(run_one, function, task): number for number, task in missing}
    try:
        for future in as_completed(futures):
            yield futures.pop(future), future.result()
    finally:
        # At Ctrl-C nobody waits for what threads are at.
        pool.shutdown(wait=not futures, cancel_futures=True)


def _packets(tasks: Numbered, slots: int) -> list[Numbered]:
    size = max(1, len(tasks) // (slots * _PACKETS))
    return [tasks[first : first + size] for first in range(0, len(tasks), size)]


def _sent(function: Callable[[Any], Any], together: bool = False) -> Sent:
    try:
        return Sent.of(function, together)
    except Exception as error:
        raise ArgumentError(
            f"What is to be computed cannot be sent to another process ({type(error).__name__}: {error}). Functions "
            "and classes must stand at the level of a module that can be imported, not in a function or a notebook; or "
            "run it here, with workers=1 and without a client."
        ) from error


def _said(describe: Callable[[Any], str] | None, tasks: Sequence[Any], number: int) -> str:
    return f"task {number + 1} of {len(tasks)}" if describe is None else describe(tasks[number])
