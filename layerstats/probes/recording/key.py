"""The key of a recording: a hash of everything that determines its values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from layerstats.store import content_hash

_PROVENANCE = ("_name_or_path", "transformers_version")


def _bytes(tensor: Tensor) -> np.ndarray:
    # As bytes, for numpy has no bfloat16.
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def tensors_hash(tensors: Mapping[str, Tensor]) -> str:
    """Hash named tensors: names, types, shapes and content, wherever they lie.

    Examples
    --------
    >>> tensors_hash({"a": torch.ones(2)}) == tensors_hash({"a": torch.ones(2, 1)})
    False
    """
    return content_hash(
        {name: [str(tensor.dtype), list(tensor.shape), _bytes(tensor)] for name, tensor in tensors.items()}
    )


def model_hash(model: nn.Module) -> str:
    """Hash a network: its weights and buffers, and the classes and plain settings of its modules.

    Settings are what `repr` shows and the public attributes that are numbers, text, truth values or sequences of
    these; so a stride that is only used inside `forward` counts too. Training flags do not.

    Examples
    --------
    >>> model_hash(nn.LeakyReLU(0.2)) == model_hash(nn.LeakyReLU(0.1))
    False
    """
    weights = tensors_hash({**dict(model.named_parameters()), **dict(model.named_buffers())})
    return content_hash(weights, {name: _settings(module) for name, module in model.named_modules()})


def _settings(module: nn.Module) -> dict[str, Any]:
    plain = {
        name: repr(value)
        for name, value in vars(module).items()
        if not name.startswith("_") and name != "training" and _is_plain(value)
    }
    kind = type(module)
    settings = {"class": f"{kind.__module__}.{kind.__qualname__}", "repr": module.extra_repr(), "attributes": plain}
    to_dict = getattr(getattr(module, "config", None), "to_dict", None)
    if to_dict is not None:
        # Where it was downloaded from and by which version does not change what it computes.
        told = {name: value for name, value in to_dict().items() if name not in _PROVENANCE}
        settings["config"] = json.dumps(told, sort_keys=True, default=str)
    return settings


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | bool | int | float)
