"""The input of a network as one more layer, "input", of which everything is recorded as of any other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn

from layerstats.probes.inputs import call, main_tensor
from layerstats.probes.layers.choose import choose_layers

INPUT = "input"


class WithInput(nn.Module):
    """A network before which stands a layer called "input" that passes on what the network hears.

    Its other layers keep their names, so that whatever hears modules by their names hears these too.

    Parameters
    ----------
    network : torch.nn.Module
        Any network without a module of that name.

    Examples
    --------
    >>> [name for name, _ in WithInput(nn.Sequential(nn.Linear(2, 2), nn.ReLU())).named_modules()]
    ['', 'input', '', '0', '1']
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.input = nn.Identity()
        self.network = network

    def named_modules(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, nn.Module]]:
        """Yield this module, the input, and the modules of the network by their own names."""
        yield "", self
        yield INPUT, self.input
        yield from self.network.named_modules(*args, **kwargs)

    def get_submodule(self, target: str) -> nn.Module:
        """Return the input, or a module of the network."""
        return self.input if target == INPUT else self.network.get_submodule(target)

    def forward(self, *args: Tensor, **kwargs: Any) -> object:
        """Run the network on its input, which may be keyword arguments."""
        if not kwargs:
            return call(self.network, self.input(*args))
        speech = main_tensor(kwargs)
        heard = self.input(speech)
        return call(self.network, {name: heard if value is speech else value for name, value in kwargs.items()})


def plain(model: nn.Module) -> nn.Module:
    """Return the network itself, without the layer before it."""
    return model.network if isinstance(model, WithInput) else model


def choose_with_input(model: nn.Module, layers: str | Sequence[str]) -> tuple[nn.Module, tuple[str, ...]]:
    """Return the names of the layers that fit, and the network in which modules of these names run.

    "input" is the input of the network, unless one of its modules is called so; no pattern means it.

    Raises
    ------
    ArgumentError
        As for `choose_layers`.

    Examples
    --------
    >>> choose_with_input(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), ["0", "input"])[1]
    ('input', '0')
    """
    wanted = [layers] if isinstance(layers, str) else list(layers or [])
    own = isinstance(model, nn.Module) and INPUT in dict(model.named_modules())
    if INPUT not in wanted or own:
        return model, choose_layers(model, wanted)
    others = [layer for layer in wanted if layer != INPUT]
    return WithInput(model), (INPUT, *(choose_layers(model, others) if others else ()))
