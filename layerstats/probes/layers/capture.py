"""Hooks on a network's modules, and the tensors that its layers give, as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn

from layerstats.probes.layers.axes import output_tensor
from layerstats.probes.layers.choose import check_runs

Hook = Callable[[nn.Module, tuple, dict, object], None]


@contextmanager
def hooked(model: nn.Module, hooks: Mapping[str, Hook]) -> Iterator[None]:
    """Call a function after each of the named modules has run; the hooks are gone at the end, whatever happens.

    Parameters
    ----------
    model : torch.nn.Module
        Any network.
    hooks : mapping of str to callable
        By name of the module, what is called with (module, args, kwargs, output). It leaves the output alone.

    Examples
    --------
    >>> import torch
    >>> network = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU())
    >>> with hooked(network, {"1": lambda module, args, kwargs, output: print(type(module).__name__, output.shape)}):
    ...     _ = network(torch.zeros(2, 1, 10))
    ReLU torch.Size([2, 4, 8])
    """
    modules = dict(model.named_modules())
    with ExitStack() as stack:
        for name, hook in hooks.items():
            stack.callback(modules[name].register_forward_hook(hook, with_kwargs=True).remove)
        yield


@contextmanager
def capturing(
    model: nn.Module,
    layers: Sequence[str],
    keep: Callable[[str, Tensor], Any] | None = None,
    *,
    choose: Callable[[object], Tensor] | None = None,
) -> Iterator[dict[str, Any]]:
    """Catch the outputs of layers in one forward pass.

    They are the tensors of the network, in its graph: neither detached nor averaged nor moved. The next module may
    work in place on them, so what is to be kept of their values must be made by `keep`.

    Parameters
    ----------
    model : torch.nn.Module
        Any network.
    layers : sequence of str
        Names of modules.
    keep : callable, optional
        Called with (layer, output) as the layer runs; what it returns is kept in place of the output.
    choose : callable, optional
        Picks the tensor from a layer's output; by default the first one in a tuple or ModelOutput.

    Yields
    ------
    dict
        By layer, in the order in which they ran, what is kept; full once the network has run.

    Raises
    ------
    ArgumentError
        A layer did not run exactly once, or gave no real tensor.

    Examples
    --------
    >>> import torch
    >>> network = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU())
    >>> with capturing(network, ["0", "1"], lambda layer, output: output.shape) as shapes:
    ...     _ = network(torch.zeros(2, 1, 10))
    >>> shapes["1"]
    torch.Size([2, 4, 8])
    """
    runs, kept = dict.fromkeys(layers, 0), {}

    def ran(name: str, _module: nn.Module, _args: tuple, _kwargs: dict, output: object) -> None:
        tensor = output_tensor(name, output, choose)
        runs[name] += 1
        kept[name] = tensor if keep is None else keep(name, tensor)

    with hooked(model, {name: partial(ran, name) for name in layers}):
        yield kept
    check_runs(runs)
