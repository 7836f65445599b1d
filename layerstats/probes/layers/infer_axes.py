"""Which axis of a layer's output is time: the one that changes with the clip's length, else by the modules' types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layerstats.errors import ArgumentError
from layerstats.probes.layers.axes import check_axes
from layerstats.probes.layers.observe import ForwardPass, Kind

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Shapes:
    """What is known of the axes of a layer's output.

    Parameters
    ----------
    one : tuple of int
        Shape of the output for one token.
    several : tuple of int, optional
        Shape for a batch of tokens, `tokens` of them.
    others : sequence of tuple of int
        Shapes for one token whose clip is shorter or longer; empty where the network takes one length only.
    kind : Kind, optional
        What the type of the module says, or of modules inside it or elsewhere that give the same shape.
    """

    one: Shape
    several: Shape | None = None
    tokens: int = 1
    others: Sequence[Shape] = ()
    kind: Kind | None = None


def shapes_of(
    layer: str, one: ForwardPass, several: ForwardPass | None, tokens: int, others: Sequence[Mapping[str, Shape]]
) -> Shapes:
    """Collect what a few passes tell of a layer's axes; `others` are the shapes of all layers for other lengths."""
    shape = tuple(one.outputs[layer].shape)
    return Shapes(
        shape,
        None if several is None else tuple(several.outputs[layer].shape),
        tokens,
        [other[layer] for other in others],
        _kind(layer, shape, one),
    )


def _kind(layer: str, shape: Shape, seen: ForwardPass) -> Kind | None:
    """Return the kind of the layer, else that on which all modules with this shape agree, those inside it first."""
    if layer in seen.mixing:
        return None
    if layer in seen.kinds:
        kind, own = seen.kinds[layer]
        return kind if own == shape else None
    alike = {name: kind for name, (kind, made) in seen.kinds.items() if made == shape}
    candidates = [{kind for name, kind in alike.items() if name.startswith(f"{layer}.")}]
    if len(set(shape)) == len(shape):
        # Otherwise axes of equal length could have changed places between another module and this one.
        candidates.append(set(alike.values()))
    for kinds in candidates:
        places = {kind.channel % len(shape) for kind in kinds}
        if len(places) == 1:
            tokens = {kind.token for kind in kinds} - {None}
            return Kind(places.pop(), tokens.pop() if len(tokens) == 1 else None)
    return None


def settle_axes(layer: str, named: Sequence[str] | None, shapes: Shapes) -> tuple[str, ...]:
    """Return the names of the axes of a layer's output.

    Parameters
    ----------
    layer : str
        Name of the layer.
    named : sequence of str, optional
        The names that the caller gave.
    shapes : Shapes
        What is known of its axes.

    Raises
    ------
    ArgumentError
        The names do not fit; or none were given and what is known decides nothing.

    Examples
    --------
    >>> settle_axes("lstm", None, Shapes((1, 103, 64), (3, 103, 64), 3, [(1, 77, 64)]))
    ('token', 'sample', 'channel')
    """
    if named is not None:
        names = check_axes(layer, named, shapes.one)
        _check_tokens(layer, shapes, names.index("token"))
        _check_sample(layer, names, shapes)
        return names
    if len(shapes.one) < 3:
        # Where the last axis holds the channels, a name for it would be refused.
        nameable = len(shapes.one) == 2 and (shapes.kind is None or shapes.kind.channel % 2 == 0)
        advice = _how_to_name(layer, ("token", "sample")) if nameable else "Choose a layer before its time is pooled."
        raise ArgumentError(
            f"Layer {layer!r} gives an output of {len(shapes.one)} axes, {shapes.one} for one token; a layer without "
            f"time cannot be recorded as a series. {advice}"
        )
    token = _check_tokens(layer, shapes, None)
    sample = _sample_axis(layer, token, shapes)
    rest = iter(("channel", "frequency", *(f"axis_{number}" for number in range(2, len(shapes.one)))))
    return tuple("token" if i == token else "sample" if i == sample else next(rest) for i in range(len(shapes.one)))


def _check_tokens(layer: str, shapes: Shapes, named: int | None) -> int:
    """Return the axis of the tokens: the one, and the only one, that grows with the batch."""
    if shapes.several is None or shapes.tokens == 1:
        if named is not None:
            return named
        if shapes.kind is not None and shapes.kind.token is not None and shapes.one[shapes.kind.token] == 1:
            return shapes.kind.token
        return shapes.one.index(1) if 1 in shapes.one else 0
    told = f"an output of shape {shapes.one} for one token and {shapes.several} for {shapes.tokens}"
    if shapes.several == shapes.one:
        raise ArgumentError(
            f"Layer {layer!r} gives {told}: it does not depend on how many tokens go in, so there is no series for "
            "each. Choose another layer; or record with batch_size=1, if it hears the speech at all."
        )
    grown = [axis for axis, sizes in enumerate(zip(shapes.one, shapes.several, strict=False)) if sizes[0] != sizes[1]]
    if (
        len(shapes.one) != len(shapes.several)
        or len(grown) != 1
        or (shapes.one[grown[0]], shapes.several[grown[0]]) != (1, shapes.tokens)
    ):
        raise ArgumentError(
            f"Layer {layer!r} gives {told}: tokens are merged with another axis. Take them apart with choose_output=, "
            f"{'record with batch_size=1, ' if 1 in shapes.one else ''}or choose another layer."
        )
    if named is not None and named != grown[0]:
        raise ArgumentError(
            f"Axis {named} of layer {layer!r} is named 'token', but axis {grown[0]} is: the layer gives {told}. "
            f"{_how_to_name(layer, ('token', 'sample', 'channel'))}"
        )
    return grown[0]


def _changed(shapes: Shapes, token: int) -> list[int]:
    """Return the axes that change with the clip's length; where another length gave other tokens, it tells nothing."""
    one = shapes.one
    others = [other for other in shapes.others if len(other) == len(one) and other[token] == one[token]]
    return [axis for axis in range(len(one)) if any(other[axis] != one[axis] for other in others)]


def _sample_axis(layer: str, token: int, shapes: Shapes) -> int:
    changed = _changed(shapes, token)
    if len(changed) == 1 and not _channel_in(changed, shapes):
        return changed[0]
    if not changed and shapes.kind is not None and len(shapes.one) == 3:
        free = {0, 1, 2} - {token, shapes.kind.channel % 3}
        if len(free) == 1:
            return free.pop()
    if len(changed) == 1:
        reason = f"axis {changed[0]} changes with the length of the clip, but by the type of its modules has channels"
    elif changed:
        reason = f"axes {', '.join(map(str, changed))} all change with the length of the clip"
    elif shapes.others:
        reason = "none changes with the length of the clip, and the types of its modules do not tell"
    else:
        reason = "the network takes clips of one length only, and the types of its modules do not tell"
    raise ArgumentError(
        f"Which axis of layer {layer!r} is time cannot be told from its output, of shape {shapes.one} for one token: "
        f"{reason}. {_how_to_name(layer, ('token', 'sample', 'channel'))}"
    )


def _channel_in(axes: Sequence[int], shapes: Shapes) -> bool:
    """Whether types say that the channels are on one of these axes, so that lengths and types contradict each other."""
    return shapes.kind is not None and shapes.kind.channel % len(shapes.one) in axes


def _check_sample(layer: str, names: tuple[str, ...], shapes: Shapes) -> None:
    """Refuse a name "sample" on an axis that is known to be another one."""
    sample = names.index("sample")
    changed = _changed(shapes, names.index("token"))
    how = f"The output has the shape {shapes.one} for one token, and the axes were named {names!r}."
    if changed and sample not in changed and not _channel_in(changed, shapes):
        raise ArgumentError(
            f"Axis {sample} of layer {layer!r} is named 'sample', but axis {changed[0]} is time: that one changes with "
            f"the length of the clip. {how} Leave the names out, and they are found."
        )
    if not changed and shapes.kind is not None and shapes.kind.channel % len(names) == sample:
        raise ArgumentError(
            f"Axis {sample} of layer {layer!r} is named 'sample', but by the type of its modules it holds the "
            f"channels. {how} Leave the names out, and they are found where there is time; a layer without time cannot "
            "be recorded as a series."
        )


def _how_to_name(layer: str, axes: tuple[str, ...]) -> str:
    return f"Name its axes, for instance axes={{{layer!r}: {axes!r}}}, in the shell --axes {','.join(axes)}."
