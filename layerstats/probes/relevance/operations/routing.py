"""Operations that move, copy or choose values: torch's own gradient takes relevance back where each value came from.

Of a copied value the relevances of its copies add up; a maximum hands all to the value that it chose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from layerstats.errors import NetworkError
from layerstats.probes.relevance.operations.call import parameters_of
from layerstats.probes.relevance.operations.registry import register_routed

register_routed(
    # Shapes.
    "view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "transpose", "swapaxes", "swapdims", "permute",
    "movedim", "moveaxis", "t", "T", "mT", "H", "mH", "view_as", "reshape_as", "contiguous", "ravel", "adjoint",
    "as_strided", "unfold", "channel_shuffle", "pixel_shuffle", "pixel_unshuffle", "native_channel_shuffle",
    "atleast_1d", "atleast_2d", "atleast_3d", "diagonal", "flip", "fliplr", "flipud", "roll", "rot90",
    # Copies.
    "clone", "to", "type", "float", "double", "half", "bfloat16", "cpu", "cuda", "type_as", "expand", "expand_as",
    "repeat", "repeat_interleave", "tile", "broadcast_to", "broadcast_tensors", "alias", "real", "copy",
    "requires_grad", "pin_memory",
    # Parts.
    "getitem", "setitem", "narrow", "select", "chunk", "split", "split_with_sizes", "tensor_split", "unbind", "hsplit",
    "vsplit", "index_select", "gather", "take", "take_along_dim", "masked_select", "masked_fill", "where", "tril",
    "triu", "index_copy", "index_fill", "index_put", "masked_scatter", "unsafe_chunk", "unsafe_split",
    # Together.
    "cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "pad", "constant_pad_nd",
    # Choices.
    "max_pool1d", "max_pool2d", "max_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d",
    "max_pool1d_with_indices", "max_pool2d_with_indices", "max_pool3d_with_indices", "fractional_max_pool2d",
    "fractional_max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d", "max", "amax", "min", "amin", "maximum",
    "minimum", "fmax", "fmin", "sort", "topk", "kthvalue", "median", "cummax", "cummin",
    # In eval mode these give what they get.
    "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout", "feature_alpha_dropout",
)  # fmt: skip


def moved_as(
    func: Callable[..., Any], args: tuple, kwargs: dict[str, Any]
) -> tuple[Callable[[Tensor], Tensor], Tensor | float]:
    """Return what takes parts of values to where an operation takes the values (`args[0]`), and what that adds.

    A maximum of parts would not be a part of the maximum, and what is padded with is no part of any.
    """
    name = getattr(func, "__name__", "")
    if name.startswith("max_pool"):
        axes = int(name[len("max_pool")])
        options = {key: value for key, value in kwargs.items() if key != "return_indices"}
        found = getattr(F, name)(args[0].detach(), *args[1:6], **options, return_indices=True)[1]
        places = found.flatten(-axes)
        return lambda part: part.flatten(-axes).gather(-1, places).reshape(found.shape), 0.0
    if name == "pad":
        added = func(torch.zeros_like(args[0]), *args[1:], **kwargs)
        return lambda part: func(part, *args[1:], **kwargs) - added, added
    return lambda part: func(part, *args[1:], **kwargs), 0.0


def check_dropout(name: str, func: Callable[..., Any], args: tuple, kwargs: dict[str, Any], place: str) -> None:
    """Raise `NetworkError` where values drop out at random although the network is in eval mode."""
    if "dropout" not in name:
        return
    signature = parameters_of(func)
    if signature is None:  # torch.dropout(input, p, train)
        given = dict(zip(("input", "p", "training"), args, strict=False)) | kwargs
        drops, share = given.get("training", given.get("train", False)), given.get("p", 0.5)
    else:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        drops, share = bound.arguments.get("training", False), bound.arguments.get("p", 0.5)
    if drops and share > 0:
        raise NetworkError(
            f"The {name} that {place} calls drops values at random although the network is in eval mode, so that "
            "relevance would be of other values each time. Call it with training=self.training."
        )
