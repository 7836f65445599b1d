"""Operations that move, copy or choose values: torch's own gradient takes relevance back where each value came from.

Of a copied value the relevances of its copies add up; a maximum hands all to the value that it chose.
"""

from __future__ import annotations

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
