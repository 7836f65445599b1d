"""Worker processes on this machine, which may be killed: what they were at is done again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from typing import Any

from layerstats.errors import WorkerError
from layerstats.parallel.finished import Finished, Sent, run_sent

# How often a task may be in a process that is killed, from when it runs alone on.
_ATTEMPTS = 3
_ENDED = (
    f"The worker process ended without an answer, {_ATTEMPTS} times: it was killed, perhaps for memory, or it crashed. "
    "Ask for fewer workers or smaller batches and run the same call again. A script that starts workers must do so "
    "below: if __name__ == '__main__':"
)

Numbered = Sequence[tuple[int, Any]]


def in_processes(sent: Sent, batches: Sequence[Numbered], workers: int) -> Iterator[tuple[int, Finished]]:
    """Yield the number of each task and what became of it, as they are finished.

    Parameters
    ----------
    sent
        The function.
    batches
        Tasks with their numbers; those of a batch are run one after the other.
    workers
        Processes.
    """
    suspects: list[Numbered] = []
    waiting = deque(batches)
    in_vain = 0
    while waiting:
        lost: list[Numbered] = []
        answers = 0
        for answer in _until_a_death(sent, waiting, min(workers, len(waiting)), lost):
            answers += 1
            yield answer
        suspects += lost
        in_vain = in_vain + 1 if lost and not answers else 0
        if in_vain == _ATTEMPTS:
            # No process lives long enough for one task, as where a script starts itself again.
            for number, _ in chain.from_iterable([*suspects, *waiting]):
                yield number, _ended()
            return
    # Whichever of them it was that ended its process, the others have nothing to do with it.
    for batch in suspects:
        for task in batch:
            yield from _alone(sent, task)


def _alone(sent: Sent, task: tuple[int, Any]) -> Iterator[tuple[int, Finished]]:
    for _ in range(_ATTEMPTS):
        lost: list[Numbered] = []
        yield from _until_a_death(sent, deque([[task]]), 1, lost)
        if not lost:
            return
    yield task[0], _ended()


def _ended() -> Finished:
    return Finished(error=WorkerError(_ENDED))


def _until_a_death(
    sent: Sent, waiting: deque[Numbered], workers: int, lost: list[Numbered]
) -> Iterator[tuple[int, Finished]]:
    """Run batches until none is waiting, or until a process ends: then what was being run is added to `lost`."""
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(sent,))
    running: dict[Future, Numbered] = {}
    try:
        while waiting or running:
            try:
                while waiting and len(running) < workers:
                    batch = waiting[0]
                    running[pool.submit(_run, [task for _, task in batch])] = batch
                    waiting.popleft()
            except BrokenProcessPool:
                lost += running.values()
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                batch = running.pop(future)
                try:
                    finished = future.result()
                except BrokenProcessPool:
                    lost += [batch, *running.values()]
                    return
                yield from zip([number for number, _ in batch], finished, strict=True)
    finally:
        _end(pool, at_once=bool(running))


def _end(pool: ProcessPoolExecutor, at_once: bool) -> None:
    """End a pool; at once where tasks are running, as nobody waits for them at Ctrl-C."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=not at_once, cancel_futures=True)
    for process in processes if at_once else ():
        process.terminate()
        process.join()


_HERE: list[Sent] = []


def _begin(sent: Sent) -> None:
    """Prepare a worker: it leaves Ctrl-C to the process that started it, and ends with that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _HERE[:] = [sent]


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(tasks: list[Any]) -> list[Finished]:
    return run_sent(_HERE[0], tasks)
