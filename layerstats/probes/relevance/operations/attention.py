"""Attention: two products and a softmax between them (Achtibat et al. 2024)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from layerstats.errors import NetworkError
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
    hidden = None
    if is_causal:
        hidden = torch.ones(query.size(-2), key.size(-2), dtype=torch.bool, device=query.device).tril()
    return _weights(query, key, (hidden, attn_mask), scale) @ value


def _multi_head_attention(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int, in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None, bias_k: Tensor | None, bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float,
    out_proj_weight: Tensor, out_proj_bias: Tensor | None, training: bool = True,
    key_padding_mask: Tensor | None = None, need_weights: bool = True, attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None, k_proj_weight: Tensor | None = None, v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None, static_v: Tensor | None = None, average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """`multi_head_attention_forward` with tokens first, so that what each token loses is known."""
    if bias_k is not None or bias_v is not None or add_zero_attn or static_k is not None or static_v is not None:
        raise NetworkError(
            "Relevance cannot go back through a MultiheadAttention with add_bias_kv, add_zero_attn or static keys."
        )
    alone = query.ndim == 2
    given = [values[None] if alone else values.transpose(0, 1) for values in (query, key, value)]
    joint = in_proj_weight.chunk(3) if in_proj_weight is not None else ()
    projections = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else joint
    biases = (None, None, None) if in_proj_bias is None else in_proj_bias.chunk(3)
    heads = [
        F.linear(values, weight, bias).unflatten(-1, (num_heads, -1)).transpose(1, 2)  # pyright: ignore[reportArgumentType]
        for values, weight, bias in zip(given, projections, biases, strict=True)
    ]
    if attn_mask is not None and attn_mask.ndim == 3:
        attn_mask = attn_mask.unflatten(0, (-1, num_heads))
    silent = None if key_padding_mask is None else key_padding_mask.reshape(len(given[1]), 1, 1, -1)
    # True hides here, where it shows in `scaled_dot_product_attention`.
    masks = [~mask if mask is not None and mask.dtype == torch.bool else mask for mask in (attn_mask, silent)]
    weights = _weights(heads[0], heads[1], masks, None)
    found = F.linear((weights @ heads[2]).transpose(1, 2).flatten(2), out_proj_weight, out_proj_bias)
    output = found[0] if alone else found.transpose(0, 1)
    if not need_weights:
        return output, None
    weights = weights.mean(1) if average_attn_weights else weights
    return output, weights[0] if alone else weights


def _weights(query: Tensor, key: Tensor, masks: Sequence[Tensor | None], scale: float | None) -> Tensor:
    """Softmax of products of queries and keys; masks say True where attention is allowed, or are added."""
    scores = (query * (query.size(-1) ** -0.5 if scale is None else scale)) @ key.transpose(-2, -1)
    for mask in masks:
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(-1)


register_expansion("scaled_dot_product_attention", _attention)
register_expansion("multi_head_attention_forward", _multi_head_attention)
