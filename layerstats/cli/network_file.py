"""Networks by name: a checkpoint of layerstats, or a Python file with a function that returns a torch module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerstats.cli.python_file import object_from_file

if TYPE_CHECKING:
    from torch import nn

    from layerstats.models import ModelCard


def load_network(spec: str) -> tuple[nn.Module, ModelCard | None]:
    """Load a network: a layerstats checkpoint (.safetensors) and its card, or FILE.py:FUNCTION that returns a module.

    The file is read as Python reads a script: it may import the files beside it.

    Raises
    ------
    ArgumentError
        If the file does not exist, cannot be run, has no such function, or what it returns is not a module.
    """
    from torch import nn

    from layerstats.models import load_checkpoint

    if spec.endswith(".safetensors"):
        return load_checkpoint(spec)
    checkpoint = "a checkpoint FILE.safetensors, or "
    kind, returned = nn.Module, "a torch.nn.Module"
    return object_from_file(spec, kind, what="network", returned=returned, otherwise=checkpoint), None
