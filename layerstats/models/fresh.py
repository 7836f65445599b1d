"""The same architecture with fresh weights: the null against which "the network learned it" is told."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from layerstats.errors import ArgumentError
from layerstats.models.card import ModelCard, build
from layerstats.models.seeding import seeded
from layerstats.models.speech_network import SpeechNetwork, from_transformers

# As many as torch makes when the norm is put on a module anew.
_POWER_ITERATIONS = 15


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
        A module owns parameters and has no `reset_parameters` method, so that it cannot be told how to draw them; or
        what is called a network is the sound alone.

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
    if isinstance(model, SpeechNetwork):
        if next(model.parameters(), None) is None:
            raise ArgumentError(
                f"{model.name or model.hearing.kind} has no weights, so that it has no untrained twins."
            )
        return SpeechNetwork(untrained(model.network, seed), model.hearing, model.name).train(model.training)
    first = next(model.parameters(), None)
    with seeded(seed):
        if from_transformers(model):
            fresh = type(model)(copy.deepcopy(model.config))  # pyright: ignore[reportCallIssue]
            # `Module.to` takes a tensor as "this device and this dtype".
            fresh = fresh if first is None else fresh.to(first.detach())
        else:
            fresh = _copied(model)
            _reset(fresh)
    fresh.train(model.training)
    return fresh


def _reset(model: nn.Module) -> None:
    # The parameters of a parametrization are drawn with the module that it is on.
    owners = {
        name: module
        for name, module in model.named_modules()
        if module._parameters and "parametrizations" not in name.split(".")
    }
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
    model.apply(_draw)


def _copied(model: nn.Module) -> nn.Module:
    # torch copies no tensor that was computed; older normalisations of weights keep one as an attribute.
    computed = [
        tensor
        for module in model.modules()
        for tensor in vars(module).values()
        if isinstance(tensor, Tensor) and not tensor.is_leaf
    ]
    return copy.deepcopy(model, {id(tensor): tensor.detach().clone() for tensor in computed})


def _draw(module: nn.Module) -> None:
    reset = _resetter(module)
    if reset is None:
        return
    if parametrize.is_parametrized(module):
        _draw_parametrized(module)
        return
    reset()
    # These normalisations compute the weight from other parameters, which have not been drawn yet.
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm):
            weight = getattr(module, hook.name).detach()
            _fill(getattr(module, f"{hook.name}_g"), torch.norm_except_dim(weight, 2, hook.dim))
            _fill(getattr(module, f"{hook.name}_v"), weight)
        elif isinstance(hook, SpectralNorm):
            _fill(getattr(module, f"{hook.name}_orig"), getattr(module, hook.name).detach())
            for _ in range(_POWER_ITERATIONS):
                hook.compute_weight(module, do_power_iteration=True)


def _draw_parametrized(module: nn.Module) -> None:
    """Let the module as it was before parametrization draw its weights, and hand them to the parametrizations."""
    names = list(module.parametrizations)  # pyright: ignore[reportArgumentType, reportCallIssue]
    plain = object.__new__(parametrize.type_before_parametrizations(module))
    vars(plain).update(vars(module))
    weights = {name: nn.Parameter(getattr(module, name).detach().clone()) for name in names}
    vars(plain)["_parameters"] = {**module._parameters, **weights}
    reset = _resetter(plain)
    if reset is not None:
        reset()
    training = module.training
    try:
        for name, weight in weights.items():
            setattr(module, name, weight.detach())
        module.train()
        for name in names * _POWER_ITERATIONS:
            getattr(module, name)  # a spectral norm follows its weight while it trains
    except (NotImplementedError, RuntimeError) as error:
        raise ArgumentError(
            f"Fresh weights cannot be drawn for the parametrized {', '.join(names)} of a "
            f"{type(plain).__name__}: {error} Take the parametrization off first "
            "(torch.nn.utils.parametrize.remove_parametrizations)."
        ) from error
    finally:
        module.train(training)


def _fill(parameter: Tensor, values: Tensor) -> None:
    with torch.no_grad():
        parameter.copy_(values)


def _resetter(module: nn.Module) -> Callable[[], None] | None:
    # torch's attention and transformer modules name the same method with an underscore.
    return getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
