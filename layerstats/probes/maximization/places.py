"""Several networks on one device, ready to be differentiated by what they hear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from layerstats.models import choose_device, device_for, running


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
        yield place
