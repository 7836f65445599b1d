"""How networks that say so themselves hear speech: behind a mel front end, or as those that others trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from layerstats.models import MelFrontEnd, SpeechNetwork
from layerstats.probes.layers.axes import Axes
from layerstats.probes.layers.choose import lookup
from layerstats.probes.layers.input_layer import plain

_MAPS = ("token", "channel", "sample", "frequency")


@dataclass(frozen=True)
class HeardInput:
    """What a network is called with, and which axes and times that and its layers' outputs have.

    Parameters
    ----------
    prepare_input : callable, optional
        Makes the network's input of waveforms (token, sample).
    input_axes : sequence of str, optional
        Names of its axes.
    input_hop_s : float, optional
        Seconds from one of its samples to the next.
    axes : sequence of str, or mapping of layer names to such, optional
        Names of the axes of the layers' outputs.
    input_window_s : float
        Seconds of speech in one of its samples; 0 where that is the waveform.
    fixed_samples : int, optional
        Length of clips that the network hears, where shorter ones are filled up to it; None where it hears any.
    """

    prepare_input: Callable[..., Any] | None
    input_axes: Sequence[str] | None
    input_hop_s: float | None
    axes: Axes | None
    input_window_s: float = 0.0
    fixed_samples: int | None = None


def default_layers(model: nn.Module) -> str | Sequence[str]:
    """Return the layers that are recorded of a network unless others are asked for.

    Examples
    --------
    >>> default_layers(nn.Sequential())
    'conv*'
    """
    network = plain(model)
    return network.hearing.default_layers if isinstance(network, SpeechNetwork) else "conv*"


def heard_input(model: nn.Module, layers: Sequence[str], given: HeardInput) -> HeardInput:
    """Return what a caller gave, or what a `SpeechNetwork` or a network of this package's mel spectrograms needs.

    Examples
    --------
    >>> from layerstats.models import CommandClassifier
    >>> heard_input(CommandClassifier(), ["conv1"], HeardInput(None, None, None, None)).axes
    {'conv1': ('token', 'channel', 'sample', 'frequency')}
    """
    network = plain(model)
    if isinstance(network, SpeechNetwork) and given.prepare_input is None:
        return _of_speech_network(network, layers, given)
    front_end = getattr(network, "front_end", None)
    if not isinstance(front_end, MelFrontEnd) or given.prepare_input is not None:
        return given
    maps = {name: _MAPS for name in layers if _has_maps(model.get_submodule(name))}
    return HeardInput(
        front_end,
        ("token", "sample", "frequency"),
        front_end.hop / front_end.rate_hz if given.input_hop_s is None else given.input_hop_s,
        given.axes or maps or None,
    )


def _of_speech_network(network: SpeechNetwork, layers: Sequence[str], given: HeardInput) -> HeardInput:
    hearing = network.hearing
    known = {name: lookup(hearing.axes, name, ()) for name in layers}
    return HeardInput(
        hearing.prepare,
        hearing.input_axes if given.input_axes is None else given.input_axes,
        hearing.input_hop_s if given.input_hop_s is None else given.input_hop_s,
        given.axes or {name: names for name, names in known.items() if names} or None,
        hearing.input_window_s,
        hearing.fixed_samples,
    )


def _has_maps(layer: nn.Module) -> bool:
    return any(isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.Upsample) for module in layer.modules())
