"""Gradients of the score, gradients times values, and gradients integrated along a path."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, allow_mutation_on_saved_tensors, get_gradient_edge

from layerstats.errors import ArgumentError, NetworkError
from layerstats.probes.inputs import call, differentiable
from layerstats.probes.layers.capture import capturing
from layerstats.probes.layers.input_layer import INPUT
from layerstats.probes.relevance.places import Place
from layerstats.probes.relevance.targets import TargetScore


def gradients_at(
    place: Place, names: Sequence[str], targets: Sequence[TargetScore], *, times_value: bool
) -> Generator[tuple[dict[str, Tensor], Tensor], None, None]:
    """Yield the gradients of the scores of each target by place, and the scores (token,), from one pass.

    Sensitivity analysis (Krug & Stober 2018, Eq. 1; Simonyan et al. 2014): dS / dx. With `times_value` it is x dS / dx,
    what each value contributes to the score where the network is linear (Shrikumar et al. 2017).

    Parameters
    ----------
    place : Place
        The input.
    names : sequence of str
        "input" and names of layers.
    targets : sequence of TargetScore
        Whose scores.
    times_value : bool
        Multiply by the values.

    Raises
    ------
    NetworkError
        The score does not depend on a place by operations that torch can differentiate.
    """
    layers = [name for name in names if name != INPUT]
    scored = [name for score in targets for name in score.layers]

    def keep(name: str, output: Tensor) -> tuple[GradientEdge | None, Tensor | None]:
        if not output.requires_grad and output.is_floating_point():
            # Nothing before it can be differentiated, for instance where the network detaches its values.
            output.requires_grad_()
        # The place in the graph, not the tensor: the next module may work in place, and its output would be meant.
        edge = get_gradient_edge(output) if name in layers else None
        return edge, output.clone() if times_value or name in scored else None

    prepared, speech = differentiable(place.prepared)
    check_real(speech, names)
    with allow_mutation_on_saved_tensors():
        with capturing(place.network, list(dict.fromkeys([*layers, *scored])), keep) as kept:
            output = call(place.network, prepared)
        values: dict[str, Any] = {name: value for name, (_, value) in kept.items()}
        edges = {name: edge for name, (edge, _) in kept.items()} | {INPUT: speech}
        several = [score(output, values) for score in targets]
        values[INPUT] = speech
        for number, scores in enumerate(several, start=1):
            again = number < len(several)
            gradients = gradients_of(scores, [edges[name] for name in names], names, again=again)
            found = dict(zip(names, gradients, strict=True))
            if times_value:
                found = {name: gradient * values[name].detach() for name, gradient in found.items()}
            yield found, scores


def gradients_of(scores: Tensor, of: Sequence[Any], names: Sequence[str], *, again: bool = False) -> list[Tensor]:
    """Return the gradients of the sum of the scores, or say of which place there is none."""
    if not scores.requires_grad:
        raise NetworkError(
            "The score does not depend on the input or the layers by operations that torch can differentiate: the "
            "network detaches its values, or leaves torch, on the way."
        )
    found = torch.autograd.grad(scores.sum(), of, allow_unused=True, retain_graph=again)
    for name, gradient in zip(names, found, strict=True):
        if gradient is None:
            where = "on the input" if name == INPUT else f"on what layer {name!r} gives"
            raise NetworkError(
                f"The score does not depend {where}, so it has no gradient there. Choose a place on the way to the "
                "score."
            )
    return list(found)


def check_real(speech: Tensor | None, names: Sequence[str]) -> None:
    """Raise `ArgumentError` where the input holds whole numbers, and its relevance is asked for."""
    if speech is None and INPUT in names:
        raise ArgumentError(
            "The network's input holds whole numbers, of which no gradient can be taken. Name a layer with to=."
        )


def integrated_gradients(place: Place, beginning: Tensor, steps: int) -> tuple[Tensor, Tensor, Tensor]:
    """Integrate the gradient along the straight line from other values to those that are there.

    Integrated gradients (Sundararajan et al. 2017, Eq. 1), by Gauss-Legendre quadrature: (x - x') times the mean of
    dS / dx on the way. Of a layer, its output moves along the line while everything else is as it was.

    Parameters
    ----------
    place : Place
        Whose values move.
    beginning : Tensor
        x', shaped like the values.
    steps : int
        Points of the quadrature.

    Returns
    -------
    values : Tensor
        (token, ...).
    scores : Tensor
        (token,), of the values that are there.
    completeness_error : Tensor
        (token,), the sum of the values less the difference between the scores of both ends, as a share of the
        difference: it is 0 of an exact integral, and more steps bring it down.
    """
    end = place.values()
    difference = end - beginning
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    total = torch.zeros_like(end)
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        here = (beginning + float(node) * difference).requires_grad_()
        with allow_mutation_on_saved_tensors():
            gradient = gradients_of(place.scores(here), [here], [place.name])[0]
        total += float(weight) * gradient
    values = difference * total
    with torch.no_grad():
        scores, others = place.scores(end), place.scores(beginning)
    gained = scores.double() - others.double()
    missing = (values.double().flatten(1).sum(1) - gained).abs()
    return values, scores, torch.where(missing == 0, 0.0, missing / gained.abs())
