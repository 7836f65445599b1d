"""Checkpoints: weights as safetensors, with the architecture and the model card inside and a page to read beside."""

from __future__ import annotations

import dataclasses
import difflib
from pathlib import Path
from typing import Any

import torch
from torch import nn

from layerstats.checks import check_choice, require
from layerstats.errors import ArgumentError, DataError, MissingFileError
from layerstats.files import replacing
from layerstats.models.card import ModelCard, build, describe
from layerstats.models.fresh import untrained
from layerstats.models.seeding import seeded

__all__ = ["load_checkpoint", "save_checkpoint", "untrained"]

_DTYPES = {"float32": torch.float32, "float16": torch.float16}


def save_checkpoint(path: str | Path, model: nn.Module, card: ModelCard, dtype: str = "float32") -> Path:
    """Write a network's weights and its card.

    Parameters
    ----------
    path : path
        File to write, `.safetensors`. The card is put beside it as Markdown, `.md`.
    model : torch.nn.Module
        One of this package's networks.
    card : ModelCard
        What it is; the architecture is filled in here.
    dtype : {"float32", "float16"}
        How the weights are stored. They are always loaded as float32.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ArgumentError
        The network is not one of this package's, or some weights are too large for float16 or not finite.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import ConvolutionalEncoder, ModelCard
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     network, card = ConvolutionalEncoder(outputs=2, width=1), ModelCard("tiny", "An example.")
    ...     path = save_checkpoint(f"{folder}/tiny.safetensors", network, card)
    ...     model, card = load_checkpoint(path)
    >>> card.architecture["arguments"]["width"]
    1
    """
    safetensors = require("safetensors.torch", "write a checkpoint", "networks")
    check_choice("dtype", dtype, _DTYPES)
    card = dataclasses.replace(card, architecture={**describe(model), "stored_as": dtype})
    weights = {
        name: tensor.detach().cpu().to(_DTYPES[dtype]).contiguous() for name, tensor in model.state_dict().items()
    }
    wrong = [name for name, tensor in weights.items() if not torch.isfinite(tensor).all()]
    if wrong:
        raise ArgumentError(f"The weights {', '.join(wrong)} are not finite as {dtype}; nothing was written.")
    path = Path(path)
    with replacing(path) as partial:
        safetensors.save_file(weights, partial, metadata={"format": "pt", "card": card.to_json()})
    with replacing(path.with_suffix(".md")) as partial:
        partial.write_text(card.to_markdown(), encoding="utf-8")
    return path


def load_checkpoint(path: str | Path) -> tuple[Any, ModelCard]:
    """Read a network and its card; the network is in eval mode, float32, on the CPU.

    Raises
    ------
    DataError
        The file is damaged, is not a checkpoint of layerstats, or its weights do not fit its architecture.
    MissingFileError
        There is no such file.

    Examples
    --------
    >>> from layerstats.resources import bundled
    >>> network, card = load_checkpoint(bundled("data") / "checkpoints" / "words.safetensors")
    >>> type(network).__name__
    'ConvolutionalEncoder'
    """
    safetensors = require("safetensors", "read a checkpoint", "networks")
    path = Path(path)
    if not path.is_file():
        beside = sorted(file.name for file in path.parent.glob("*.safetensors"))
        close = difflib.get_close_matches(path.name, beside, n=1)
        raise MissingFileError(f"There is no checkpoint at {path}.{f' Did you mean {close[0]}?' if close else ''}")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (safetensors.SafetensorError, OSError) as error:
        raise DataError(f"{path} is not a readable safetensors file: {error}") from error
    if "card" not in metadata:
        raise DataError(f"{path} was not written by layerstats: its metadata hold no model card.")
    try:
        card = ModelCard.from_json(metadata["card"])
        with seeded(0):  # the weights drawn here are overwritten; the caller's random state is not to notice
            model = build(card.architecture)
    except (DataError, ArgumentError) as error:
        raise DataError(f"The model card in {path} cannot be used: {error}") from error
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    except RuntimeError as error:
        raise DataError(f"The weights in {path} do not fit the architecture on its card: {error}") from error
    return model.eval(), card
