"""A network at rest: in eval mode, on the chosen device, without gradients; afterwards exactly as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from layerstats.models import choose_device, seeded


def device_of(model: nn.Module) -> torch.device | None:
    """Return the device of a network's weights; None where it has none, or they lie on several."""
    devices = {tensor.device for tensor in (*model.parameters(), *model.buffers())}
    return devices.pop() if len(devices) == 1 else None


def dtype_of(model: nn.Module) -> torch.dtype:
    """Return the type of a network's first weight, float32 where it has none."""
    return next((weight.dtype for weight in model.parameters() if weight.is_floating_point()), torch.float32)


def place_for(model: nn.Module, device: str) -> torch.device:
    """Return the device to run a network on: see `layerstats.models.choose_device`.

    A network that its owner spread over several devices is left so by "auto".
    """
    home = device_of(model)
    first = next(model.parameters(), None)
    if device == "auto" and home is None and first is not None:
        return first.device
    return choose_device(device, otherwise=home)


@contextmanager
def at_rest(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Put a network in eval mode on `device`, and take everything back at the end, whatever happens.

    Restored are the training flag of every submodule, the device, and the buffers and attributes, should the network
    change them.
    """
    flags = [(module, module.training) for module in model.modules()]
    buffers = [
        (module, name, buffer, buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    attributes = [(module, dict(vars(module))) for module in model.modules() if not _is_scripted(module)]
    home = device_of(model)
    try:
        model.eval()
        if home is not None and home != device:
            model.to(device)
        # TF32 would round the inputs of convolutions to ten bits; other algorithms may sum in another order each time.
        with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    finally:
        if home is not None and home != device:
            model.to(home)
        for module, name, buffer, value in buffers:
            module._buffers[name] = buffer
            if not torch.equal(buffer, value):
                with torch.no_grad():
                    buffer.copy_(value)
        for module, before in attributes:
            now = vars(module)
            if now.keys() != before.keys() or any(now[name] is not before[name] for name in before):
                vars(module).clear()
                vars(module).update(before)
        for module, flag in flags:
            module.training = flag


@contextmanager
def drawing(seed: int, place: torch.device) -> Iterator[None]:
    """Draw the random numbers of torch, numpy and Python from `seed`; afterwards their states are what they were."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - the networks' global state
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        with seeded(seed, place):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


def _is_scripted(module: nn.Module) -> bool:
    # Their attributes live elsewhere.
    return isinstance(module, torch.jit.ScriptModule)
