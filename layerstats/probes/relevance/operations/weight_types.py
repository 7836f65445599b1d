"""Weights of a network in another type for a while, without losing what they hold in their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

# On weights that have another type for a while: what they hold in their own.
_CONTENT = "_layerstats_content"


@contextmanager
def weights_in(network: nn.Module, dtype: torch.dtype) -> Iterator[None]:
    """Let weights and buffers of real numbers be of a type; afterwards they are the tensors that they were.

    Examples
    --------
    >>> network = nn.Linear(1, 1)
    >>> with weights_in(network, torch.float64):
    ...     network.weight.dtype
    torch.float64
    >>> network.weight.dtype
    torch.float32
    """
    tensors = [*network.parameters(), *network.buffers()]
    contents = [(tensor, tensor.data) for tensor in tensors if tensor.is_floating_point() and tensor.dtype != dtype]
    try:
        for tensor, content in contents:
            tensor.data = content.to(dtype)
            setattr(tensor, _CONTENT, content)
        yield
    finally:
        for tensor, content in contents:
            tensor.data = content
            delattr(tensor, _CONTENT)


def in_type(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """Weights in a type; as they were where they were of it before `weights_in`."""
    content = getattr(weight, _CONTENT, None)
    return content if content is not None and content.dtype == dtype else weight.to(dtype)
