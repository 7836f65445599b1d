"""BatchNorm: part of the linear operation before it, in the order of execution."""

from __future__ import annotations

import torch
from torch import Tensor

from layerstats.errors import NetworkError
from layerstats.probes.relevance.operations.call import Norm, OperationCall, Shift
from layerstats.probes.relevance.operations.registry import operation_named, register_rule


@register_rule("batch_norm", kind="batch_norm")
def merge(call: OperationCall, relevance: Tensor) -> Tensor:
    """Merge the normalisation into its neighbour.

    After a convolution or a linear operation (whose output nothing else uses) it is part of that: scale in the
    weights, shift in the bias. Else, for instance after the activation, it is part of the linear operation that comes
    next, be it after pooling or padding. With no such neighbour its input's share is that of `scale * input` in the
    output, and the shift has the rest, as a bias has.
    """
    norm = norm_of(call)
    if _handed_over(call, norm) or call.merged_after:
        return relevance
    output = call.output
    share = output - along_channels(norm.shift, output)
    return torch.where(output == 0, 0.0, share * relevance / torch.where(output == 0, 1.0, output))


def sign(call: OperationCall, relevance: Tensor) -> Tensor:
    """Hand all relevance on; the linear operation before it hears what the normalisation gave, of which rules may use
    the sign (Krug & Stober 2018, Eq. 3)."""  # noqa: D205, D209
    _handed_over(call, norm_of(call))
    return relevance


def norm_of(call: OperationCall) -> Norm:
    """Return what a call does: scale, shift and output.

    Raises
    ------
    NetworkError
        The statistics are those of the batch.
    """
    mean, variance = call.argument(1, "running_mean"), call.argument(2, "running_var")
    if mean is None or variance is None or call.argument(5, "training", False):
        raise NetworkError(
            f"The batch_norm of {call.place} takes its statistics from the batch, so that tokens depend on each other. "
            "Relevance needs a network in eval mode whose BatchNorm keeps running statistics."
        )
    weight, bias, smallest = call.argument(3, "weight"), call.argument(4, "bias"), call.argument(7, "eps", 1e-5)
    scale = torch.rsqrt(variance + smallest)
    scale = scale if weight is None else scale * weight
    shift = -mean * scale
    return Norm(scale, shift if bias is None else shift + bias, call.output)


def neighbour_before(call: OperationCall) -> OperationCall | None:
    """Return the linear operation whose output, which nothing else uses, was normalised; None where there is none."""
    before = linear_before(call)
    return None if before is None or before.uses != 1 else before


def linear_before(call: OperationCall) -> OperationCall | None:
    """Return the linear operation whose output was normalised, whatever else uses it; None where there is none."""
    before = call.previous[0]
    operation = None if before is None else operation_named(before.name)
    if before is None or operation is None or operation.kind != "linear":
        return None
    # The channels of a linear operation are on the last axis, those of the normalisation on the second.
    return None if before.name == "linear" and before.axes != 2 else before


def merges_after(shift: Shift | None) -> bool:
    """Whether a normalisation is part of the linear operation that its values came to."""
    if shift is None or shift.norm.rule is not merge or shift.norm.shift_uses != shift.steps:
        return False
    return neighbour_before(shift.norm) is None


def shift_of(call: OperationCall, values: Tensor) -> Shift:
    """Return what a call makes of the values that it gets."""
    norm = norm_of(call)
    scaled = values.detach() * along_channels(norm.scale, values)
    # A sum, not a difference of outputs: what was 0 before must contribute 0, not what rounding leaves.
    return Shift(call, scaled, along_channels(norm.shift, values), 1)


def _handed_over(call: OperationCall, norm: Norm) -> bool:
    """Tell the linear operation before about the normalisation; False where there is none."""
    before = neighbour_before(call)
    if before is not None:
        before.norm = norm
    return before is not None


def along_channels(values: Tensor, like: Tensor) -> Tensor:
    """(channel,) so shaped that it goes with (token, channel, ...)."""
    return values.reshape(1, -1, *(1 for _ in like.shape[2:]))
