"""Operations that are linear in what they get, as rules see them: input, weight, bias, output, forth and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from layerstats.errors import NetworkError
from layerstats.probes.relevance.operations.batch_norm import along_channels, merges_after, norm_of
from layerstats.probes.relevance.operations.call import OperationCall
from layerstats.probes.relevance.operations.registry import register_linear
from layerstats.probes.relevance.operations.weight_types import in_type


class LinearOperation:
    """An operation whose output is the sum of what each input contributes, and of a bias.

    A normalisation that followed it with constant statistics is part of it: its scale is in the weights.

    Parameters
    ----------
    call : OperationCall
        The call, with its inputs and output.

    Examples
    --------
    Of a rule that knows these, `operation.input * operation.back(relevance / operation.output, operation.weight)` is
    LRP-0.
    """

    def __init__(self, call: OperationCall) -> None:
        self.call = call

    @property
    def input(self) -> Tensor:
        """What it got, (token, ...)."""
        return self.call.inputs[0]

    @property
    def output(self) -> Tensor:
        """What it gave, bias included; of a merged normalisation what that gave."""
        return self.call.norm.output if self.call.norm is not None else self.call.output

    @cached_property
    def weight(self) -> Tensor:
        """The weights; of operations that have none the number 1."""
        return self.own_weight

    @cached_property
    def bias(self) -> Tensor | None:
        """What no input contributes, so shaped that it adds to `output`; None where there is none."""
        return None

    @property
    def own_weight(self) -> Tensor:
        """The weights before a normalisation is merged."""
        return torch.ones((), dtype=self.input.dtype, device=self.input.device)

    def forward(self, values: Tensor, weight: Tensor) -> Tensor:
        """Output of other inputs and weights, without bias."""
        raise NotImplementedError

    def back(self, values: Tensor, weight: Tensor | None = None, dtype: torch.dtype | None = None) -> Tensor:
        """Transpose of `forward`: from the output's shape to the input's.

        Parameters
        ----------
        values : Tensor
            Shaped as the output.
        weight : Tensor, optional
            Which weights; by default `weight`.
        dtype : torch.dtype, optional
            Compute it in this type, each token scaled so that nothing overflows; by default in that of `values`.
        """
        if weight is None:
            # Outputs are fewer than weights, as a rule.
            values, weight = self.scaled_by_norm(values), self.own_weight
        if dtype is None or dtype == values.dtype:
            return self.transposed(values, weight)
        largest = values.abs().flatten(1).amax(1).clamp_min(torch.finfo(values.dtype).tiny)
        scale = largest.reshape(-1, *(1 for _ in values.shape[1:]))
        found = self.transposed((values / scale).to(dtype), in_type(weight, dtype)).to(values.dtype)
        return found * largest.reshape(-1, *(1 for _ in found.shape[1:]))

    def scaled_by_norm(self, values: Tensor) -> Tensor:
        """Multiply outputs by the scale of the normalisation that was merged."""
        return values

    def transposed(self, values: Tensor, weight: Tensor) -> Tensor:
        """Transpose of `forward`, in the type of its arguments."""
        raise NotImplementedError

    def quotient(self, relevance: Tensor, denominator: Tensor) -> Tensor:
        """Relevance by denominator; 0 where that is 0, for nothing was contributed that could have a share."""
        nothing = denominator == 0
        self.call.unshared.append(torch.where(nothing, relevance, 0.0))
        return torch.where(nothing, 0.0, relevance / torch.where(nothing, 1.0, denominator))

    def inputs_of(self, relevance: Tensor) -> Any:
        """Relevance of the call's inputs from that of `input`."""
        return relevance


class _Weighted(LinearOperation):
    """With weights and perhaps a bias, both constants."""

    channel_axis = 1

    @cached_property
    def input(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What it got; of a merged normalisation before it without the shift, which is part of the bias."""
        shift, given = self.call.shift, self.call.inputs[0]
        if shift is None or not merges_after(shift):
            return given
        shift.norm.merged_after = True
        return shift.scaled

    @cached_property
    def weight(self) -> Tensor:
        norm = self.call.norm
        return self.own_weight if norm is None else self.own_weight * self.per_output(norm.scale)

    def scaled_by_norm(self, values: Tensor) -> Tensor:
        norm = self.call.norm
        return values if norm is None else values * self._along_channels(norm.scale)

    @cached_property
    def bias(self) -> Tensor | None:
        own, norm, shift = self.own_bias, self.call.norm, self.call.shift
        bias = None if own is None else self._along_channels(own)
        if shift is not None and merges_after(shift):
            shifted = self.forward(shift.values.expand(self.call.inputs[0].shape), self.own_weight)
            bias = shifted if bias is None else bias + shifted
        if norm is not None:
            scale, added = self._along_channels(norm.scale), self._along_channels(norm.shift)
            bias = added if bias is None else bias * scale + added
        return bias

    @property
    def own_bias(self) -> Tensor | None:
        """(channel,), before a normalisation is merged."""
        return self.call.argument(2, "bias")

    def _along_channels(self, values: Tensor) -> Tensor:
        shape = [1] * self.call.output.ndim
        shape[self.channel_axis] = -1
        return values.reshape(shape)

    def per_output(self, values: Tensor) -> Tensor:
        """(channel,) so shaped that it multiplies the weights of each output channel."""
        return values.reshape(-1, *(1 for _ in self.own_weight.shape[1:]))


class _Dense(_Weighted):
    channel_axis = -1

    @property
    def own_weight(self) -> Tensor:
        return self.call.argument(1, "weight")

    def forward(self, values: Tensor, weight: Tensor) -> Tensor:
        return F.linear(values, weight)

    def transposed(self, values: Tensor, weight: Tensor) -> Tensor:
        return values @ weight


class _Convolution(_Weighted):
    transposes = False

    @property
    def own_weight(self) -> Tensor:
        return self.call.argument(1, "weight")

    @cached_property
    def options(self) -> dict[str, Any]:
        """Stride, padding, dilation, groups: a number an axis."""
        call, axes = self.call, self.input.ndim - 2
        if self.transposes:
            found = {
                "stride": call.argument(3, "stride", 1),
                "padding": call.argument(4, "padding", 0),
                "output_padding": call.argument(5, "output_padding", 0),
                "groups": call.argument(6, "groups", 1),
                "dilation": call.argument(7, "dilation", 1),
            }
        else:
            found = {
                "stride": call.argument(3, "stride", 1),
                "padding": call.argument(4, "padding", 0),
                "dilation": call.argument(5, "dilation", 1),
                "groups": call.argument(6, "groups", 1),
                "output_padding": 0,
            }
        if isinstance(found["padding"], str):
            found["padding"] = 0
        return {name: value if name == "groups" else _each(value, axes) for name, value in found.items()}

    @cached_property
    def margins(self) -> list[tuple[int, int]]:
        """Zeros that padding="same" puts before and after each axis: the odd one comes after."""
        if self.transposes or self.call.argument(4, "padding", 0) != "same":
            return [(0, 0)] * (self.input.ndim - 2)
        kernel = self.own_weight.shape[2:]
        both = [(size - 1) * step for size, step in zip(kernel, self.options["dilation"], strict=True)]
        return [(total // 2, total - total // 2) for total in both]

    def per_output(self, values: Tensor) -> Tensor:
        if not self.transposes:
            return super().per_output(values)
        # (in, out / groups, ...): the outputs of a group stand beside the inputs of that group.
        groups, weight = self.options["groups"], self.own_weight
        by_group = values.reshape(groups, 1, weight.shape[1]).expand(-1, weight.shape[0] // groups, -1)
        return by_group.reshape(*weight.shape[:2], *(1 for _ in weight.shape[2:]))

    def forward(self, values: Tensor, weight: Tensor) -> Tensor:
        options = self.options
        padded = F.pad(values, [size for pair in reversed(self.margins) for size in pair])
        return torch.ops.aten.convolution(
            padded, weight, None, options["stride"], options["padding"], options["dilation"], self.transposes,
            options["output_padding"], options["groups"],
        )  # fmt: skip

    def transposed(self, values: Tensor, weight: Tensor) -> Tensor:
        options = self.options
        sizes = list(zip(self.input.shape[2:], self.margins, strict=True))
        padded = [before + size + after for size, (before, after) in sizes]
        like = values.new_empty(1).expand(*self.input.shape[:2], *padded)  # only its shape is read
        found = torch.ops.aten.convolution_backward(
            values, like, weight, None, options["stride"], options["padding"], options["dilation"], self.transposes,
            options["output_padding"], options["groups"], [True, False, False],
        )[0]  # fmt: skip
        for axis, (size, (before, _)) in enumerate(sizes, start=2):
            found = found.narrow(axis, before, size)
        return found


class _TransposedConvolution(_Convolution):
    transposes = True


class _Scale(LinearOperation):
    """A normalisation with constant statistics as an operation of its own: one input, one weight an output."""

    @cached_property
    def own_weight(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride]
        return along_channels(norm_of(self.call).scale, self.input)

    @cached_property
    def bias(self) -> Tensor | None:
        return along_channels(norm_of(self.call).shift, self.input)

    def forward(self, values: Tensor, weight: Tensor) -> Tensor:
        return values * weight

    def transposed(self, values: Tensor, weight: Tensor) -> Tensor:
        return values * weight


class _Sum(LinearOperation):
    """A sum of several tensors, of which some may be constants (a bias)."""

    signs = (1.0, 1.0)

    @cached_property
    def terms(self) -> list[tuple[Tensor, bool]]:
        """What is added, with its sign, and whether relevance flows through it."""
        alpha = self.call.argument(2, "alpha", 1)
        first, second = self.call.argument(0, "input"), self.call.argument(1, "other")
        signed = [(first, self.signs[0]), (second, self.signs[1] * alpha)]
        active = [self.call.is_active(0, "input"), self.call.is_active(1, "other")]
        output = self.call.output
        return [
            ((torch.as_tensor(value, dtype=output.dtype, device=output.device) * sign), flows)
            for (value, sign), flows in zip(signed, active, strict=True)
        ]

    @cached_property
    def input(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride]
        shape = self.call.output.shape
        return torch.stack([term.expand(shape) for term, flows in self.terms if flows])

    @cached_property
    def bias(self) -> Tensor | None:
        constant = [term for term, flows in self.terms if not flows]
        return constant[0] if constant else None

    def forward(self, values: Tensor, weight: Tensor) -> Tensor:
        return (values * weight).sum(0)

    def back(self, values: Tensor, weight: Tensor | None = None, dtype: torch.dtype | None = None) -> Tensor:
        return (values if weight is None else values * weight)[None].expand(self.input.shape)

    def inputs_of(self, relevance: Tensor) -> tuple[Tensor, ...]:
        return tuple(part.sum_to_size(given.shape) for part, given in zip(relevance, self.call.inputs, strict=True))


class _Difference(_Sum):
    signs = (1.0, -1.0)


class _ReversedDifference(_Sum):
    signs = (-1.0, 1.0)


class _Average(LinearOperation):
    """A sum or mean of one tensor over axes or windows, or another operation that is linear and has no weights."""

    def forward(self, values: Tensor, weight: Tensor) -> Tensor:
        return self.call.compute([values]) * weight

    def transposed(self, values: Tensor, weight: Tensor) -> Tensor:
        with torch.enable_grad():
            at = torch.zeros_like(self.input, dtype=values.dtype).requires_grad_()
            return torch.autograd.grad(self.call.compute([at]), at, values * weight)[0]


_VIEWS: dict[str, Callable[[OperationCall], LinearOperation]] = {
    "linear": _Dense,
    **{f"conv{axes}d": _Convolution for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": _TransposedConvolution for axes in (1, 2, 3)},
}
_SUMS: dict[str, Callable[[OperationCall], LinearOperation]] = {
    "add": _Sum,
    "sub": _Difference,
    "rsub": _ReversedDifference,
    **dict.fromkeys(("sum", "mean", "cumsum", "diff", "fold", "interpolate", "upsample"), _Average),
    **{f"{kind}{axes}d": _Average for kind in ("avg_pool", "adaptive_avg_pool") for axes in (1, 2, 3)},
}
_WITH_WEIGHTS = frozenset(_VIEWS)
# Operations whose factors must be of one type.
WEIGHTED = _WITH_WEIGHTS | {"matmul", "bmm", "mm", "mv", "dot", "einsum"}
register_linear(*_VIEWS)
_VIEWS["batch_norm"] = _Scale
register_linear(*_SUMS, kind="sum")


def linear_view(call: OperationCall) -> LinearOperation:
    """Return the call of a linear operation as rules see it.

    Raises
    ------
    NetworkError
        Its weights depend on the input.
    """
    if call.name in _WITH_WEIGHTS and not (len(call.inputs) == 1 and call.is_active(0, "input")):
        raise NetworkError(
            f"The weights or the bias of the {call.name!r} in {call.place} depend on the input, so that it is not "
            "linear. Write it as a product and a sum, input @ weight.T + bias, which have rules."
        )
    return (_VIEWS.get(call.name) or _SUMS[call.name])(call)


def is_unbatched(name: str, args: tuple, kwargs: dict[str, Any]) -> bool:
    """Whether a convolution gets one token, without an axis for several."""
    if not name.startswith("conv") or name not in _VIEWS or not args:
        return False
    return args[0].ndim == int(name[-2]) + 1


def _each(value: Any, axes: int) -> list[int]:
    numbers = [int(number) for number in value] if isinstance(value, list | tuple) else [int(value)]
    return numbers * axes if len(numbers) == 1 else numbers
