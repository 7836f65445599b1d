"""Functions of single values, which hand on all the relevance of what they give."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from layerstats.probes.relevance.operations.call import OperationCall
from layerstats.probes.relevance.operations.registry import register_rule

ACTIVATIONS = (
    "relu", "leaky_relu", "prelu", "rrelu", "relu6", "elu", "selu", "celu", "gelu", "silu", "mish", "tanh", "sigmoid",
    "logsigmoid", "log_sigmoid", "softplus", "softsign", "tanhshrink", "softshrink", "hardshrink", "hardtanh",
    "hardsigmoid", "hardswish", "threshold",
)  # fmt: skip
FUNCTIONS = (
    "abs", "square", "sqrt", "rsqrt", "exp", "expm1", "log", "log10", "log1p", "log2", "clamp", "clip", "clamp_min",
    "clamp_max", "nan_to_num", "pow", "rpow", "erf", "sin", "cos", "reciprocal",
)  # fmt: skip


@register_rule(*ACTIVATIONS, kind="activation")
def activation(call: OperationCall, relevance: Tensor) -> Any:
    """Hand on all relevance (Bach et al. 2015): what a unit gives is what its one input brought about.

    Slopes of `prelu` and the like that themselves depend on the input get none.
    """
    return (relevance, *(None for _ in call.inputs[1:]))


def constant(call: OperationCall, relevance: Tensor) -> Any:
    """Hand on none: what the operation gives is taken as a constant, and what it is multiplied with gets all.

    Of "sigmoid" it makes a gate (Arras et al. 2017), of "softmax" attention whose queries and keys get none (Ali et al.
    2022).
    """
    return (None,) * len(call.inputs)


register_rule(*FUNCTIONS, kind="function")(activation)
