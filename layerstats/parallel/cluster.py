"""Workers of a cluster, by the client of dask's `distributed` that the caller hands in; nothing is started here."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from layerstats.checks import require
from layerstats.errors import ArgumentError, WorkerError
from layerstats.parallel.finished import Finished, Sent, run_sent
from layerstats.parallel.processes import Numbered
from layerstats.parallel.versions import differences, versions_here

# Of workers that a queue of jobs has yet to start; read when it is waited.
PATIENCE_S = 600.0
# How long a client that lost its scheduler tries to find it again.
_NOTICE_S = 2.0
_LOST = (
    "The worker that ran it ended without an answer, again and again: it was killed, at the end of a job's wall time "
    "or for memory (its log says which). Run the same call again: what is finished is not repeated."
)
_SCHEDULER = (
    "The scheduler {address} cannot be reached any more, or has no workers left, after {done} of {total} tasks. "
    "Start it and its workers again and run the same call: shards that were written, and results that were "
    "kept, are not computed again."
)


@contextmanager
def connected(address: str | None, timeout_s: float = 10.0) -> Iterator[Any]:
    """Give a client of the scheduler at an address, for the length of a block; without an address None.

    Parameters
    ----------
    address
        As the scheduler says, such as "tcp://10.0.0.5:8786", or the path of its scheduler file (".json").
    timeout_s
        How long to try, in seconds.

    Raises
    ------
    MissingDependencyError
        The package distributed is not installed.
    WorkerError
        There is no scheduler.

    Examples
    --------
    >>> with connected("tcp://HOST:8786") as client:  # a scheduler that runs  # doctest: +SKIP
    ...     print(check_client(client))
    """
    if address is None:
        yield None
        return
    distributed = require("distributed", "hand tasks to the workers of a cluster", "cluster")
    file = address.endswith(".json")
    if file:
        _wait_for_file(Path(address), timeout_s)
    try:
        client = distributed.Client(
            **({"scheduler_file": address} if file else {"address": address}), timeout=timeout_s, set_as_default=False
        )
    except (OSError, TimeoutError, ValueError) as error:
        raise WorkerError(
            f"No scheduler can be reached at {address!r} within {timeout_s:g} s "
            f"({str(error).splitlines()[0] if str(error) else type(error).__name__}). Start one with `dask scheduler`, "
            "or take the address that yours says; firewalls of clusters often let only login nodes through."
        ) from error
    with client:
        yield client


def _wait_for_file(path: Path, timeout_s: float) -> None:
    """Wait until a scheduler has written its file, for which the client of distributed waits without end."""
    end = time.monotonic() + timeout_s
    while not path.is_file():
        if time.monotonic() > end:
            raise WorkerError(
                f"There is no scheduler file {str(path)!r} after {timeout_s:g} s. Write one with `dask scheduler "
                f"--scheduler-file {path}` in a folder that this machine sees, or give the address that your "
                "scheduler says, such as tcp://HOST:8786."
            )
        time.sleep(min(0.1, timeout_s))


def check_client(client: Any, patience_s: float = PATIENCE_S) -> int:
    """Wait for the first worker, and return how many there are, when all have the versions of this process.

    Parameters
    ----------
    client : distributed.Client
        Of any cluster.
    patience_s : float
        How long to wait for a worker, in seconds.

    Raises
    ------
    ArgumentError
        It is no client, or an asynchronous one.
    WorkerError
        No worker came, or one has other versions than this process.

    Examples
    --------
    >>> with connected("tcp://HOST:8786") as client:  # a scheduler that runs  # doctest: +SKIP
    ...     print(check_client(client))
    """
    there = run_on_workers(client, versions_here, patience_s=patience_s)
    for address, versions in there.items():
        if not isinstance(versions, dict):
            raise WorkerError(
                f"Worker {address} cannot import layerstats ({versions}). Start workers in the same environment."
            )
        others = differences(versions_here(), versions)
        if others:
            raise WorkerError(
                f"Worker {address} has other versions: {'; '.join(others)}. Numbers could differ: start workers in the "
                "same environment."
            )
    return len(there)


def run_on_workers(
    client: Any, function: Callable[..., Any], *arguments: Any, patience_s: float = PATIENCE_S
) -> dict[str, Any]:
    """Return what a function gives on each worker, by its address, when the first one is there; errors among it.

    Raises
    ------
    ArgumentError
        It is no client, or an asynchronous one.
    WorkerError
        No worker came, or there is no scheduler any more.
    """
    if not all(hasattr(client, name) for name in ("submit", "run", "wait_for_workers")):
        raise ArgumentError(
            f"The 'client' parameter must be a distributed.Client, but got {type(client).__name__} instead."
        )
    if client.asynchronous:
        raise ArgumentError("The client is asynchronous; hand in one that was made without asynchronous=True.")
    if client.status not in ("running", "connecting"):
        raise WorkerError(
            f"The client is {client.status}: its scheduler ended, or it was closed. Start a scheduler and its workers, "
            "make a new client and run the same call again."
        )
    lost = require("distributed", "hand tasks to the workers of a cluster", "cluster").comm.CommClosedError
    deadline = time.monotonic() + patience_s
    try:
        while True:
            client.wait_for_workers(1, timeout=max(0.1, deadline - time.monotonic()))
            answers = client.run(function, *arguments, on_error="return")
            # A worker that ended meanwhile is none any more, until its nanny has started another one.
            there = {worker: answer for worker, answer in answers.items() if not isinstance(answer, lost)}
            if there:
                return there
            time.sleep(0.1)
    except OSError as error:  # TimeoutError is one
        if not isinstance(error, TimeoutError):
            raise WorkerError(
                f"The scheduler {_address(client)} cannot be reached any more. Start it and its workers again and run "
                "the same call: what was written is not computed again."
            ) from error
        raise WorkerError(
            f"The cluster has no worker after {patience_s:g} s. Start some, for instance with "
            "`dask worker ADDRESS --nthreads 1`, or ask your cluster to: cluster.scale(8)."
        ) from error


def on_workers(sent: Sent, batches: Sequence[Numbered], client: Any) -> Iterator[tuple[int, Finished]]:
    """Yield the number of each task and what became of it, as the workers of a cluster finish them."""
    total = sum(map(len, batches))
    done = 0
    lost: list[Numbered] = []
    try:
        for answer in _round(sent, batches, client, lost):
            done += 1
            yield answer
        _check_scheduler(client, done, total)
        # Alone, one after the other, so that what ends its worker takes no other task with it.
        for task in chain.from_iterable(lost):
            check_client(client)
            answers = list(_round(sent, [[task]], client, []))
            _check_scheduler(client, done, total)
            done += 1
            yield from answers or [(task[0], Finished(error=WorkerError(_LOST)))]
    except (OSError, WorkerError) as error:
        # A client that lost its scheduler may not know it yet.
        raise _gone(client, done, total) from error


def _held(sent: Sent) -> Sent:
    return sent


def _round(sent: Sent, batches: Sequence[Numbered], client: Any, lost: list[Numbered]) -> Iterator:
    dask = require("dask", "hand tasks to the workers of a cluster", "cluster")
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": sys.maxsize}):
        # Once to every worker, not with every task; a task of its own, which outlives the workers that hold its result.
        shared = client.submit(_held, sent, pure=False)
        futures = {client.submit(run_sent, shared, [task for _, task in batch], pure=False): batch for batch in batches}
    try:
        for future in _as_completed(client, futures):
            batch = futures[future]
            if future.status == "finished":
                try:
                    finished = future.result()
                except (OSError, CancelledError):
                    lost.append(batch)
                    continue
                yield from zip([number for number, _ in batch], finished, strict=True)
                # Its result is let go of by the workers.
                future.release()
            else:
                lost.append(batch)
    finally:
        if client.status == "running":
            client.cancel([*futures, shared], force=True)


def _as_completed(client: Any, futures: Iterable[Any]) -> Iterator[Any]:
    """Yield futures as they are finished, as long as there are workers, or may soon be."""
    distributed = require("distributed", "hand tasks to the workers of a cluster", "cluster")
    waiting = dict.fromkeys(futures)
    while waiting:
        try:
            for future in distributed.as_completed(list(waiting), loop=client.loop, timeout=PATIENCE_S):
                del waiting[future]
                yield future
        except TimeoutError:
            if not client.scheduler_info()["workers"]:
                raise


def _check_scheduler(client: Any, done: int, total: int) -> None:
    """Raise where the scheduler is gone; a client takes a moment to know."""
    deadline = time.monotonic() + _NOTICE_S
    while client.status != "running" and time.monotonic() < deadline:
        time.sleep(0.05)
    if client.status != "running":
        raise _gone(client, done, total)


def _gone(client: Any, done: int, total: int) -> WorkerError:
    return WorkerError(_SCHEDULER.format(address=_address(client), done=done, total=total))


def _address(client: Any) -> str:
    return getattr(client.scheduler, "address", "of the client")
