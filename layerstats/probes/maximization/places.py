"""Several networks on one device, ready to be differentiated by what they hear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from layerstats.models import choose_device, device_for, running
from layerstats.models.card import ARCHITECTURES


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
        yield place


@contextmanager
def _channels_last(network: nn.Module) -> Iterator[None]:
    """Lay the weights of convolutions out with channels last, which a CPU computes more than twice as fast.

    Of this package's networks only: others may look at their maps in ways that the layout does not allow.
    """
    known = type(network) in ARCHITECTURES.values()
    convolutions = [module for module in network.modules() if known and isinstance(module, nn.Conv2d)]
    before = [module.weight.data for module in convolutions]
    try:
        for module in convolutions:
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)
        yield
    finally:
        for module, weight in zip(convolutions, before, strict=True):
            module.weight.data = weight
