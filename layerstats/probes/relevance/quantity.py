"""Relevance as a quantity of the recorder: whatever takes recordings of activations takes those of relevances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from layerstats.errors import ArgumentError
from layerstats.probes.gradients import OWN_WORD
from layerstats.probes.layers.input_layer import plain
from layerstats.probes.quantity import Batch, ChannelQuantity, Use, Variable
from layerstats.probes.relevance.attribute import attribute
from layerstats.probes.relevance.attribution import Attribution
from layerstats.probes.relevance.methods import options_of
from layerstats.probes.relevance.rules import RULES
from layerstats.probes.relevance.targets import Target

# What relevance by rules is called in the store; its method says by which.
RELEVANCE = "relevance"
_LONG_NAMES = {
    "conservation_error": "relevance that is lost or made on the way, as a share of the start",
    "completeness_error": "difference between the sum of relevance and that of the scores, as a share of the latter",
    "scale": "largest relevance, by which all was divided",
}


class Relevance(ChannelQuantity):
    """How much of a score of the network rests on each value of its layers and its input.

    Parameters
    ----------
    target : int, str or callable
        Whose relevance, as for `attribute`: the number of a class from 0, its name, "own_word" (the class named as the
        word of the token), a unit of any layer ("conv2:5:10"), or a function of (output, rows of the tokens table) that
        returns a score a token.
    labels : sequence of str, optional
        Names of the network's classes in order, for instance `card.outputs`.
    method : str
        As for `attribute`: "gradient", "input_x_gradient", "integrated_gradients", "occlusion", or a rule ("epsilon",
        "adapted", ...).
    start : str, optional
        Of classes "logit", "log_probability", "probability" or "one"; see `attribute`.
    summary : str or sequence of str
        What is stored of the channels, of {"mean", "root_mean_square"}; both by default.
    maps : bool
        Store all channels too, (token, channel, sample).
    **options
        Of the method: `rules`, `epsilon`, `dtype`, `steps`, ...

    Notes
    -----
    Beside what is stored of the channels stands, of rules, `conservation_error (token)`: the part of the start that
    is not there any more in this layer, and of those that rescale `scale (token)`, by which relevance was divided; of
    integrated gradients `completeness_error (token)`.

    Raises
    ------
    ArgumentError
        There is no such method or option.

    Examples
    --------
    >>> quantity = Relevance("ask", ["ask", "wash"], method="epsilon", epsilon=0.01)
    >>> [variable.name for variable in quantity.variables]
    ['mean', 'root_mean_square', 'conservation_error']
    """

    needs_gradients = True
    value = "relevance"

    def __init__(
        self,
        target: Target = OWN_WORD,
        labels: Sequence[str] | None = None,
        *,
        method: str = "epsilon",
        start: str | None = None,
        summary: str | Sequence[str] = ("mean", "root_mean_square"),
        maps: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(summary, maps)
        self._options = {name: value for name, value in options.items() if value is not None}
        options_of(method, self._options)
        self.method, self.target, self.start = method, target, start
        self.labels = None if labels is None else tuple(labels)
        self._told: Mapping[str, object] = {}

    @property
    def name(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """How it is called in the store: "relevance" by whatever rule, else the method."""
        return RELEVANCE if self.method in RULES else self.method

    @property
    def recording(self) -> str:
        """How its recording is called unless the caller says otherwise: as the method."""
        return self.method

    @property
    def variables(self) -> tuple[Variable, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What is stored of every layer."""
        names = ["completeness_error"] if self.method == "integrated_gradients" else []
        if self.method in RULES:
            names = ["conservation_error", *(["scale"] if RULES[self.method].rescales else [])]
        return (*super().variables, *(Variable(name, ("token",), long_name=_LONG_NAMES[name]) for name in names))

    def attributes(self) -> dict[str, object]:
        """Return the attributes of a recording; once it was measured, with what the method says of itself."""
        told = {name: rules_text(value) for name, value in self._options.items()}
        return {**super().attributes(), **told, **self._told}

    def check(self, tokens: pd.DataFrame) -> None:
        """Raise `ArgumentError` where the word of a token is none of the classes, and the target is the own word."""
        if self.target != OWN_WORD or self.labels is None:
            return
        unknown = sorted(set(tokens["word"]) - set(self.labels))
        if unknown:
            raise ArgumentError(
                f"The network has no output for {', '.join(map(repr, unknown[:10]))} (the words of the tokens). Its "
                f"outputs are: {', '.join(self.labels)}."
            )

    def measure(self, batch: Batch, use: Use) -> None:
        """Attribute the scores of a batch to the layers, and give `use` what each of them gets."""
        if batch.choose_output is not None:
            raise ArgumentError(
                f"The method {self.method!r} takes what a layer gives as it is, so that choose_output cannot be used. "
                "Name the module that gives the tensor itself, or record a Gradient."
            )
        found = attribute(
            plain(batch.model),
            batch.prepared,
            self.target,
            self.method,
            to=list(batch.axes),
            start=self.start,
            labels=self.labels,
            tokens=batch.tokens,
            **self._options,
        )
        self._told = {name: value for name, value in found.attrs.items() if name != "target"}
        relevances = found.values  # noqa: PD011 - tensors
        assert isinstance(relevances, dict)
        for layer, relevance in relevances.items():
            by_token = relevance.movedim(batch.axes[layer].index("token"), 0)
            use(layer, relevance, self._errors(found, layer, by_token))

    def _errors(self, found: Attribution, layer: str, relevance: Tensor) -> dict[str, Tensor]:
        if self.method in RULES:
            scale = found.scale.get(layer)
            error = {"conservation_error": lost(found.start, relevance, scale)}
            return error if scale is None else {**error, "scale": scale}
        if self.method == "integrated_gradients":
            errors = found.completeness_error
            return {"completeness_error": errors[layer]} if isinstance(errors, dict) else {}
        return {}


def lost(start: Tensor, relevance: Tensor, scale: Tensor | None = None) -> Tensor:
    """Return the part of the start that relevance (token, ...), times its scale, does not add up to, (token,).

    Examples
    --------
    >>> lost(torch.tensor([2.0, 4.0]), torch.tensor([[1.0, 1.0], [1.0, 1.0]]))
    tensor([0.0000, 0.5000])
    """
    sums = relevance.detach().reshape(len(start), -1).sum(1, dtype=torch.float64)
    missing = start.double() - (sums if scale is None else sums * scale.double())
    # Of no relevance none is lost.
    return torch.where(missing == 0, missing, missing / start.double()).float()


def rules_text(value: object) -> object:
    """Return an option of a method as text, numbers as they are: rules by layer as "conv1: flat; linear: epsilon".

    Functions are told by their names, so that another run says the same.

    Examples
    --------
    >>> rules_text({"conv1": "flat", "linear": "epsilon"})
    'conv1: flat; linear: epsilon'
    >>> rules_text(len)
    'function len'
    """
    if isinstance(value, Mapping):
        return "; ".join(f"{key if isinstance(key, str) else key.__name__}: {rule}" for key, rule in value.items())
    if callable(value):
        # Not as Python writes it, with an address that is another one in the next run.
        return f"function {getattr(value, '__qualname__', type(value).__qualname__)}"
    return str(value) if not isinstance(value, str | bool | int | float) else value
