"""`layerstats train commands` and `layerstats train autoencoder`: networks of mel spectrograms, one a seed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerstats.cli.arguments import listed, whole_numbers
from layerstats.cli.speech import CORPUS_HELP, DAMAGED_HELP, TOO_LONG_HELP, open_speech, tell_damage

if TYPE_CHECKING:
    from layerstats.cli.progress import Steps

Out = Annotated[Path, typer.Option(help="Folder of checkpoints, cards, states, history and curves.")]
Speech = Annotated[str, typer.Option(help=CORPUS_HELP)]
Words = Annotated[str | None, typer.Option(help="Only these words, separated by commas.")]
Epochs = Annotated[int, typer.Option(help="Passes through the training tokens.")]
BatchSize = Annotated[int, typer.Option(help="Tokens in a step.")]
LearningRate = Annotated[float, typer.Option(help="Step size of Adam.")]
Schedule = Annotated[str, typer.Option(help="constant, or one_cycle: the step size rises, then falls.")]
HeldOut = Annotated[
    int | None, typer.Option(help="Draw so many speakers as the test side, whatever sides the corpus has.")
]
TooLong = Annotated[str, typer.Option(help=TOO_LONG_HELP)]
Damaged = Annotated[str, typer.Option(help=DAMAGED_HELP)]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Resume = Annotated[bool, typer.Option(help="Go on with the trainings in the folder.")]


def train_commands_command(
    out: Out,
    corpus: Speech = "demo:35",
    words: Words = None,
    seeds: Annotated[str, typer.Option(help="Seeds, separated by commas: a network each.")] = "0,1,2,3,4",
    channels: Annotated[str, typer.Option(help="Channels of the three convolutions.")] = "8,16,32",
    hidden: Annotated[str, typer.Option(help="Units of the three dense layers.")] = "512,256,128",
    start: Annotated[Path | None, typer.Option(help="Checkpoint to begin from: fine-tuning.")] = None,
    labels: Annotated[str, typer.Option(help="true, or shuffled for a null network.")] = "true",
    augment: Annotated[bool, typer.Option(help="Change spectrograms while training; the paper's were not.")] = True,
    epochs: Epochs = 50,
    batch_size: BatchSize = 32,
    learning_rate: LearningRate = 1e-3,
    schedule: Schedule = "constant",
    held_out: HeldOut = None,
    too_long: TooLong = "error",
    damaged: Damaged = "error",
    device: Device = "auto",
    resume: Resume = False,
) -> None:
    """Train classifiers of spoken commands after Soomro et al. (2019): the same specification from several seeds."""
    from layerstats.training import train_commands

    options = {
        "channels": whole_numbers("channels", channels),
        "hidden": whole_numbers("hidden", hidden),
        "start": start,
        "labels": labels,
        "augment": augment,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "device": device,
    }
    reading = {"corpus": corpus, "words": listed(words), "held_out": held_out, "too_long": too_long, "damaged": damaged}
    name = "commands" if labels == "true" else f"commands_{labels}"
    _train(train_commands, name, out, whole_numbers("seeds", seeds), resume, reading, options)


def train_autoencoder_command(
    out: Out,
    corpus: Speech = "demo:35",
    words: Words = None,
    seeds: Annotated[str, typer.Option(help="Seeds, separated by commas: a network each.")] = "0",
    codes: Annotated[int, typer.Option(help="Length of the bottleneck.")] = 256,
    channels: Annotated[str, typer.Option(help="Channels of the encoder's four convolutions.")] = "16,32,64,128",
    augment: Annotated[bool, typer.Option(help="Change place, tempo and level; the paper's were not.")] = False,
    epochs: Epochs = 50,
    batch_size: BatchSize = 32,
    learning_rate: LearningRate = 1e-3,
    schedule: Schedule = "constant",
    held_out: HeldOut = None,
    too_long: TooLong = "error",
    damaged: Damaged = "error",
    device: Device = "auto",
    resume: Resume = False,
) -> None:
    """Train the autoencoder of mel spectrograms of Soomro et al. (2019), a prior for activation maximization."""
    from layerstats.training import train_autoencoder

    options = {
        "codes": codes,
        "channels": whole_numbers("channels", channels),
        "augment": augment,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "device": device,
    }
    reading = {"corpus": corpus, "words": listed(words), "held_out": held_out, "too_long": too_long, "damaged": damaged}
    _train(train_autoencoder, "autoencoder", out, whole_numbers("seeds", seeds), resume, reading, options)


def _train(
    verb: Any, name: str, out: Path, seeds: list[int], resume: bool, reading: dict[str, Any], options: dict[str, Any]
) -> None:
    """Train a network a seed on the same spectrograms, and tell how well each does."""
    import pandas as pd

    from layerstats.cli.progress import steps
    from layerstats.models import save_checkpoint
    from layerstats.plots import save_figure, training_curves

    histories, told = [], []
    with steps() as step:
        features = _features(step, reading, options.get("start"), seeds[0])
        for seed in seeds:
            step(f"training {name}_{seed}")
            folder = out / f"{name}_{seed}"
            again = resume and (folder / "state.pt").exists()
            result = verb(features, seed=seed, folder=folder, resume=again, progress=step.move, **options)
            path = save_checkpoint(out / f"{name}_{seed}.safetensors", result.model, result.card)
            histories.append(result.history.assign(network=f"{name}_{seed}"))
            last = result.history.iloc[-1]
            told.append(
                f"{path}: accuracy on held-out speakers {last['held_out_accuracy']:.3f}"
                if "held_out_accuracy" in last
                else f"{path}: error on held-out speakers {last['held_out_error_db']:.2f} dB"
            )
        history = pd.concat(histories, ignore_index=True)
        history.to_csv(out / "history.csv", index=False)
        save_figure(training_curves(history), out / "history")
    typer.echo("\n".join(told))


def _features(step: Steps, reading: dict[str, Any], start: Path | None, seed: int) -> Any:
    """Read the speech, as the network to begin from hears it, or one with the published front end."""
    from layerstats.corpora import clips_for
    from layerstats.models import CommandClassifier, load_checkpoint
    from layerstats.training import mel_features

    network = CommandClassifier() if start is None else load_checkpoint(start)[0]
    corpus = open_speech(step, reading["corpus"], reading["words"], reading["damaged"])
    clips = clips_for(network, corpus, too_long=reading["too_long"], damaged=reading["damaged"])
    tell_damage(clips)
    step("mel spectrograms")
    features = mel_features(clips, network.front_end, progress=step.move)
    # All networks learn from the same speakers.
    return features.held_out(seed, reading["held_out"])
