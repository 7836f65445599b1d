"""Places in a network whose values are explained or exchanged: its input, or what a layer gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from layerstats.errors import ArgumentError
from layerstats.probes.inputs import Prepared, call, copied, main_tensor
from layerstats.probes.layers.axes import output_tensor
from layerstats.probes.layers.capture import capturing
from layerstats.probes.layers.input_layer import INPUT
from layerstats.probes.relevance.targets import TargetScore


class Place:
    """The input of a network, or the output of one of its layers, with other values in it.

    Parameters
    ----------
    network : torch.nn.Module
        In eval mode.
    prepared : Tensor or mapping
        Its input for a batch of tokens.
    name : str
        "input", or the name of a module.
    score : TargetScore
        Of each token.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    >>> place = Place(network, torch.ones(1, 2), "0", TargetScore(network, 1, 1))
    >>> place.scores(torch.tensor([[3.0, 4.0]]))
    tensor([4.])
    """

    def __init__(self, network: nn.Module, prepared: Prepared, name: str, score: TargetScore) -> None:
        self.network, self.prepared, self.name, self.score = network, prepared, name, score

    def values(self) -> Tensor:
        """Return the values that are there, (token, ...), without a graph."""
        if self.name == INPUT:
            return main_tensor(self.prepared).detach()
        with torch.no_grad(), capturing(self.network, [self.name], lambda _, output: output.clone()) as kept:
            call(self.network, copied(self.prepared))
        return kept[self.name]

    def scores(self, values: Tensor, rows: Sequence[int] | None = None) -> Tensor:
        """Return the scores with other values in this place.

        Parameters
        ----------
        values : Tensor
            (token, ...), or as many as `rows`.
        rows : sequence of int, optional
            Of which token of the batch each of the values is; by default of all, in order.
        """
        score = self.score if rows is None else self.score.at(rows)
        prepared = copied(self.prepared if rows is None else rows_of(self.prepared, rows, self.score.tokens))
        # The network may work in place on what it is given.
        exchanged = values.clone()
        if self.name == INPUT:
            prepared = _with_speech(prepared, exchanged)
        inside = nullcontext() if self.name == INPUT else _giving(self.network, self.name, exchanged)
        with inside, capturing(self.network, score.layers, lambda _, output: output.clone()) as kept:
            output = call(self.network, prepared)
        return score(output, kept)


def _with_speech(prepared: Prepared, values: Tensor) -> Prepared:
    if not isinstance(prepared, Mapping):
        return values
    speech = main_tensor(prepared)
    return {name: values if value is speech else value for name, value in prepared.items()}


def rows_of(prepared: Prepared, rows: Sequence[int], tokens: int) -> Prepared:
    """Return the same input for some of the tokens; what has not an entry a token stays as it is."""

    def chosen(value: object) -> object:
        return value[list(rows)] if isinstance(value, Tensor) and value.ndim and len(value) == tokens else value

    if isinstance(prepared, Mapping):
        return {name: chosen(value) for name, value in prepared.items()}
    return prepared[list(rows)]


@contextmanager
def _giving(network: nn.Module, layer: str, values: Tensor) -> Iterator[None]:
    """Let a layer give these values in place of its own."""

    def exchange(_module: nn.Module, _args: tuple, output: object) -> object:
        own = output_tensor(layer, output, None)
        if own.shape != values.shape:
            raise ArgumentError(f"Layer {layer!r} gives the shape {tuple(own.shape)}, not {tuple(values.shape)}.")
        if isinstance(output, tuple | list):
            return type(output)(values if one is own else one for one in output)
        if isinstance(output, Tensor):
            return values
        raise ArgumentError(
            f"The output of layer {layer!r} is a {type(output).__name__}, in which values cannot be exchanged. Choose "
            "a layer that gives a tensor."
        )

    handle = dict(network.named_modules())[layer].register_forward_hook(exchange)
    try:
        yield
    finally:
        handle.remove()
