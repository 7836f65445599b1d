"""Normalisation of a token by its own mean and variance: LayerNorm, GroupNorm, InstanceNorm, RMSNorm.

The root of the variance sets a scale and is a constant (Achtibat et al. 2024, Proposition 3.4); what remains (taking
off the mean, a gain and a shift) is linear and has the rule of sums. The shift keeps its share, as a bias does.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from layerstats.errors import NetworkError
from layerstats.probes.relevance.operations.call import OperationCall
from layerstats.probes.relevance.operations.registry import register_shared
from layerstats.probes.relevance.operations.shared import Denominators


@register_shared("layer_norm", "rms_norm", kind="normalisation")
def layer_norm(call: OperationCall, relevance: Tensor, denominators: Denominators) -> Any:
    """Share the relevance of each value among those that it was compared with."""
    axes = tuple(range(-len(call.argument(1, "normalized_shape")), 0))
    gain, centred = call.argument(2, "weight"), call.name == "layer_norm"
    shift = call.argument(3, "bias") if centred else None
    epsilon = call.argument(4 if centred else 3, "eps", 1e-5 if centred else None)
    by_denominator = denominators(relevance, call.output, shift)
    if gain is not None:
        by_denominator = by_denominator * gain
    return _only_first(call, _of_input(call.inputs[0], by_denominator, axes, epsilon, centred))


@register_shared("group_norm", "instance_norm", kind="normalisation")
def group_norm(call: OperationCall, relevance: Tensor, denominators: Denominators) -> Any:
    """Share the relevance of each value among those of its group of channels."""
    given = call.inputs[0]
    if call.name == "group_norm":
        groups, gain, shift = call.argument(1, "num_groups"), call.argument(2, "weight"), call.argument(3, "bias")
        epsilon = call.argument(4, "eps", 1e-5)
    else:
        groups, gain, shift = given.shape[1], call.argument(3, "weight"), call.argument(4, "bias")
        epsilon = call.argument(7, "eps", 1e-5)
        if not call.argument(5, "use_input_stats", True):
            raise NetworkError(
                f"The instance_norm of {call.place} normalises by running statistics, which has no rule. Make it a "
                "BatchNorm with the same statistics, which computes the same."
            )
    by_denominator = denominators(relevance, call.output, shift)
    if gain is not None:
        by_denominator = by_denominator * gain.reshape(1, -1, *(1 for _ in given.shape[2:]))
    shape = (len(given), groups, -1)
    found = _of_input(given.reshape(shape), by_denominator.reshape(shape), (-1,), epsilon, True)
    return _only_first(call, found.reshape(given.shape))


@register_shared("norm", "linalg_vector_norm", "linalg_norm", "vector_norm", "std", "var", kind="size")
def size(call: OperationCall, relevance: Tensor, denominators: Denominators) -> Tensor:
    """Share the relevance of a size in proportion to x_i d/dx_i, which add up to it (to twice a variance).

    Where a size only divides, it gets none.
    """
    by_denominator = denominators(relevance, call.output) / (2 if call.name == "var" else 1)
    with torch.enable_grad():
        at = call.inputs[0].detach().requires_grad_()
        slope = torch.autograd.grad(call.compute([at]), at, by_denominator)[0]
    return call.inputs[0] * slope


def _of_input(
    given: Tensor, by_denominator: Tensor, axes: tuple[int, ...], epsilon: float | None, centred: bool
) -> Tensor:
    """Relevance of the input: what it contributes to each output of its group, times relevance by denominator."""
    epsilon = torch.finfo(given.dtype).eps if epsilon is None else epsilon
    apart = given
    if centred:
        apart = given - given.mean(axes, keepdim=True)
        by_denominator = by_denominator - by_denominator.mean(axes, keepdim=True)
    # Twenty times as quick as torch.var.
    variance = apart.square().mean(axes, keepdim=True)
    return given * by_denominator * (variance + epsilon).rsqrt()


def _only_first(call: OperationCall, relevance: Tensor) -> Any:
    """Relevance of the input; gains and shifts that depend on the input too get none."""
    return (relevance, *(None for _ in call.inputs[1:]))
