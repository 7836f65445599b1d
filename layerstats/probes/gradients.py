"""Gradients of what a network says with respect to what its layers give: how much each moves the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

import pandas as pd
import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, allow_mutation_on_saved_tensors, get_gradient_edge

from layerstats.errors import ArgumentError, NetworkError
from layerstats.probes.inputs import differentiable, first_tensor
from layerstats.probes.quantity import Batch, ChannelQuantity, Use

OWN_WORD = "own_word"

Target = int | str | Callable[[object, pd.DataFrame], Tensor]


def decision(output: object, tokens: pd.DataFrame | None = None) -> Tensor:
    """Return each token's largest output, (token,): as a target, whatever the network itself decides for.

    Untrained networks decide too, for outputs that mean nothing, and networks without labels for their own classes: so
    that one target serves all of them. Of a network with one output, a critic, it is that output.

    Parameters
    ----------
    output : object
        What the network returned, (token, output).
    tokens : DataFrame, optional
        Their rows, which do not matter.

    Raises
    ------
    ArgumentError
        The network gives something else.

    Examples
    --------
    >>> decision(torch.tensor([[0.2, 0.7], [3.0, -1.0]]))
    tensor([0.7000, 3.0000])
    """
    logits = first_tensor(output)
    if logits is None or logits.ndim != 2:
        found = type(output).__name__ if logits is None else f"shape {tuple(logits.shape)}"
        raise ArgumentError(f"A decision is among the outputs of a network, (token, output), but it gives {found}.")
    return logits.gather(1, logits.argmax(dim=1, keepdim=True))[:, 0]


class Gradient(ChannelQuantity):
    """The gradient of a score of the network with respect to the outputs of its layers.

    The score of a token is one of the network's outputs, as it is given (a logit, not a probability, which saturates).
    Scores of a batch are added up, so that each token has its own gradient. The weights are constants.

    Parameters
    ----------
    target : int, str or callable
        Which score: the number of an output, from 0; its name; "own_word", the output named as the word of the token;
        or a function of (the network's output, rows of the tokens table) that returns the scores, (token,).
    labels : sequence of str, optional
        Names of the network's outputs in order, for instance `card.outputs` of a words classifier.
    times_activation : bool
        Multiply by what the layer gives: the contribution of each value, were the rest of the network linear (Shrikumar
        et al. 2017, "gradient x input").
    summary : str or sequence of str
        What is stored of the channels, of {"mean", "root_mean_square"}; both by default.
    maps : bool
        Store all channels too, (token, channel, sample).

    Raises
    ------
    ArgumentError
        The target is neither an output nor a function.

    Examples
    --------
    >>> Gradient("ask", labels=["ask", "wash"]).options()["target"]
    'ask'
    >>> [variable.name for variable in Gradient(0, maps=True).variables]
    ['mean', 'root_mean_square', 'maps']
    """

    name: ClassVar[str] = "gradient"
    needs_gradients: ClassVar[bool] = True

    def __init__(
        self,
        target: Target,
        labels: Sequence[str] | None = None,
        *,
        times_activation: bool = False,
        summary: str | Sequence[str] = ("mean", "root_mean_square"),
        maps: bool = False,
    ) -> None:
        super().__init__(summary, maps)
        self.target = target
        self.labels = None if labels is None else tuple(labels)
        self.times_activation = bool(times_activation)
        if callable(target):
            return
        if isinstance(target, str):
            self._check_names([target] if target != OWN_WORD else [], "the target")
        elif isinstance(target, bool) or not isinstance(target, int) or target < 0:
            raise ArgumentError(
                "The 'target' parameter must be the number of an output from 0, its name, 'own_word' or a function, "
                f"but got {target!r}."
            )

    @property
    def value(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """How its values are called."""
        return "gradient times activation" if self.times_activation else "gradient of the score"

    def check(self, tokens: pd.DataFrame) -> None:
        """Raise `ArgumentError` where the word of a token is none of the labels, and the target is the own word."""
        if isinstance(self.target, str) and self.target == OWN_WORD:
            self._check_names(sorted(set(tokens["word"])), "the words of the tokens")

    def scores(self, output: object, tokens: pd.DataFrame) -> Tensor:
        """Return the score of every token, (token,), in the network's graph.

        Parameters
        ----------
        output : object
            What the network returned.
        tokens : DataFrame
            Rows of the tokens table.

        Raises
        ------
        ArgumentError
            The output has not one value a token and label, or the target is not among them.
        """
        if callable(self.target):
            scores = self.target(output, tokens)
            if not isinstance(scores, Tensor) or scores.shape != (len(tokens),):
                found = f"shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
                raise ArgumentError(
                    f"The function that is the target must return a tensor of one score a token, ({len(tokens)},), but "
                    f"it returned {found}."
                )
            return scores
        logits = first_tensor(output)
        if logits is None or logits.ndim != 2 or len(logits) != len(tokens):
            found = type(output).__name__ if logits is None else f"shape {tuple(logits.shape)}"
            raise ArgumentError(
                f"Of a network that gives {found} for {len(tokens)} tokens, and not (token, output), a target cannot "
                "be told by number or name. Give a function of (output, tokens) as target."
            )
        if self.labels is not None and len(self.labels) != logits.shape[1]:
            raise ArgumentError(f"{len(self.labels)} labels were given for {logits.shape[1]} outputs of the network.")
        return logits[torch.arange(len(tokens), device=logits.device), self._indices(tokens, logits)]

    def measure(self, batch: Batch, use: Use) -> None:
        """Run the network, take the gradients of the sum of scores, and give them to `use`."""
        prepared, _ = differentiable(batch.prepared)
        given = replace(batch, prepared=prepared)
        with allow_mutation_on_saved_tensors():
            with given.capturing(self._keep) as kept:
                output = given.run()
            scores = self.scores(output, batch.tokens)
            if not scores.requires_grad:
                raise NetworkError(
                    "The score does not depend on the layers by operations that torch can differentiate: the network "
                    "detaches its values, or leaves torch, on the way."
                )
            edges = [edge for edge, _ in kept.values()]
            found = torch.autograd.grad(scores.sum(), edges, allow_unused=True)
        for name, gradient in zip(list(kept), found, strict=True):
            if gradient is None:
                raise NetworkError(
                    f"The score does not depend on what layer {name!r} gives"
                    f"{', as choose_output picks it' if batch.choose_output else ''}, so it has no gradient. Choose a "
                    "layer on the way to the score."
                )
            _, activation = kept.pop(name)
            use(name, gradient if activation is None else gradient * activation)

    def _keep(self, name: str, output: Tensor) -> tuple[GradientEdge, Tensor | None]:
        if not output.is_floating_point():
            raise ArgumentError(f"Layer {name!r} gives {output.dtype}, of which no gradient can be taken.")
        if not output.requires_grad:
            # Nothing before it can be differentiated, for instance where the network detaches its values.
            output.requires_grad_()
        # The place in the graph, not the tensor: the next module may work in place, and its output would be meant.
        return get_gradient_edge(output), output.detach().clone() if self.times_activation else None

    def _indices(self, tokens: pd.DataFrame, logits: Tensor) -> Tensor:
        if isinstance(self.target, int):
            if self.target >= logits.shape[1]:
                raise ArgumentError(
                    f"The target is output {self.target}, but the network has {logits.shape[1]} outputs, from 0."
                )
            return torch.full((len(tokens),), self.target, device=logits.device)
        labels = list(self.labels or ())
        names = tokens["word"].tolist() if self.target == OWN_WORD else [str(self.target)] * len(tokens)
        return torch.tensor([labels.index(name) for name in names], device=logits.device)

    def _check_names(self, names: Sequence[str], whose: str) -> None:
        if self.labels is None:
            raise ArgumentError(
                f"The target {self.target!r} is a name, and the network's outputs have none: give their names in order "
                "with labels=, for instance card.outputs."
            )
        unknown = [name for name in names if name not in self.labels]
        if unknown:
            raise ArgumentError(
                f"The network has no output for {', '.join(map(repr, unknown[:10]))} ({whose}). Its outputs are: "
                f"{', '.join(self.labels)}."
            )
