"""Hooks that average each layer's output as it appears, so that full maps need not be kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import numpy as np
from torch import Tensor, nn

from layerstats.errors import ArgumentError, DataError
from layerstats.probes.layers import axes as axis_names
from layerstats.probes.layers.choose import check_runs

Arrays = dict[str, np.ndarray]


class Capture:
    """What the hooked layers gave in the last forward pass: means (token, sample), maps (token, channel, sample)."""

    def __init__(
        self, axes: Mapping[str, Sequence[str]], maps: bool, choose: Callable | None, summary: str = "mean"
    ) -> None:
        self._axes = axes
        self._summary = summary
        self._runs = dict.fromkeys(axes, 0)
        self._keep_maps = maps
        self._choose = choose
        self._means: dict[str, Tensor] = {}
        self._maps: dict[str, Tensor] = {}

    def hook(self, name: str, _module: nn.Module, _args: tuple, output: object) -> None:
        """Forward hook of the layer `name`; leaves its output alone."""
        tensor = axis_names.output_tensor(name, output, self._choose).detach()
        self._runs[name] += 1
        self._means[name] = axis_names.series(tensor, self._axes[name], self._summary)
        if self._keep_maps:
            # A copy now: the next module may work in place.
            self._maps[name] = axis_names.maps(tensor, self._axes[name]).to("cpu", copy=True)

    def take(self, tokens: Sequence[str]) -> tuple[Arrays, Arrays]:
        """Return the means and the maps of the last forward pass on the CPU, and forget them.

        Raises
        ------
        ArgumentError
            A layer did not run once, or not for every token.
        DataError
            A layer gave NaN or infinite values; its name and the first such token are in the message.
        """
        runs, self._runs = self._runs, dict.fromkeys(self._axes, 0)
        check_runs(runs)
        means = {name: tensor.cpu().numpy() for name, tensor in self._means.items()}
        maps = {name: tensor.numpy() for name, tensor in self._maps.items()}
        self._means, self._maps = {}, {}
        for name, values in means.items():
            if len(values) != len(tokens):
                raise ArgumentError(
                    f"Layer {name!r} gives {len(values)} rows for the {len(tokens)} tokens from {tokens[0]!r} on. "
                    "Choose another layer, or record with batch_size=1."
                )
            bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
            if len(bad):
                raise DataError(
                    f"Layer {name!r} gives NaN or infinite values for token {tokens[int(bad[0])]!r} "
                    f"({len(bad)} of {len(values)} tokens of this batch). What is recorded so far is kept. "
                    "Check the network's weights and what its input should look like."
                )
        return means, maps


@contextmanager
def capture(
    model: nn.Module,
    axes: Mapping[str, Sequence[str]],
    maps: bool = False,
    choose: Callable[[object], Tensor] | None = None,
    summary: str = "mean",
) -> Iterator[Capture]:
    """Hook the layers named in `axes`; the hooks are gone at the end, whatever happens.

    Examples
    --------
    >>> import torch
    >>> network = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU())
    >>> with torch.no_grad(), capture(network, {"1": ("token", "channel", "sample")}) as layers:
    ...     _ = network(torch.zeros(2, 1, 10))
    ...     means, maps = layers.take(["a", "b"])
    >>> means["1"].shape
    (2, 8)
    """
    caught = Capture(axes, maps, choose, summary)
    modules = dict(model.named_modules())
    with ExitStack() as stack:
        for name in axes:
            stack.callback(modules[name].register_forward_hook(partial(caught.hook, name)).remove)
        yield caught
