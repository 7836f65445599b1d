"""A few tokens through a network before it is recorded: the axes of its layers, and whether they can be recorded."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from layerstats.errors import LayerstatsError, NetworkError
from layerstats.models import dtype_of, seeded_everywhere
from layerstats.probes.inputs import Prepared, main_tensor, prepare, same_input
from layerstats.probes.layers.axes import Axes
from layerstats.probes.layers.choose import lookup
from layerstats.probes.layers.infer_axes import Shape, settle_axes, shapes_of
from layerstats.probes.layers.observe import ForwardPass, observe
from layerstats.probes.layers.rounding import difference, same_pass

# Tokens that are looked at together.
TOKENS = 3
# A layer that moves by more when other tokens are in the batch depends on them; quantised ones move by a percent.
DEPENDS = 0.05


@dataclass(frozen=True)
class LayerExamined:
    """What a few tokens told of a layer.

    Parameters
    ----------
    axes : tuple of str
        Names of its output's axes.
    rounding : float
        By how much, relative to its size, it moved when other tokens went through with the first.
    same_for_all : bool
        Whether two tokens gave the same output to the last bit.
    dtype : torch.dtype
        Type of its output.
    """

    axes: tuple[str, ...]
    rounding: float
    same_for_all: bool
    dtype: torch.dtype


@dataclass(frozen=True)
class Examination:
    """What a few tokens told of a network.

    Parameters
    ----------
    layers : dict of str to LayerExamined
        By layer.
    first : ForwardPass
        What the first token alone gave.
    repeats_input : bool
        Whether the network's input is the same each time it is made of a token; not where random numbers are drawn.
    seen : tuple of (Tensor or mapping, dict of str to Tensor)
        Inputs of several tokens and of one, and what the layers gave of them: who needs that does not run them again.
    """

    layers: dict[str, LayerExamined]
    first: ForwardPass
    repeats_input: bool
    seen: tuple[tuple[Prepared, dict[str, Tensor]], ...] = ()


def examine(
    model: nn.Module,
    waveforms: Tensor,
    layers: Sequence[str],
    place: torch.device,
    *,
    axes: Axes | None = None,
    batch_size: int = 32,
    prepare_input: Callable[[Tensor], Any] | None = None,
    choose_output: Callable[[object], Tensor] | None = None,
) -> Examination:
    """Run up to three tokens, alone and together, and clips of other lengths.

    Parameters
    ----------
    model : torch.nn.Module
        In eval mode, on `place`.
    waveforms : Tensor
        (token, sample), up to `TOKENS` clips of one length, on `place`.
    layers, place, axes, batch_size, prepare_input, choose_output
        As for `record_activations`.

    Returns
    -------
    Examination

    Raises
    ------
    ArgumentError
        A layer has no time, or which axis is time cannot be told; or the caller's names of axes are wrong.
    NetworkError
        The network failed, is not the same twice, or a token's values depend on others that go through with it.
    """
    tokens = min(batch_size, len(waveforms))
    make = partial(prepare, prepare_input=prepare_input, dtype=dtype_of(model))
    run = partial(observe, model, layers, choose=choose_output)

    def alone(row: int, seed: int = 0) -> tuple[Prepared, ForwardPass]:
        with seeded_everywhere(seed, place):
            prepared = make(waveforms[row : row + 1])
            return prepared, run(prepared)

    prepared, first = alone(0)
    _check_repeats(first, _again(run, prepared, place))
    with seeded_everywhere(0, place):
        together = make(waveforms[:tokens])
        several = run(together) if tokens > 1 else None
    others = _other_lengths(waveforms[:1], prepared, make, run, layers, first, place)
    settled = {
        name: settle_axes(name, _named(name, axes), shapes_of(name, first, several, tokens, others)) for name in layers
    }
    second = alone(1) if len(waveforms) > 1 else None
    with seeded_everywhere(1, place):
        repeats = same_input(prepared, make(waveforms[:1]))
    moved = dict.fromkeys(layers, 0.0)
    if several is not None and second is not None and repeats:
        moved = _check_batch(settled, several, [first, second[1]])
    same = second is not None and not same_input(prepared, second[0])
    found = {
        name: LayerExamined(
            names,
            moved[name],
            same and second is not None and torch.equal(first.outputs[name], second[1].outputs[name]),
            first.outputs[name].dtype,
        )
        for name, names in settled.items()
    }
    passes = [(prepared, first), (together, several), second or (prepared, None)]
    seen = tuple((given, one.outputs) for given, one in passes if one is not None)
    return Examination(found, first, repeats, seen)


def _named(layer: str, axes: Axes | None) -> Sequence[str] | None:
    return lookup(axes, layer, None) if isinstance(axes, Mapping) else axes or None


def _again(run: Callable[[Prepared], ForwardPass], prepared: Prepared, place: torch.device) -> ForwardPass:
    with seeded_everywhere(1, place):
        return run(prepared)


def _check_repeats(first: ForwardPass, again: ForwardPass) -> None:
    for name, output in first.outputs.items():
        other = again.outputs[name]
        apart = difference(output, other) if other.shape == output.shape else float("inf")
        if apart > same_pass(output.dtype):
            raise NetworkError(
                f"Layer {name!r} gives other values each time the same token goes in (they differ by {apart:.1g} of "
                "their size): the network draws random numbers in eval mode, for instance functional dropout with "
                "training=True, or keeps something from call to call. Switch that off before it is recorded."
            )


def _check_batch(
    axes: Mapping[str, tuple[str, ...]], several: ForwardPass, alone: Sequence[ForwardPass]
) -> dict[str, float]:
    """Return by how much each layer moved when other tokens went through with a token."""
    moved = {}
    for name, names in axes.items():
        token = names.index("token")
        rows = [several.outputs[name].select(token, row) for row in range(len(alone))]
        apart = [difference(one.outputs[name].select(token, 0), row) for one, row in zip(alone, rows, strict=True)]
        moved[name] = max(apart)
        if moved[name] > DEPENDS:
            raise NetworkError(
                f"Layer {name!r} gives other values for a token alone than in a batch (they differ by "
                f"{moved[name]:.1g} of their size): it mixes the tokens of a batch or changes their order, for "
                "instance by a norm over the batch, or prepare_input does. Record with batch_size=1, or mend that."
            )
    return moved


def _other_lengths(
    waveform: Tensor,
    prepared: Prepared,
    make: Callable[[Tensor], Prepared],
    run: Callable[[Prepared], ForwardPass],
    layers: Sequence[str],
    first: ForwardPass,
    place: torch.device,
) -> list[dict[str, Shape]]:
    """Return the shapes for a shorter clip of the first token, and for other lengths while layers keep their size."""
    samples = waveform.shape[1]
    shapes: list[dict[str, Shape]] = []
    undecided = set(layers)
    for length in (3 * samples // 4, samples // 2, 2 * samples):
        clip = waveform[:, :length] if length <= samples else torch.cat([waveform, waveform], dim=1)
        try:
            with warnings.catch_warnings(), seeded_everywhere(0, place):
                warnings.simplefilter("ignore")
                other = make(clip)
                if main_tensor(other).shape == main_tensor(prepared).shape:
                    continue
                seen = {name: tuple(output.shape) for name, output in run(other).outputs.items()}
        except LayerstatsError:
            continue  # one length only, which many networks want
        shapes.append(seen)
        undecided -= {name for name in undecided if seen[name] != tuple(first.outputs[name].shape)}
        if not undecided:
            break
    return shapes
