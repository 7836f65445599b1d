"""Several processes, each with its share of the batch, as `torchrun` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is.

    Every process draws the random numbers of the whole batch from the same seed and keeps its share, so that the
    result is that of one process, but for the order of sums.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """Return this process's part of a batch that every process has drawn."""
        return batch.chunk(self.count)[self.rank] if self.count > 1 else batch

    def average_(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their means over the processes, in one exchange."""
        if self.count == 1:
            return
        listed = list(tensors)
        joined = torch.cat([tensor.flatten() for tensor in listed])
        distributed.all_reduce(joined)
        joined /= self.count
        for tensor, mean in zip(listed, joined.split([tensor.numel() for tensor in listed]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def agree(self, value: bool) -> bool:
        """Return the first process's answer in every process."""
        if self.count == 1:
            return value
        answer = [value]
        distributed.broadcast_object_list(answer)
        return answer[0]


@contextmanager
def started_processes(device: torch.device) -> Iterator[Processes]:
    """Join the processes that torchrun started, for the length of the block; without torchrun there is one."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()


def own_device(device: torch.device) -> torch.device:
    """Return the GPU of this process where torchrun started one process a GPU."""
    if device.type == "cuda" and device.index is None and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device
