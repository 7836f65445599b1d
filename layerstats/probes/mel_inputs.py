"""How networks with a mel front end are recorded: their layers see spectrograms, whose frames have known times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from layerstats.models import MelFrontEnd
from layerstats.probes.layers.axes import Axes
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
    """

    prepare_input: Callable[[Tensor], Any] | None
    input_axes: Sequence[str] | None
    input_hop_s: float | None
    axes: Axes | None


def heard_input(model: nn.Module, layers: Sequence[str], given: HeardInput) -> HeardInput:
    """Return what a caller gave, or for one of this package's networks of mel spectrograms what these need.

    Examples
    --------
    >>> from layerstats.models import CommandClassifier
    >>> heard_input(CommandClassifier(), ["conv1"], HeardInput(None, None, None, None)).axes
    {'conv1': ('token', 'channel', 'sample', 'frequency')}
    """
    front_end = getattr(plain(model), "front_end", None)
    if not isinstance(front_end, MelFrontEnd) or given.prepare_input is not None:
        return given
    maps = {name: _MAPS for name in layers if _has_maps(model.get_submodule(name))}
    return HeardInput(
        front_end,
        ("token", "sample", "frequency"),
        front_end.hop / front_end.rate_hz if given.input_hop_s is None else given.input_hop_s,
        given.axes or maps or None,
    )


def _has_maps(layer: nn.Module) -> bool:
    return any(isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.Upsample) for module in layer.modules())
