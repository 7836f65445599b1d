"""From waveforms to what a network takes: any preparation, and where time is in it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from layerstats.errors import ArgumentError, LayerstatsError, NetworkError

Prepared = Tensor | Mapping[str, Any]

_DEFAULT_AXES = {
    2: ("token", "sample"),
    3: ("token", "channel", "sample"),
    4: ("token", "channel", "frequency", "sample"),
}


@dataclass(frozen=True)
class InputTime:
    """Time in a network's input: which axis it is, its length, and the seconds from one input sample to the next.

    `window_s` is how much speech one sample of the input is made of; 0 where that is a sample of the waveform.
    """

    axis: int
    samples: int
    hop_s: float
    window_s: float = 0.0

    def seconds(self, field: float) -> float:
        """Return how much speech that many neighbouring samples of the input are made of.

        Examples
        --------
        >>> round(InputTime(axis=2, samples=3000, hop_s=0.01, window_s=0.025).seconds(3), 6)
        0.045
        """
        if self.window_s <= self.hop_s:
            return field * self.hop_s
        return min((field - 1) * self.hop_s + self.window_s, self.samples * self.hop_s)


def prepare(
    waveforms: Tensor,
    prepare_input: Callable[..., Any] | None,
    dtype: torch.dtype,
    lengths: Sequence[int] | np.ndarray | None = None,
) -> Prepared:
    """Return what the network is called with: the waveforms themselves, or what `prepare_input` makes of them.

    Parameters
    ----------
    waveforms : Tensor
        (token, sample), float32.
    prepare_input : callable, optional
        Returns a tensor, or a mapping of keyword arguments. One with a parameter called `lengths` gets those, too.
    dtype : torch.dtype
        Type of the network's weights, to which bare waveforms are converted.
    lengths : sequence of int, optional
        Samples of each token's clip, where zeros follow in `waveforms`; by default all of them.

    Examples
    --------
    >>> zeros = torch.zeros(2, 5)
    >>> prepare(zeros, lambda waveforms, lengths: {"x": waveforms, "n": lengths}, torch.float32, [3, 5])["n"]
    tensor([3, 5])
    """
    if prepare_input is None:
        return waveforms.to(dtype)
    try:
        if takes_lengths(prepare_input):
            told = [waveforms.shape[-1]] * len(waveforms) if lengths is None else [int(length) for length in lengths]
            prepared = prepare_input(waveforms, lengths=torch.tensor(told, device=waveforms.device))
        else:
            prepared = prepare_input(waveforms)
    except LayerstatsError:
        raise
    except Exception as error:
        raise NetworkError(
            f"prepare_input failed on waveforms of shape {tuple(waveforms.shape)}: {_described(error)}."
        ) from error
    if not isinstance(prepared, Tensor | Mapping):
        raise ArgumentError(
            f"prepare_input must return a tensor or a mapping of keyword arguments, but got "
            f"{type(prepared).__name__} instead."
        )
    if isinstance(prepared, Mapping):
        return {name: _to(value, waveforms.device) for name, value in prepared.items()}
    return _to(prepared, waveforms.device)


def takes_lengths(prepare_input: Callable[..., Any]) -> bool:
    """Tell whether a preparation has a parameter `lengths`; of a module, its `forward`.

    Examples
    --------
    >>> takes_lengths(lambda waveforms, lengths: waveforms), takes_lengths(torch.nn.ReLU())
    (True, False)
    """
    called = prepare_input.forward if isinstance(prepare_input, nn.Module) else prepare_input
    try:
        return "lengths" in signature(called).parameters
    except (TypeError, ValueError):  # of some functions that are written in C
        return False


def _to(value: Any, device: torch.device) -> Any:
    return value.to(device) if isinstance(value, Tensor) else value


def call(model: nn.Module, prepared: Prepared) -> object:
    """Run the network as its Python code says; what is wanted of it is mostly caught by hooks.

    Raises
    ------
    NetworkError
        The network failed, for whatever reason.
    """
    try:
        with _uncompiled():
            return model(**prepared) if isinstance(prepared, Mapping) else model(prepared)
    except LayerstatsError:
        raise
    except (Exception, SystemExit) as error:
        raise NetworkError(_failure(model, prepared, error)) from error


@contextmanager
def _uncompiled() -> Iterator[None]:
    # What torch.compile made before the hooks came would run without them.
    if "torch._dynamo" not in sys.modules:  # nothing is compiled, and its import takes a second
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


def _failure(model: nn.Module, prepared: Prepared, error: BaseException) -> str:
    shapes = [f"{name} of shape {tuple(value.shape)}" for name, value in tensors_of(prepared).items()]
    text = str(error)
    if "memory" in text.lower():
        advice = "Fewer tokens at once need less memory: choose a smaller batch_size."
    else:
        advice = (
            "By default a network gets waveforms (token, sample). Another input, or a mapping of keyword arguments, is "
            "made by prepare_input=, for instance lambda waveforms: waveforms[:, None]; in the shell by the network."
        )
    return f"{type(model).__name__} failed on {', '.join(shapes)}: {_described(error)}. {advice}"


def _described(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def first_tensor(output: object) -> Tensor | None:
    """Return the first tensor in a module's output: the tensor itself, or the first in a tuple, list or mapping.

    Examples
    --------
    >>> import torch
    >>> first_tensor((None, {"hidden": torch.zeros(2)}))
    tensor([0., 0.])
    """
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, list | tuple):
        for part in output:
            found = first_tensor(part)
            if found is not None:
                return found
    return None


def tensors_of(prepared: Prepared) -> dict[str, Tensor]:
    """Return the tensors that a network is called with by their names; "input" where there is one only."""
    parts = prepared if isinstance(prepared, Mapping) else {"input": prepared}
    return {name: value for name, value in parts.items() if isinstance(value, Tensor)}


def same_input(one: Prepared, other: Prepared) -> bool:
    """Tell whether the tensors of two inputs are the same to the last bit."""
    ours, theirs = tensors_of(one), tensors_of(other)
    return ours.keys() == theirs.keys() and all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def copied(prepared: Prepared) -> Prepared:
    """Return the same input in memory of its own: a network may change its input in place."""
    if isinstance(prepared, Mapping):
        return {name: value.clone() if isinstance(value, Tensor) else value for name, value in prepared.items()}
    return prepared.clone()


def main_tensor(prepared: Prepared) -> Tensor:
    """Return the tensor that carries the speech: the prepared one, or the first among the keyword arguments."""
    tensor = first_tensor(prepared)
    if tensor is None:
        raise ArgumentError("prepare_input returned a mapping without a tensor in it.")
    return tensor


def differentiable(prepared: Prepared) -> tuple[Prepared, Tensor | None]:
    """Return the same input with gradients, and the tensor to take them of; None where it holds whole numbers.

    Examples
    --------
    >>> given, speech = differentiable(torch.ones(2))
    >>> (given * 3).sum().backward()
    >>> speech.grad
    tensor([3., 3.])
    """
    speech = main_tensor(prepared)
    return (prepared, None) if not speech.is_floating_point() else _with_gradient(prepared, speech, speech.detach())


def with_noise(prepared: Prepared) -> tuple[Prepared, Tensor | None]:
    """Replace the speech by noise of the same mean and spread, with a gradient; None where it is not of float type.

    Noise keeps every unit busy, silence would not, so that its gradient shows all that an output depends on.
    """
    speech = main_tensor(prepared)
    if not speech.is_floating_point():
        return prepared, None
    spread = float(speech.float().std())
    noise = torch.randn(speech.shape).to(speech) * (spread if spread > 0 else 1.0) + speech.mean()
    return _with_gradient(prepared, speech, noise)


def _with_gradient(prepared: Prepared, speech: Tensor, values: Tensor) -> tuple[Prepared, Tensor]:
    values = values.requires_grad_()
    given = values.clone()  # a network may change its input in place, which torch forbids for the leaf itself
    if not isinstance(prepared, Mapping):
        return given, values
    return {name: given if value is speech else value for name, value in prepared.items()}, values


def axes_of_input(prepared: Prepared, axes: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the axes of the input for one token: those given, else (token, ..., sample).

    Raises
    ------
    ArgumentError
        The names do not fit.

    Examples
    --------
    >>> axes_of_input(torch.zeros(1, 1, 8), None)
    ('token', 'channel', 'sample')
    """
    shape = tuple(main_tensor(prepared).shape)
    names = tuple(axes) if axes is not None else _DEFAULT_AXES.get(len(shape), ())
    if len(names) != len(shape) or "sample" not in names:
        raise ArgumentError(
            f"The network's input has the shape {shape} for one token, which the axis names {names!r} do not fit. "
            "Name its axes, 'sample' among them, with input_axes=."
        )
    return names


def input_time(
    prepared: Prepared,
    axes: Sequence[str] | None,
    hop_s: float | None,
    rate_hz: float,
    samples: int,
    window_s: float = 0.0,
) -> InputTime:
    """Find time in the input.

    Parameters
    ----------
    prepared : Tensor or mapping
        The input for one token.
    axes : sequence of str, optional
        Names of its axes; by default (token, sample), (token, channel, sample) or (token, channel, frequency, sample).
    hop_s : float, optional
        Seconds from one input sample to the next; needed where these are not the samples of the clip.
    rate_hz, samples : float, int
        Sampling rate and length of the clip.
    window_s : float
        Seconds of speech in one input sample, where that is a frame of a spectrogram.

    Raises
    ------
    ArgumentError
        The names do not fit, or the input is not made of the clip's samples and `hop_s` is missing.
    """
    shape = tuple(main_tensor(prepared).shape)
    names = axes_of_input(prepared, axes)
    axis = names.index("sample")
    if hop_s is None:
        if shape[axis] != samples:
            raise ArgumentError(
                f"The network's input has {shape[axis]} entries along axis {axis} (shape {shape}, axes {names!r}), "
                f"not the {samples} samples of the clip. Say how far apart they are with input_hop_s= (seconds), and "
                "which axis is time with input_axes=."
            )
        hop_s = 1 / rate_hz
    return InputTime(axis, shape[axis], hop_s, window_s)
