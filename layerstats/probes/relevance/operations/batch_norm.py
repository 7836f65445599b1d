"""BatchNorm: part of the linear operation before it, in the order of execution."""

from __future__ import annotations

import torch
from torch import Tensor

from layerstats.errors import NetworkError
from layerstats.probes.relevance.operations.call import Norm, OperationCall
from layerstats.probes.relevance.operations.registry import operation_named, register_rule


@register_rule("batch_norm", kind="batch_norm")
def merge(call: OperationCall, relevance: Tensor) -> Tensor:
    """Merge the normalisation into its neighbour.

    After a convolution or a linear operation (whose output nothing else uses) it is part of that: scale in the weights,
    shift in the bias. Elsewhere, for instance after the activation, it belongs to what comes next: its input's share is
    that of `scale * input` in the output, and the shift has the rest, as a bias has.
    """
    norm = _norm(call)
    if _handed_over(call, norm):
        return relevance
    output = call.output
    share = output - _along_channels(norm.shift, output)
    return torch.where(output == 0, 0.0, share * relevance / torch.where(output == 0, 1.0, output))


def sign(call: OperationCall, relevance: Tensor) -> Tensor:
    """Hand all relevance on; the linear operation before it hears what the normalisation gave, of which rules may use
    the sign (Krug & Stober 2018, Eq. 3)."""  # noqa: D205, D209
    _handed_over(call, _norm(call))
    return relevance


def _norm(call: OperationCall) -> Norm:
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


def _handed_over(call: OperationCall, norm: Norm) -> bool:
    """Tell the linear operation before about the normalisation; False where there is none or others use its output."""
    before = call.previous[0]
    operation = None if before is None else operation_named(before.name)
    if before is None or operation is None or operation.kind != "linear" or before.uses != 1:
        return False
    if before.name == "linear" and call.output.ndim != 2:
        return False  # its channels are on the last axis, those of the normalisation on the second
    before.norm = norm
    return True


def _along_channels(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(1, -1, *(1 for _ in like.shape[2:]))
