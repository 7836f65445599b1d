"""`layerstats networks`: what can be named where a command takes a network."""

from __future__ import annotations

import typer


def networks() -> None:
    """List the networks that commands take; all are files on this machine, nothing is fetched."""
    from layerstats.models.pretrained import ADAPTERS

    for kind, adapter in ADAPTERS.items():
        typer.echo(f"{kind}:{adapter.place}\n    {adapter.what}")
    typer.echo("FILE.safetensors\n    a checkpoint of layerstats")
    typer.echo("FILE.py:FUNCTION\n    what a function of yours returns: a torch module, or a SpeechNetwork")
    typer.echo(
        "DIR is a folder that save_pretrained wrote, or: hf download NAME --local-dir DIR. "
        "The transformers library comes with: pip install 'layerstats[pretrained]'"
    )
