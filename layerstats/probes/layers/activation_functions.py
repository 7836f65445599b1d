"""The activation function that a layer ends with."""

from __future__ import annotations

import re

import torch
from torch import nn

UNKNOWN = ("unknown", None)
# Other libraries that keep their activation functions as modules in one place.
_HOMES = ("torch.nn.modules.activation", "transformers.activations")


def activation_of(module: nn.Module | None) -> tuple[str, float | None]:
    """Return the name and the slope for negative inputs of an activation module, `("unknown", None)` for any other.

    The slope is None where it is not one number. An activation applied by a function, not by a module, cannot be seen.

    Examples
    --------
    >>> activation_of(nn.LeakyReLU(0.2)), activation_of(nn.ReLU()), activation_of(nn.Conv1d(1, 1, 1))
    (('leaky_relu', 0.2), ('relu', 0.0), ('unknown', None))
    """
    if module is None or type(module).__module__ not in _HOMES or isinstance(module, nn.MultiheadAttention):
        return UNKNOWN
    if isinstance(module, nn.LeakyReLU):
        return "leaky_relu", float(module.negative_slope)
    if isinstance(module, nn.ReLU | nn.ReLU6):
        return type(module).__name__.lower(), 0.0
    if isinstance(module, nn.PReLU):
        same = bool(torch.all(module.weight == module.weight[0]))
        return "prelu", float(module.weight[0].detach()) if same else None
    name = type(module).__name__.removesuffix("Activation")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower(), None
