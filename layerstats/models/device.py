"""Where a network runs, and in which type of numbers."""

from __future__ import annotations

import torch
from torch import nn

from layerstats.errors import ArgumentError


def choose_device(device: str, otherwise: torch.device | None = None) -> torch.device:
    """Return the device of that name; for "auto" a GPU where there is one, else `otherwise`, else the CPU.

    Raises
    ------
    ArgumentError
        There is no such device here.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else otherwise or "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA says so by an AssertionError
        raise ArgumentError(
            "Invalid value for the 'device' parameter. Allowed values are 'auto', 'cpu', and 'cuda' where there is a "
            f"GPU, but got {device!r} instead ({str(error).splitlines()[0]})."
        ) from error
    return chosen


def device_of(model: nn.Module) -> torch.device | None:
    """Return the device of a network's weights; None where it has none, or they lie on several.

    Examples
    --------
    >>> from torch import nn
    >>> device_of(nn.Linear(2, 1)), device_of(nn.ReLU())
    (device(type='cpu'), None)
    """
    devices = {tensor.device for tensor in (*model.parameters(), *model.buffers())}
    return devices.pop() if len(devices) == 1 else None


def dtype_of(model: nn.Module) -> torch.dtype:
    """Return the type of a network's first weight, float32 where it has none.

    Examples
    --------
    >>> from torch import nn
    >>> dtype_of(nn.Linear(2, 1).half())
    torch.float16
    """
    return next((weight.dtype for weight in model.parameters() if weight.is_floating_point()), torch.float32)


def device_for(model: nn.Module, device: str) -> torch.device:
    """Return the device to run a network on: see `choose_device`.

    A network that its owner spread over several devices is left so by "auto".

    Examples
    --------
    >>> device_for(nn.Linear(2, 2), "cpu")
    device(type='cpu')
    """
    home = device_of(model)
    first = next(model.parameters(), None)
    if device == "auto" and home is None and first is not None:
        return first.device
    return choose_device(device, otherwise=home)
