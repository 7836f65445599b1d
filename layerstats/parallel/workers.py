"""What workers a cluster has: machines, threads, memory, versions, and whether they see a folder."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.files import explaining
from layerstats.parallel.cluster import PATIENCE_S, run_on_workers
from layerstats.parallel.versions import differences, versions_here

_MB = 2**20


def describe_workers(
    client: Any, folder: str | os.PathLike[str] | None = None, patience_s: float = PATIENCE_S
) -> pd.DataFrame:
    """Return a row a worker of a cluster; nothing is started or computed there.

    Parameters
    ----------
    client : distributed.Client
        Of any cluster.
    folder : path, optional
        A folder here, such as that of a store: do they see it under this name, and may they write there?
    patience_s : float
        How long to wait for the first worker, in seconds.

    Returns
    -------
    DataFrame
        `worker, machine, process, threads, memory_limit_mb, memory_mb, problem` (what differs in versions, or that
        layerstats cannot be imported; empty where all is well) and, with a folder, `sees_folder, writes_folder`.

    Raises
    ------
    ArgumentError
        There is no such folder here.
    WorkerError
        No worker came in time.

    Examples
    --------
    >>> with connected("tcp://HOST:8786") as client:  # a scheduler that runs  # doctest: +SKIP
    ...     print(describe_workers(client))
    """
    with _marked(folder) as mark:
        answers = run_on_workers(client, _about, mark, patience_s=patience_s)
    rows = []
    for worker, told in answers.items():
        known = isinstance(told, dict)
        problem = "; ".join(differences(versions_here(), told.pop("versions"))) if known else f"{told}"
        rows.append({"worker": worker, **(told if known else {}), "problem": problem})
    frame = pd.DataFrame(rows)
    return frame.sort_values("worker", ignore_index=True)


def _about(mark: str | None, dask_worker: Any = None) -> dict[str, Any]:
    """Return what a worker knows of itself; distributed hands it in under that name."""
    worker = dask_worker
    limit = worker.memory_manager.memory_limit
    told: dict[str, Any] = {
        "machine": platform.node(),
        "process": os.getpid(),
        "threads": worker.state.nthreads,
        "memory_limit_mb": float("nan") if limit is None else round(limit / _MB),
        "memory_mb": round(worker.monitor.recent()["memory"] / _MB),
        "versions": versions_here(),
    }
    if mark is not None:
        folder, name = os.path.split(mark)
        # A listing, since some file systems remember for a while that a file was not there.
        there = os.path.isdir(folder) and name in os.listdir(folder)
        told |= {"sees_folder": there, "writes_folder": there and os.access(folder, os.W_OK)}
    return told


@contextmanager
def _marked(folder: str | os.PathLike[str] | None) -> Iterator[str | None]:
    """Give a file in a folder for the length of a block: who sees it sees this folder, and not one of the same name."""
    if folder is None:
        yield None
        return
    place = Path(folder).absolute()
    if not place.is_dir():
        raise ArgumentError(f"There is no folder {place} here. Make it, or name the folder that the store is in.")
    with explaining(place), tempfile.NamedTemporaryFile(prefix=".layerstats-", dir=place) as file:
        yield file.name
