"""Units of a network by name: a class of its output, a channel, or one value of any of its modules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, NetworkError
from layerstats.models import SpeechNetwork
from layerstats.probes.inputs import first_tensor
from layerstats.probes.layers.choose import choose_layers, lookup
from layerstats.probes.layers.input_layer import plain
from layerstats.probes.recording.ready import check_ready

# Of a class; what a layer gives is taken as it is.
CLASS_OBJECTIVES = ("log_probability", "probability", "logit")
ACTIVATION = "activation"
# Modules that work on the last axis, where others have their channels on the one after the tokens.
_LAST_AXIS = (nn.Linear, nn.LayerNorm, nn.RMSNorm, nn.Embedding)


@dataclass(frozen=True)
class Unit:
    """A class of the output (`layer` is ""), or a channel of a layer, of which `position` picks one value.

    Parameters
    ----------
    name : str
        As it was written.
    layer : str
        Name of the module; "" for the output of the network.
    channel : int
        Number of the class or channel, from 0.
    position : tuple of int, optional
        Along the other axes of the layer's output; None is the mean over all of them.
    """

    name: str
    layer: str
    channel: int
    position: tuple[int, ...] | None = None


def read_unit(text: str, network: nn.Module, labels: Sequence[str] | None) -> Unit:
    """Read the name of a unit: "yes", "a:12" (at one frame), "conv2:5" (a channel) or "conv2:5:10/3" (one value).

    Parameters
    ----------
    text : str
        A class by its label or, without labels, by its number; LABEL:POSITION of a network that gives classes at
        several places, for instance frames; or LAYER:CHANNEL, or LAYER:CHANNEL:POSITION with the numbers along the
        other axes separated by slashes. Without a position, the mean over all places is meant.
    network : torch.nn.Module
        Whose layers may be named.
    labels : sequence of str or None
        Names of the classes in order.

    Raises
    ------
    ArgumentError
        There is no such class or layer, or what follows the layer are no numbers; what there is, is listed.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU())
    >>> read_unit("1:3:0", network, None)
    Unit(name='1:3:0', layer='1', channel=3, position=(0,))
    """
    if labels is not None and text in labels:
        return Unit(text, "", list(labels).index(text))
    if labels is None and text.isdecimal():
        return Unit(text, "", int(text))
    label, _, place = text.rpartition(":")
    if labels is not None and label in labels and place and all(map(str.isdecimal, place.split("/"))):
        return Unit(text, "", list(labels).index(label), tuple(map(int, place.split("/"))))
    layer, colon, rest = text.partition(":")
    if not colon:
        classes = "the network's classes are numbered from 0 (give their names with labels=)"
        if labels is not None:
            named = f"the network's classes are {_told(labels)}"
            classes = named if len(labels) else "the network has no classes, for its output is not (token, class)"
        raise ArgumentError(
            f"There is no target {text!r}: {classes}. A channel of a layer is LAYER:CHANNEL, one "
            "value of it LAYER:CHANNEL:POSITION, for instance conv2:5 or conv2:5:10/3."
        )
    names = choose_layers(network, [layer])
    channel, _, position = rest.partition(":")
    numbers = position.split("/") if position else []
    if len(names) != 1 or not all(number.strip().isdecimal() for number in [channel, *numbers]):
        raise ArgumentError(
            f"Invalid target {text!r}: after the name of one layer come the number of a channel and, for one value of "
            "it, the numbers of its place along the other axes, as in conv2:5 or conv2:5:10/3."
        )
    check_ready(network, names)
    return Unit(text, names[0], int(channel), tuple(map(int, numbers)) if numbers else None)


@dataclass(frozen=True)
class _Group:
    """Rows of a batch whose units are alike: classes, channels of one layer, or values of one layer."""

    layer: str
    rows: tuple[int, ...]
    places: Tensor
    channels: Tensor
    positions: tuple[Tensor, ...] | None


class UnitValues:
    """What a network gives for each unit, from its output and what its layers gave.

    Parameters
    ----------
    network : torch.nn.Module
        Any network.
    units : sequence of Unit
        One a token of a batch, in order.
    objective : str
        Of a class "log_probability", "probability" (both by softmax over the classes) or "logit"; of a layer's units
        "activation".
    device : torch.device, optional
        Where the network runs; the CPU by default.

    Raises
    ------
    ArgumentError
        The objective does not fit the units.

    Examples
    --------
    >>> network = nn.Linear(2, 3)
    >>> units = [read_unit(name, network, ["a", "b", "c"]) for name in ("c", "a")]
    >>> UnitValues(network, units, "logit")(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), {})
    tensor([3., 4.])
    """

    def __init__(
        self, network: nn.Module, units: Sequence[Unit], objective: str, device: torch.device | None = None
    ) -> None:
        check_objective(objective, units)
        self.network, self.units, self.name = network, tuple(units), objective
        self.layers = tuple(dict.fromkeys(unit.layer for unit in units if unit.layer))
        self.groups = _groups(self.units, device)
        order = [row for group in self.groups for row in group.rows]
        self._place = None if order == sorted(order) else torch.tensor(order, device=device).argsort()

    @property
    def classes(self) -> Tensor | None:
        """Numbers of the classes, (token,); None where units of layers, or classes at places, are among the units."""
        alike = len(self.groups) == 1 and self.groups[0].positions is None
        return self.groups[0].channels if alike and not self.layers else None

    def __call__(self, output: object, kept: Mapping[str, Tensor]) -> Tensor:
        """Return the value of each unit, (token,), in the network's graph.

        Parameters
        ----------
        output : object
            What the network gave for the batch: of classes (token, class), or (token, ..., class) with frames or other
            places between.
        kept : mapping of str to Tensor
            What the layers of `layers` gave.

        Raises
        ------
        ArgumentError
            The output has no such class, channel or position.
        NetworkError
            A layer gives another number of values than tokens.
        """
        tokens = len(self.units)
        values = [
            self._of_layer(group, kept[group.layer], tokens) if group.layer else self._of_classes(group, output)
            for group in self.groups
        ]
        together = torch.cat(values) if len(values) > 1 else values[0]
        return together if self._place is None else together[self._place]

    def _of_classes(self, group: _Group, output: object) -> Tensor:
        logits = class_logits(output, len(self.units))
        if logits is None:
            raise ArgumentError(
                f"The classes of a {type(self.network).__name__} cannot be told apart: it does not give (token, class) "
                "for each token. Name a channel of one of its layers, LAYER:CHANNEL."
            )
        if logits.shape[1] == 1 and self.name != "logit":
            raise ArgumentError(
                f"The {type(self.network).__name__} gives one class only, whose probability is always 1: take its "
                "logit (objective='logit', --objective logit)."
            )
        chosen = logits
        if self.name == "log_probability":
            chosen = torch.log_softmax(chosen, dim=1)
        elif self.name == "probability":
            chosen = torch.softmax(chosen, dim=1)
        return self._picked(group, chosen, "classes")

    def _of_layer(self, group: _Group, output: Tensor, tokens: int) -> Tensor:
        if output.ndim < 2 or len(output) != tokens or not output.is_floating_point():
            raise NetworkError(
                f"Layer {group.layer!r} gives {output.dtype} of shape {tuple(output.shape)} for {tokens} tokens, in "
                "which no channels are found: its first axis must be the tokens, and its values real numbers."
            )
        return self._picked(group, channels_first(self.network, group.layer, output), "channels")

    def _picked(self, group: _Group, values: Tensor, what: str) -> Tensor:
        """Return the values (token, channel, ...) at the units' places, or their means over all places."""
        sizes = tuple(values.shape[1:])
        self._check_inside(group, sizes if group.positions is not None else sizes[:1], what)
        if group.positions is not None:
            return values[(group.places, group.channels, *group.positions)]
        chosen = values[group.places, group.channels]
        return chosen if chosen.ndim == 1 else chosen.reshape(len(group.rows), -1).mean(1)

    def _check_inside(self, group: _Group, sizes: tuple[int, ...], what: str) -> None:
        """Raise `ArgumentError` where a unit is not among the `sizes` of its layer."""
        for row in group.rows:
            unit = self.units[row]
            places = (unit.channel, *(unit.position or ()))
            if len(places) != len(sizes) or any(place >= size for place, size in zip(places, sizes, strict=True)):
                whose = f"Layer {unit.layer!r}" if unit.layer else f"The {type(self.network).__name__}"
                along = " x ".join(map(str, sizes[1:]))
                raise ArgumentError(
                    f"There is no unit {unit.name!r}. {whose} has {sizes[0]} {what}, from 0"
                    f"{f', and {along} places' if along else ''}."
                )


def channels_first(network: nn.Module, layer: str, output: Tensor) -> Tensor:
    """Return what a layer gave with its channels on the axis after that of the tokens, where a unit's number counts.

    Examples
    --------
    >>> channels_first(nn.Sequential(nn.Linear(2, 7)), "0", torch.zeros(1, 30, 7)).shape
    torch.Size([1, 7, 30])
    """
    proper = plain(network)
    axes = lookup(proper.hearing.axes, layer, ()) if isinstance(proper, SpeechNetwork) else ()
    if "channel" in axes and len(axes) == output.ndim:
        return output.movedim(axes.index("channel"), 1)
    return output.movedim(-1, 1) if isinstance(network.get_submodule(layer), _LAST_AXIS) else output


def class_logits(output: object, tokens: int) -> Tensor | None:
    """Return what a network says of classes as (token, class, ...); None where its output is of another shape.

    Of an output with more than two axes the classes are on the last one, as in (token, frame, letter).

    Examples
    --------
    >>> class_logits(torch.zeros(2, 5, 28), 2).shape
    torch.Size([2, 28, 5])
    """
    logits = first_tensor(output)
    if logits is None or logits.ndim < 2 or len(logits) != tokens or not logits.is_floating_point():
        return None
    return logits.movedim(-1, 1)


def classes_of_window(output: object, tokens: int) -> Tensor | None:
    """Return what a network says of classes as (token, class), where it says it once a token; None elsewhere.

    Of a network with frames, that is what it says of a window with one frame.
    """
    logits = class_logits(output, tokens)
    return None if logits is None or logits[0, 0].numel() != 1 else logits.flatten(1)


def check_objective(objective: str, units: Sequence[Unit]) -> None:
    """Raise `ArgumentError` unless the objective is one of classes, or of units of layers, as the units are."""
    if not units:
        raise ArgumentError("There must be at least one target, but got none.")
    layers = [unit.name for unit in units if unit.layer]
    if 0 < len(layers) < len(units):
        classes = [unit.name for unit in units if not unit.layer]
        raise ArgumentError(
            f"Classes and units of layers are taken one after the other, but got {classes[0]!r} and {layers[0]!r}."
        )
    if layers and objective != ACTIVATION:
        raise ArgumentError(
            f"Units of layers have no probability: the objective of {layers[0]!r} is 'activation', but got "
            f"{objective!r} instead."
        )
    if not layers:
        check_choice("objective", objective, CLASS_OBJECTIVES)


def _groups(units: Sequence[Unit], device: torch.device | None) -> list[_Group]:
    kinds: dict[tuple[str, int | None], list[int]] = {}
    for row, unit in enumerate(units):
        kinds.setdefault((unit.layer, None if unit.position is None else len(unit.position)), []).append(row)
    groups = []
    for (layer, axes), rows in kinds.items():
        channels = torch.tensor([units[row].channel for row in rows], device=device)
        positions = None
        if axes is not None:
            places = [units[row].position or () for row in rows]
            positions = tuple(torch.tensor(along, device=device) for along in zip(*places, strict=True))
        groups.append(_Group(layer, tuple(rows), torch.tensor(rows, device=device), channels, positions))
    return groups


def _told(labels: Sequence[str]) -> str:
    return ", ".join(labels[:60]) + (f", ... ({len(labels)} in all)" if len(labels) > 60 else "")
