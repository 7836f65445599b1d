"""A recording as tasks: a plan that can be sent to any process, and the function that writes one shard of it."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerstats.checks import check_count, check_part
from layerstats.errors import ArgumentError
from layerstats.models import running
from layerstats.probes.recording.network_run import NetworkRun
from layerstats.probes.recording.sent_network import SentNetwork, load_in_worker
from layerstats.store import RecordingWriter

if sys.platform != "win32":
    import resource


@dataclass(frozen=True)
class ShardReport:
    """What became of a shard; its values are in the store.

    Parameters
    ----------
    number : int
        Which shard, from 0 on.
    tokens : int
        How many tokens it has.
    written : bool
        Whether this process has written it; not where another one had.
    seconds : float
        How long it took.
    memory_mb : float
        The most memory that its process has needed so far, in MB.
    process : str
        Machine and number of the process.

    Examples
    --------
    >>> ShardReport(number=0, tokens=32, written=True, seconds=1.5, memory_mb=400.0, process="1234").seconds
    1.5
    """

    number: int
    tokens: int
    written: bool
    seconds: float
    memory_mb: float
    process: str


@dataclass(frozen=True, eq=False)
class RecordingPlan:
    """Everything that a process needs to write any shard of a recording; it can be pickled.

    Parameters
    ----------
    run : NetworkRun
        How tokens are measured, with what the first ones told, without the network.
    network : SentNetwork
        The network.
    writing : dict
        Arguments of the `RecordingWriter`, with absolute path.
    shards : int
        How many shards there are.
    """

    run: NetworkRun
    network: SentNetwork
    writing: Mapping[str, Any]
    shards: int
    _here: dict[str, Any] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # What was loaded stays where it is.
        return {**self.__dict__, "_here": {}}

    def rows(self, number: int) -> slice:
        """Return the rows of the tokens table that a shard holds."""
        tokens, shard = len(self.writing["tokens"]), self.writing["shard_tokens"]
        return slice(number * shard, min((number + 1) * shard, tokens))

    def describe(self, number: int) -> str:
        """Say which shard it is, and of which tokens.

        Shards count from 1 for people.
        """
        rows, tokens = self.rows(number), self.writing["tokens"]["token"]
        ends = repr(tokens.iloc[rows.start])
        ends += f" to {tokens.iloc[rows.stop - 1]!r}" if rows.stop - rows.start > 1 else ""
        return f"shard {number + 1} of {self.shards} (tokens {ends})"

    def loaded(self) -> tuple[NetworkRun, RecordingWriter]:
        """Return what measures, with the network, and what writes: made once a process."""
        if not self._here:
            network = load_in_worker(self.network, Path(self.writing["path"]))
            self._here["run"] = self.run.with_network(network)
            self._here["writer"] = RecordingWriter(**self.writing, joining=True)
        return self._here["run"], self._here["writer"]


def record_shard(plan: RecordingPlan, number: int) -> ShardReport:
    """Measure and write one shard of a recording, if nobody has: its presence in the store says that it is done.

    The same shard gives the same bytes in any process, in any order; a process that is killed has written the whole
    shard or nothing of it.

    Parameters
    ----------
    plan : RecordingPlan
        As `plan_recording` makes it.
    number : int
        Which shard, from 0 on.

    Returns
    -------
    ShardReport
        Nothing but what became of it.

    Raises
    ------
    AudioError, DataError, NetworkError
        As for `record`; the token is in the message.
    StoreError
        The disk is full, or the recording was removed or replaced meanwhile.
    WorkerError
        This process does not see the store, or cannot import the network's classes.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import ConvolutionalEncoder
    >>> from layerstats.probes import Activation, plan_recording
    >>> speech = demo_corpus(words=["ask", "wash"], voices=4)
    >>> network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plan = plan_recording(network, speech, f"{folder}/speech.zarr", Activation(), layers="conv5")
    ...     report = record_shard(plan, 0)
    ...     report.number, report.tokens
    (0, 8)
    """
    start = time.perf_counter()
    run, writer = plan.loaded()
    written = False
    with running(run.model, run.place, differentiate=run.quantity.needs_gradients):
        for rows in writer.missing((number, writer.shards)):
            writer.write(rows, run.shard(rows))
            written = True
    rows = plan.rows(number)
    process = f"{platform.node()}:{os.getpid()}"
    return ShardReport(number, rows.stop - rows.start, written, time.perf_counter() - start, _memory_mb(), process)


def part_of_shards(shard: tuple[int, int] | None, workers: int, client: Any) -> tuple[int, int]:
    """Return which shards this process writes, as writers count: (2, 64) is the third of 64 parts, (0, 1) all.

    Raises
    ------
    ArgumentError
        There is no such part, or it is to be shared with others.
    """
    check_count("workers", workers)
    if shard is None:
        return 0, 1
    check_part(shard)
    if workers != 1 or client is not None:
        raise ArgumentError("A part of the shards is recorded by this process alone: leave out workers= and client=.")
    return shard[0] - 1, shard[1]


def _memory_mb() -> float:
    if sys.platform == "win32":
        return float("nan")
    # In kilobytes on Linux, in bytes on a Mac.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
