"""`layerstats train`: networks to look into."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli import train_gan, train_mel
from layerstats.cli.arguments import listed
from layerstats.cli.speech import CORPUS_HELP, DAMAGED_HELP, TOO_LONG_HELP, open_speech, tell_damage

app = typer.Typer(help="Train a network.", no_args_is_help=True)
for _kind in ("ciwgan", "fiwgan"):
    app.command(_kind)(train_gan.command(_kind))
app.command("commands")(train_mel.train_commands_command)
app.command("autoencoder")(train_mel.train_autoencoder_command)
app.command("wav2letter")(train_mel.train_wav2letter_command)


@app.command("words")
def train_words_command(
    out: Annotated[Path, typer.Option(help="Checkpoint to write (.safetensors); the model card goes beside it.")],
    corpus: Annotated[str, typer.Option(help=CORPUS_HELP)] = "demo",
    words: Annotated[str | None, typer.Option(help="Only these words, separated by commas.")] = None,
    width: Annotated[int, typer.Option(help="Channels of the first layer (the paper's d is 64).")] = 16,
    epochs: Annotated[int, typer.Option(help="Passes through the training tokens.")] = 30,
    initialisation: Annotated[str, typer.Option(help="torch, or glorot as in a ciwGAN.")] = "torch",
    seed: Annotated[int, typer.Option(help="Seed of weights, order and augmentation.")] = 0,
    too_long: Annotated[str, typer.Option(help=TOO_LONG_HELP)] = "error",
    damaged: Annotated[str, typer.Option(help=DAMAGED_HELP)] = "error",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Train the words classifier of the published Q-network's shape, with labels, and save it with its card."""
    from layerstats.cli.progress import steps
    from layerstats.corpora import Clips
    from layerstats.models import save_checkpoint
    from layerstats.training import train_words

    with steps() as step:
        speech = Clips(open_speech(step, corpus, listed(words), damaged), too_long=too_long, damaged=damaged)
        tell_damage(speech)
        step("training")
        options = {"width": width, "epochs": epochs, "initialisation": initialisation, "seed": seed}
        result = train_words(speech, **options, device=device, progress=step.move)
        save_checkpoint(out, result.model, result.card)
    typer.echo(f"{out}: accuracy on held-out speakers {result.accuracy:.3f}")
