"""`layerstats train ciwgan` and `layerstats train fiwgan`: networks that learn words without labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli.arguments import listed
from layerstats.cli.speech import CORPUS_HELP, DAMAGED_HELP, TOO_LONG_HELP, open_speech, tell_damage


def command(kind: str) -> Callable[..., None]:
    """Return the command that trains a network of one kind: they differ by what a code is, not by their options."""

    def train_gan_command(
        out: Annotated[Path, typer.Option(help="Folder of the checkpoint, its card, history, state and samples.")],
        corpus: Annotated[str, typer.Option(help=CORPUS_HELP)] = "demo",
        words: Annotated[str | None, typer.Option(help="Only these words, separated by commas.")] = None,
        codes: Annotated[
            int | None, typer.Option(help="Categories (ciwgan) or bits (fiwgan); by default what the words need.")
        ] = None,
        width: Annotated[int, typer.Option(help="Channels of the outermost layers (the paper's d is 64).")] = 64,
        latent: Annotated[int, typer.Option(help="Length of the latent vector, codes included.")] = 100,
        samples: Annotated[int, typer.Option(help="Length of a clip, the slice: a multiple of 1024.")] = 16384,
        batch_size: Annotated[int, typer.Option(help="Clips in an update, over all processes.")] = 64,
        learning_rate: Annotated[float, typer.Option(help="Step size of generator and critic.")] = 1e-4,
        code_learning_rate: Annotated[float, typer.Option(help="Step size of the Q-network's updates.")] = 1e-4,
        steps: Annotated[int, typer.Option(help="Updates of the generator in all.")] = 100_000,
        hours: Annotated[float | None, typer.Option(help="Stop, with everything saved, after this time.")] = None,
        watch_every: Annotated[int, typer.Option(help="Steps between two looks at the network, and saves.")] = 250,
        listen_every: Annotated[int, typer.Option(help="Steps between samples; a multiple of the former.")] = 1000,
        seed: Annotated[int, typer.Option(help="Seed of weights, order, codes and noise.")] = 0,
        too_long: Annotated[str, typer.Option(help=TOO_LONG_HELP)] = "error",
        damaged: Annotated[str, typer.Option(help=DAMAGED_HELP)] = "error",
        device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
        precision: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
        resume: Annotated[bool, typer.Option(help="Go on with the training in the folder.")] = False,
    ) -> None:
        from layerstats.cli.progress import steps as shown_steps
        from layerstats.corpora import Clips
        from layerstats.models import save_checkpoint
        from layerstats.plots import save_figure, training_curves
        from layerstats.training import train_gan

        with shown_steps() as step:
            heard = open_speech(step, corpus, listed(words), damaged)
            speech = Clips(heard, samples=samples, too_long=too_long, damaged=damaged)
            tell_damage(speech)
            step("training")
            result = train_gan(
                speech,
                kind=kind,
                codes=codes,
                latent=latent,
                width=width,
                batch_size=batch_size,
                learning_rate=learning_rate,
                code_learning_rate=code_learning_rate,
                steps=steps,
                hours=hours,
                watch_every=watch_every,
                listen_every=listen_every,
                seed=seed,
                device=device,
                precision=precision,
                folder=out,
                resume=resume,
                progress=step.move,
            )
            if not result.first_process:
                return
            path = save_checkpoint(out / f"{kind}.safetensors", result.model, result.card)
            save_figure(training_curves(result.history), out / "history")
        typer.echo(f"{result.stopped}\n{path}: the network of step {result.best_step}; samples to hear in {out}/listen")

    train_gan_command.__doc__ = (
        f"Train a {kind} without labels: {'one-hot codes' if kind == 'ciwgan' else 'codes of several bits'}, "
        "after Begus & Zhou (2022). Start it with torchrun for several GPUs."
    )
    return train_gan_command
