"""Several networks on one device, ready to be differentiated by what they hear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from layerstats.models import choose_device, device_for, running

# A little less than 32 MiB.
_LARGEST_KEPT = 2**25 - 2**14


@contextmanager
def differentiating(networks: Sequence[nn.Module], device: str) -> Iterator[torch.device]:
    """Put networks in eval mode on one device, with gradients, and leave them as they were; yield the device.

    Examples
    --------
    >>> network = nn.Dropout(0.5)
    >>> with differentiating([network], "cpu") as place:
    ...     place, network.training
    (device(type='cpu'), False)
    """
    place = device_for(networks[0], device) if networks else choose_device(device)
    with ExitStack() as stack:
        for network in networks:
            stack.enter_context(running(network, place, differentiate=True))
            if place.type == "cpu":
                stack.enter_context(_channels_last(network))
        if place.type == "cpu":
            _keep_freed_memory()
        yield place


@contextmanager
def _channels_last(network: nn.Module) -> Iterator[None]:
    """Lay the weights of convolutions out with channels last, which a CPU computes more than twice as fast.

    Of this package's networks only: others may look at their maps in ways that the layout does not allow.
    """
    parts = list(network) if isinstance(network, nn.ModuleList) else [network]
    own = all(type(one).__module__.partition(".")[0] == "layerstats" for one in parts)
    weights = [module.weight for module in network.modules() if own and isinstance(module, nn.Conv2d)]
    before = [weight.data for weight in weights]
    try:
        for weight, data in zip(weights, before, strict=True):
            # Not `contiguous`, which leaves the strides of a single channel as they are.
            weight.data = torch.empty_like(data, memory_format=torch.channels_last).copy_(data)
        yield
    finally:
        for weight, data in zip(weights, before, strict=True):
            weight.data = data


def _keep_freed_memory() -> None:
    """Let glibc keep what is freed between steps, instead of asking the system for it anew at each of them.

    It keeps blocks up to the size of the largest that was freed, at most 32 MiB (mallopt(3), M_MMAP_THRESHOLD).
    """
    torch.empty(_LARGEST_KEPT, dtype=torch.uint8)
