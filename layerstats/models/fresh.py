"""The same architecture with fresh weights: the null against which "the network learned it" is told."""

from __future__ import annotations

import copy
from collections.abc import Callable

from torch import nn

from layerstats.errors import ArgumentError
from layerstats.models.card import ModelCard, build
from layerstats.models.seeding import seeded


def untrained(model: nn.Module | ModelCard, seed: int) -> nn.Module:
    """Make a network of the same architecture with freshly drawn weights.

    Every module draws its weights as it does when it is constructed; the given model and the global random state are
    left as they were. A transformers model is built anew from its configuration.

    Parameters
    ----------
    model : torch.nn.Module or ModelCard
        The network, or the card of one of this package's own.
    seed : int
        Seed of the weights: the same seed gives the same network.

    Raises
    ------
    ArgumentError
        A module owns parameters and has no `reset_parameters` method, so that it cannot be told how to draw them.

    Examples
    --------
    >>> from torch import nn
    >>> network = nn.Sequential(nn.Conv1d(1, 4, 5), nn.ReLU())
    >>> fresh = untrained(network, seed=3)
    >>> bool((fresh[0].weight == network[0].weight).all())
    False
    """
    if isinstance(model, ModelCard):
        with seeded(seed):
            return build(model.architecture)
    first = next(model.parameters(), None)
    with seeded(seed):
        if any(base.__name__ == "PreTrainedModel" for base in type(model).__mro__):
            fresh = type(model)(copy.deepcopy(model.config))  # pyright: ignore[reportCallIssue]
            # `Module.to` takes a tensor as "this device and this dtype".
            fresh = fresh if first is None else fresh.to(first.detach())
        else:
            fresh = copy.deepcopy(model)
            _reset(fresh)
    fresh.train(model.training)
    return fresh


def _reset(model: nn.Module) -> None:
    owners = {name: module for name, module in model.named_modules() if module._parameters}
    stuck = [
        f"{name or 'the model itself'} ({type(module).__name__})"
        for name, module in owners.items()
        if any(parameter is not None for parameter in module._parameters.values()) and _resetter(module) is None
    ]
    if stuck:
        raise ArgumentError(
            f"Fresh weights cannot be drawn for {', '.join(stuck)}: no reset_parameters method there. "
            "Give these modules a method of that name that draws their own parameters."
        )
    # Children first, as in construction: a parent may overrule what its children drew.
    model.apply(lambda module: (_resetter(module) or (lambda: None))())


def _resetter(module: nn.Module) -> Callable[[], None] | None:
    # torch's attention and transformer modules name the same method with an underscore.
    return getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
