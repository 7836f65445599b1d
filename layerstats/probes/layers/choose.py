"""Layers chosen by name or pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

from torch import nn

from layerstats.errors import ArgumentError

Value = TypeVar("Value")


def matches(name: str, pattern: str) -> bool:
    """Whether a module's dotted name fits a pattern; `*` stands for any part of one name between dots.

    Examples
    --------
    >>> matches("encoder.layers.3", "encoder.layers.*"), matches("conv1.convolution", "conv*")
    (True, False)
    """
    parts, patterns = name.split("."), pattern.split(".")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def choose_layers(model: nn.Module, layers: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of the modules that fit, in the model's order, each once.

    Parameters
    ----------
    model : torch.nn.Module
        Any network.
    layers : str or sequence of str
        Names as in `model.named_modules()`, or patterns: `*` stands for any part of one name between dots.

    Raises
    ------
    ArgumentError
        The network is no module, or a name or pattern fits none; the names that exist are listed.

    Examples
    --------
    >>> choose_layers(nn.Sequential(nn.Conv1d(1, 1, 3), nn.ReLU()), "*")
    ('0', '1')
    """
    if not isinstance(model, nn.Module):
        raise ArgumentError(f"The network must be a torch.nn.Module, but got {type(model).__name__} instead.")
    names = [name for name, _ in model.named_modules() if name]
    patterns = [layers] if isinstance(layers, str) else list(layers or [])
    unmatched = [pattern for pattern in patterns if not any(matches(name, pattern) for name in names)]
    if unmatched or not patterns:
        listed = ", ".join(names[:60]) + (f", ... ({len(names)} in all)" if len(names) > 60 else "")
        raise ArgumentError(
            f"No layer of {type(model).__name__} fits {', '.join(map(repr, unmatched)) or 'an empty list'}. "
            f"{f'Its layers are: {listed}' if names else 'It has no layers: no module is part of it'}."
        )
    return tuple(name for name in names if any(matches(name, pattern) for pattern in patterns))


def lookup(table: Mapping[str, Value], layer: str, default: Value) -> Value:
    """Return the entry of `table` for a layer: its exact name, else the first pattern that fits, else `default`."""
    if layer in table:
        return table[layer]
    return next((value for pattern, value in table.items() if matches(layer, pattern)), default)


def check_runs(runs: Mapping[str, int]) -> None:
    """Raise `ArgumentError` unless every layer ran once: `runs` is how often each of them ran in one forward pass."""
    for name, count in runs.items():
        if count != 1:
            raise ArgumentError(
                f"Layer {name!r} runs {count} times in one forward pass, so it has no output of its own to record. "
                "Choose the module around it, or another layer."
            )
