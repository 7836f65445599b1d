"""`layerstats generate`: what a generator says, as sound files and as a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli.arguments import listed


def generate(
    checkpoint: Annotated[Path, typer.Argument(help="A ciwGAN or fiwGAN (.safetensors).")],
    out: Annotated[Path, typer.Option(help="Folder for the sound files and their table; it is made.")],
    voices: Annotated[int, typer.Option(help="Noise vectors that say every code.")] = 20,
    value: Annotated[
        list[float] | None, typer.Option(help="What stands for a one in the code; may be given again. 1 by default.")
    ] = None,
    codes: Annotated[str | None, typer.Option(help="Only these codes, separated by commas: 0,3 or 0110,1001.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the noise.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Let a network say its codes: sound files, tour.wav with all codes in turn, and the corpus generated:FOLDER."""
    from layerstats.cli.progress import steps
    from layerstats.corpora import write_generated
    from layerstats.models import load_checkpoint
    from layerstats.probes import generate_speech

    with steps() as step:
        step("loading the network")
        network, _ = load_checkpoint(checkpoint)
        step("generating")
        speech = generate_speech(
            network, codes=listed(codes), voices=voices, value=value or 1.0, seed=seed, device=device
        )
        step("writing")
        write_generated(speech, out)
    words, speakers = len(speech.words), len(speech.speakers)
    typer.echo(f"{out}: {len(speech)} tokens of {words} codes by {speakers} voices; hear {out / 'tour.wav'}")
