"""Networks that cannot be recorded as they stand: found before anything runs, with what to do."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from layerstats.errors import NetworkError


def check_ready(model: nn.Module, layers: Sequence[str] = ()) -> None:
    """Raise `NetworkError` where weights are not there yet, or a chosen layer is inside a compiled TorchScript module.

    Parameters
    ----------
    model : torch.nn.Module
        Any network.
    layers : sequence of str
        Names of the modules that are to be heard.

    Examples
    --------
    >>> check_ready(nn.Linear(2, 2, device="meta"))
    Traceback (most recent call last):
    layerstats.errors.NetworkError: The weight 'weight' of this Linear is on the device "meta", which holds no values...
    """
    kind = type(model).__name__
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if nn.parameter.is_lazy(tensor):
            raise NetworkError(
                f"The weight {name!r} of this {kind} has no shape yet (a lazy module). Call the network once on an "
                "input, or load its weights, before it is recorded."
            )
        if tensor.is_meta:
            raise NetworkError(
                f'The weight {name!r} of this {kind} is on the device "meta", which holds no values. Load its '
                'weights, for instance with model.to_empty(device="cpu") and model.load_state_dict(...).'
            )
    scripted = [name for name, module in model.named_modules() if isinstance(module, torch.jit.ScriptModule)]
    for layer in layers:
        around = next((name for name in scripted if not name or f"{layer}.".startswith(f"{name}.")), None)
        if around is not None:
            raise NetworkError(
                f"Layer {layer!r} is inside {around or 'the network'!r}, which torch.jit compiled: what its modules "
                "give cannot be seen. Record the network that was scripted or traced, with the same weights."
            )
