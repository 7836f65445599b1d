"""Products and quotients of what relevance flows through (Achtibat et al. 2024, Propositions 3.2 and 3.3)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from layerstats.probes.relevance.operations.call import OperationCall
from layerstats.probes.relevance.operations.linear import LinearOperation
from layerstats.probes.relevance.operations.registry import register_expansion, register_rule, register_shared
from layerstats.probes.relevance.operations.shared import Denominators


@register_rule("mul", "neg", kind="product")
def product(call: OperationCall, relevance: Tensor) -> Any:
    """Give each factor the same part, whatever its value: half where both depend on the input, all where one does.

    That a gate gets nothing and its signal all (Arras et al. 2017) is the rule "constant" of the gate: "sigmoid".
    """
    part = relevance / len(call.inputs)
    return tuple(part.expand(call.output.shape).sum_to_size(given.shape) for given in call.inputs)


@register_rule("div", "rdiv", kind="product")
def division(call: OperationCall, relevance: Tensor) -> Any:
    """Give the numerator all: what divides only sets a scale (Proposition 3.4), unless the numerator is a constant."""
    whole = relevance.expand(call.output.shape).sum_to_size(call.inputs[0].shape)
    return (whole, *(None for _ in call.inputs[1:]))


@register_shared("matmul", "bmm", "mm", "mv", "dot", "einsum", kind="product")
def matrix_product(call: OperationCall, relevance: Tensor, denominators: Denominators) -> Any:
    """Give each factor half, and share that in proportion to a_ji v_ip (Eq. 14); a constant factor is weights."""
    if len(call.inputs) == len(call.constants) == 1:
        return denominators.linear.of(_ByConstant(call), relevance)
    by_denominator = denominators(relevance / len(call.inputs), call.output)
    found = _transposed(call, by_denominator)
    return tuple(given * back for given, back in zip(call.inputs, found, strict=True))


class _ByConstant(LinearOperation):
    """A product of an input with a constant, whichever comes first."""

    @property
    def own_weight(self) -> Tensor:
        return self.call.constants[0]

    def forward(self, values: Tensor, weight: Tensor) -> Tensor:
        return self.call.compute([values], [weight])

    def transposed(self, values: Tensor, weight: Tensor) -> Tensor:
        with torch.enable_grad():
            at = torch.zeros_like(self.input, dtype=values.dtype).requires_grad_()
            return torch.autograd.grad(self.forward(at, weight), at, values)[0]


def _transposed(call: OperationCall, values: Tensor) -> tuple[Tensor, ...]:
    """For each factor the product of the others with `values`, shaped as the factor."""
    if call.name != "einsum" and min(given.ndim for given in call.inputs) > 1:
        first, second = call.inputs
        of_first, of_second = values @ second.mT, first.mT @ values
        return of_first.sum_to_size(first.shape), of_second.sum_to_size(second.shape)
    with torch.enable_grad():
        at = [given.detach().requires_grad_() for given in call.inputs]
        return torch.autograd.grad(call.compute(at), at, values)


def _sum_and_product(input: Tensor, first: Tensor, second: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """`addmm`, `baddbmm` and `addmv`."""
    product = first @ second
    product = product if alpha == 1 else product * alpha
    return product if beta == 0 else product + (input if beta == 1 else input * beta)


def _gated(input: Tensor, dim: int = -1) -> Tensor:
    """`glu`: one half is let through by the sigmoid of the other."""
    signal, gate = input.chunk(2, dim)
    return signal * gate.sigmoid()


for _name in ("addmm", "baddbmm", "addmv"):
    register_expansion(_name, _sum_and_product)
register_expansion("glu", _gated)
