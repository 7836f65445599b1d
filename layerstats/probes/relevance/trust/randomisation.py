"""Networks some of whose layers have random weights: a map that stays the same says nothing of what was learned."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.models import running, untrained
from layerstats.probes.inputs import Prepared, call, copied, main_tensor
from layerstats.probes.layers.choose import choose_layers

CASCADING, ALONE = "cascading", "alone"
MODES = (CASCADING, ALONE)


@dataclass(frozen=True, eq=False)
class RandomisedNetwork:
    """A network with random weights in some layers.

    Attributes
    ----------
    network
        A copy; the trained one is left as it was.
    mode
        "cascading": `layer` and all that run after it have random weights; "alone": this one has.
    layer
        Name.
    layers
        All that have random weights.
    """

    network: nn.Module
    mode: str
    layer: str
    layers: tuple[str, ...]


def randomised_networks(
    network: nn.Module,
    input: Prepared,
    layers: str | Sequence[str] | None = None,
    *,
    modes: Sequence[str] = MODES,
    seed: int = 0,
) -> Iterator[RandomisedNetwork]:
    """Give layers random weights, from the last one that runs to the first: together with those after it, or alone.

    The weights are those of `layerstats.models.untrained`, drawn as each module draws them, with what normalisations
    have counted; with all layers at random it is that network. Each network is made when it is asked for.

    Parameters
    ----------
    network : torch.nn.Module
        The trained one.
    input : Tensor or mapping
        What it is called with; it runs once, which tells the order of layers.
    layers : str or sequence of str, optional
        Names or patterns of layers; by default the modules at the top that have weights.
    modes : sequence of str
        Of "cascading" and "alone".
    seed : int
        Of the weights.

    Raises
    ------
    ArgumentError
        There is no such layer or mode, a layer has no weights, does not run, or lies in another one.

    References
    ----------
    Adebayo et al. (2018), Sanity checks for saliency maps, NeurIPS 31, section 4.

    Examples
    --------
    >>> trained = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> [(one.mode, one.layers) for one in randomised_networks(trained, torch.ones(1, 2))]
    [('cascading', ('2',)), ('cascading', ('2', '0')), ('alone', ('2',)), ('alone', ('0',))]
    """
    for mode in modes:
        check_choice("modes", mode, MODES)
    chosen = _with_weights(network, layers)
    order = _order(network, input, chosen)[::-1]
    fresh = untrained(network, seed).state_dict()
    return _made(network, order, fresh, modes)


def _made(
    network: nn.Module, order: Sequence[str], fresh: dict[str, Tensor], modes: Sequence[str]
) -> Iterator[RandomisedNetwork]:
    for mode in modes:
        for number, layer in enumerate(order):
            randomised = tuple(order[: number + 1]) if mode == CASCADING else (layer,)
            made = copy.deepcopy(network)
            prefixes = tuple(f"{name}." for name in randomised)
            own = {name: value for name, value in fresh.items() if name.startswith(prefixes)}
            made.load_state_dict({**made.state_dict(), **own})
            yield RandomisedNetwork(made, mode, layer, randomised)


def _with_weights(network: nn.Module, layers: str | Sequence[str] | None) -> tuple[str, ...]:
    if layers is None:
        return tuple(name for name, module in network.named_children() if any(True for _ in module.parameters()))
    chosen = choose_layers(network, [layers] if isinstance(layers, str) else list(layers))
    for name in chosen:
        module = network.get_submodule(name)
        if not any(True for _ in module.parameters()):
            raise ArgumentError(f"The layer {name!r} ({type(module).__name__}) has no weights that could be random.")
        outer = next((other for other in chosen if name.startswith(f"{other}.")), None)
        if outer is not None:
            raise ArgumentError(f"The layer {name!r} lies in {outer!r}: name either the whole or its parts.")
    return chosen


def _order(network: nn.Module, input: Prepared, layers: Sequence[str]) -> list[str]:
    """Return the layers in the order in which they first run."""
    order: list[str] = []

    def ran(name: str) -> None:
        if name not in order:
            order.append(name)

    handles = [
        network.get_submodule(name).register_forward_pre_hook(lambda *_, name=name: ran(name)) for name in layers
    ]
    try:
        with running(network, main_tensor(input).device), torch.no_grad():
            call(network, copied(input))
    finally:
        for handle in handles:
            handle.remove()
    idle = [name for name in layers if name not in order]
    if idle:
        raise ArgumentError(
            f"The layers {', '.join(map(repr, idle))} do not run, so that they have no place in the order."
        )
    return order
