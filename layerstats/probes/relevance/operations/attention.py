"""Attention: two products and a softmax between them (Achtibat et al. 2024)."""

from __future__ import annotations

import torch
from torch import Tensor

from layerstats.probes.relevance.operations.call import OperationCall
from layerstats.probes.relevance.operations.registry import register_expansion, register_rule, register_shared
from layerstats.probes.relevance.operations.shared import Denominators


@register_rule("softmax", kind="softmax")
def softmax(call: OperationCall, relevance: Tensor) -> Tensor:
    """Taylor's first order at the input, R_i = x_i (R_i - s_i sum_j R_j) (Proposition 3.1).

    What the first order leaves stays behind, as in a bias: relevance is not conserved. The rule "constant" conserves,
    by giving queries and keys none (Ali et al. 2022).
    """
    values, shares = call.inputs[0], call.output
    total = relevance.sum(call.argument(1, "dim"), keepdim=True)
    # What is masked by minus infinity has a share of 0, and no relevance.
    return torch.where(shares == 0, 0.0, values) * (relevance - shares * total)


@register_shared("log_softmax", kind="softmax")
def log_softmax(call: OperationCall, relevance: Tensor, denominators: Denominators) -> Tensor:
    """Taylor's first order at the input, R_i = x_i (R_i / y_i - s_i sum_j R_j / y_j) (Eq. 4 with this Jacobian)."""
    by_denominator = denominators(relevance, call.output, bias=call.output)
    total = by_denominator.sum(call.argument(1, "dim"), keepdim=True)
    return call.inputs[0] * (by_denominator - call.output.exp() * total)


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """`scaled_dot_product_attention` as its documentation writes it out, without dropout."""
    if enable_gqa:
        groups = query.size(-3) // key.size(-3)
        key, value = key.repeat_interleave(groups, -3), value.repeat_interleave(groups, -3)
    scores = (query * (query.size(-1) ** -0.5 if scale is None else scale)) @ key.transpose(-2, -1)
    if is_causal:
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(hidden, -torch.inf)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -torch.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    return scores.softmax(-1) @ value


register_expansion("scaled_dot_product_attention", _attention)
