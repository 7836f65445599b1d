"""Names for the axes of a layer's output, and what is made of them: a series, or the full maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from layerstats.errors import ArgumentError
from layerstats.probes.inputs import first_tensor
from layerstats.probes.layers.choose import matches

Axes = Sequence[str] | Mapping[str, Sequence[str]]


def check_names_of_axes(axes: Axes | None, layers: Sequence[str]) -> None:
    """Raise `ArgumentError` where names of axes are one text, or are given for a layer that is not recorded."""
    named = list(axes.items()) if isinstance(axes, Mapping) else [("", axes)]
    for layer, names in named:
        if isinstance(names, str):
            raise ArgumentError(
                f"The names of axes must be a list or tuple, for instance {tuple(names.split(','))!r}, but got "
                f"{names!r}."
            )
        if layer and not any(layer == one or matches(one, layer) for one in layers):
            raise ArgumentError(
                f"Axes were named for {layer!r}, which no layer to be recorded fits: {', '.join(layers)}."
            )


def check_axes(layer: str, axes: Sequence[str], shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return the axes as a tuple, or say why they do not fit the shape of the layer's output for one token."""
    names = tuple(axes)
    if len(set(names)) != len(names) or not {"token", "sample"} <= set(names):
        raise ArgumentError(
            f"The axes of layer {layer!r} must be different names with 'token' and 'sample' among them, "
            f"but got {names!r}. The layer's output has the shape {shape} for one token."
        )
    if len(names) != len(shape):
        raise ArgumentError(
            f"Layer {layer!r} gives an output of {len(shape)} axes, {shape} for one token, but got the {len(names)} "
            f"axis names {names!r}. Name them with, for instance, axes={{{layer!r}: ('token', 'sample', 'channel')}}; "
            "a layer without time cannot be recorded as a series."
        )
    place = names.index("token")
    if shape[place] != 1:
        raise ArgumentError(
            f"Axis {place} of layer {layer!r} is named 'token', but it has {shape[place]} entries where one token went "
            f"in (shape {shape}). Name the axes in the order of the output."
        )
    return names


def series(output: Tensor, axes: Sequence[str], summary: str = "mean") -> Tensor:
    """Average a layer's output over every axis but token and sample: Eq. 1 of Begus & Zhou (2022).

    Parameters
    ----------
    output : Tensor
        Axes as named.
    axes : sequence of str
        Their names, with `token` and `sample` among them.
    summary : {"mean", "root_mean_square"}
        The second is the square root of the mean square: how much the layer does, whatever the signs.

    Returns
    -------
    Tensor
        (token, sample), float32.

    Examples
    --------
    >>> import torch
    >>> series(torch.tensor([[[1.0, 3.0], [2.0, 5.0]]]), ("token", "channel", "sample"))
    tensor([[1.5000, 4.0000]])
    >>> series(torch.tensor([[[3.0], [-3.0]]]), ("token", "channel", "sample"), "root_mean_square")
    tensor([[3.]])
    """
    others = [index for index, name in enumerate(axes) if name not in ("token", "sample")]
    if summary == "root_mean_square":
        output = output.float().square()
    mean = output.mean(others, dtype=torch.float32) if others else output.float()
    if summary == "root_mean_square":
        mean = mean.sqrt()
    return mean if list(axes).index("token") < list(axes).index("sample") else mean.T


def maps(output: Tensor, axes: Sequence[str]) -> Tensor:
    """Bring a layer's output to (token, channel, sample), float32; several other axes become one, in their order.

    Examples
    --------
    >>> import torch
    >>> maps(torch.zeros(2, 16, 4), ("token", "channel", "sample")).shape
    torch.Size([2, 16, 4])
    """
    names = list(axes)
    others = [index for index, name in enumerate(names) if name not in ("token", "sample")]
    ordered = output.permute(names.index("token"), *others, names.index("sample")).float()
    return ordered.reshape(ordered.shape[0], -1, ordered.shape[-1])


def output_tensor(layer: str, output: object, choose: Callable[[object], Tensor] | None) -> Tensor:
    """Return the tensor to record of a module's output: what `choose` picks, or the first one."""
    if choose is None and _is_packed(output):
        raise ArgumentError(
            f"Layer {layer!r} gives a packed sequence, in which tokens are interleaved. Unpack it with choose_output=, "
            "for instance lambda output: pad_packed_sequence(output[0], batch_first=True)[0], or choose a later layer."
        )
    tensor = first_tensor(output) if choose is None else choose(output)
    if not isinstance(tensor, Tensor):
        how = "no tensor was found" if choose is None else f"choose_output found a {type(tensor).__name__}"
        raise ArgumentError(
            f"Layer {layer!r} returned {type(output).__name__}, in which {how}. "
            "Pass choose_output=, a function from the layer's output to the tensor to record."
        )
    if tensor.is_complex():
        raise ArgumentError(
            f"Layer {layer!r} gives complex numbers, of which no mean can be told apart from their phase. Record their "
            "size, with choose_output=lambda output: output.abs(), or choose a later layer."
        )
    if tensor.is_nested or tensor.layout is not torch.strided:
        raise ArgumentError(
            f"Layer {layer!r} gives a {'nested' if tensor.is_nested else 'sparse'} tensor. Make it a plain one with "
            "choose_output=, for instance lambda output: output.to_dense(), or choose a later layer."
        )
    return tensor.dequantize() if tensor.is_quantized else tensor


def _is_packed(output: object) -> bool:
    # A PackedSequence is a tuple too.
    while isinstance(output, tuple | list) and not isinstance(output, PackedSequence) and output:
        output = output[0]
    return isinstance(output, PackedSequence)
