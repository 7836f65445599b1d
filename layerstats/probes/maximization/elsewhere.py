"""Blocks of starts that other processes maximize, each as one task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from layerstats.parallel import run_tasks
from layerstats.probes.maximization.plan import MaximizationPlan
from layerstats.probes.recording.sent_network import SentNetwork, load_in_worker
from layerstats.store import OutcomeWriter


@dataclass(frozen=True, eq=False)
class SentMaximization:
    """Everything that a process needs to write any block of outcomes; it can be pickled.

    Parameters
    ----------
    plan : SentNetwork
        The `MaximizationPlan`, with its networks.
    writing : dict
        Arguments of the `OutcomeWriter`, with absolute path.
    starts : list of str
        The first start of each block, for messages.
    """

    plan: SentNetwork
    writing: Mapping[str, Any]
    starts: list[str]
    _here: dict[str, Any] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # What was loaded stays where it is.
        return {**self.__dict__, "_here": {}}

    def describe(self, number: int) -> str:
        """Say which block it is."""
        return f"block {number + 1} of {len(self.starts)} (from start {self.starts[number]!r} on)"

    def loaded(self) -> tuple[MaximizationPlan, OutcomeWriter]:
        """Return the plan and what writes: made once a process."""
        if not self._here:
            plan = load_in_worker(self.plan, Path(self.writing["path"]))
            self._here.update(plan=plan, writer=OutcomeWriter(**self.writing, joining=True))
        return self._here["plan"], self._here["writer"]


def maximize_block(sent: SentMaximization, number: int) -> int:
    """Maximize and write one block of starts, if nobody has, and return how many starts this process has written."""
    plan, writer = sent.loaded()
    written = 0
    with plan.ready() as place:
        for rows in writer.missing((number, writer.shards)):
            writer.write(rows, plan.run(rows, place))
            written += rows.stop - rows.start
    return written


def write_elsewhere(
    plan: MaximizationPlan,
    writer: OutcomeWriter,
    writing: Mapping[str, Any],
    *,
    workers: int,
    client: Any,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Let other processes write the blocks that are missing."""
    blocks = [writer.rows_of(number) for number in range(writer.shards)]
    lacking, total = writer.lacking(), len(plan.starts)
    before = total - sum(blocks[number].stop - blocks[number].start for number in lacking)

    def moved(done: int, tasks: int) -> None:
        if progress is not None:
            progress(before + (total - before) * done // tasks, total)

    here = {"path": Path(writing["path"]).absolute(), "shard_starts": blocks[0].stop, "overwrite": False}
    starts = [str(plan.starts["start"].iloc[rows.start]) for rows in blocks]
    sent = SentMaximization(SentNetwork.of(plan.network, plan), {**writing, **here}, starts)
    run_tasks(
        partial(maximize_block, sent), lacking, workers=workers, client=client, progress=moved, describe=sent.describe
    )
