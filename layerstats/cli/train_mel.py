"""`layerstats train commands`, `autoencoder` and `wav2letter`: networks of mel spectrograms, one a seed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerstats.cli.arguments import listed, whole_numbers
from layerstats.cli.speech import CORPUS_HELP, DAMAGED_HELP, TOO_LONG_HELP, open_speech, tell_damage, tell_skipped

if TYPE_CHECKING:
    from collections.abc import Callable

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
    numbers = _numbers_of(seeds)
    _train(
        train_commands, name, out, numbers, resume, lambda step: _features(step, reading, start, numbers[0]), options
    )


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
    numbers = _numbers_of(seeds)
    _train(
        train_autoencoder,
        "autoencoder",
        out,
        numbers,
        resume,
        lambda step: _features(step, reading, None, numbers[0]),
        options,
    )


def train_wav2letter_command(
    out: Out,
    corpus: Speech = "demo:sentences",
    seeds: Annotated[str, typer.Option(help="Seeds, separated by commas: a network each.")] = "0",
    width: Annotated[int, typer.Option(help="Channels of the first nine convolutions.")] = 256,
    top: Annotated[int, typer.Option(help="Channels of the next two convolutions.")] = 2048,
    alphabet: Annotated[str, typer.Option(help="ctc, or repetition for signs of doubled letters.")] = "ctc",
    augment: Annotated[bool, typer.Option(help="Change spectrograms while training; the paper's were not.")] = True,
    epochs: Epochs = 50,
    batch_size: BatchSize = 64,
    learning_rate: LearningRate = 1e-4,
    schedule: Schedule = "constant",
    precision: Annotated[str, typer.Option(help="float32, or bfloat16 for convolutions while training.")] = "float32",
    held_out: HeldOut = None,
    damaged: Damaged = "error",
    device: Device = "auto",
    resume: Resume = False,
) -> None:
    """Train Wav2Letter after Krug & Stober (2018): a network that reads letters off utterances."""
    from layerstats.training import train_letters

    options = {
        "width": width,
        "top": top,
        "alphabet": alphabet,
        "augment": augment,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "precision": precision,
        "device": device,
    }
    numbers = _numbers_of(seeds)
    reading = {"corpus": corpus, "words": None, "held_out": held_out, "damaged": damaged}
    _train(
        train_letters, "wav2letter", out, numbers, resume, lambda step: _utterances(step, reading, numbers[0]), options
    )


def _numbers_of(seeds: str) -> list[int]:
    """Read seeds, each of which names a network."""
    from layerstats.errors import ArgumentError

    numbers = whole_numbers("seeds", seeds)
    if not numbers or len(set(numbers)) < len(numbers):
        raise ArgumentError(f"--seeds takes different whole numbers, a network each, but got {seeds!r} instead.")
    return numbers


def _train(
    verb: Any,
    name: str,
    out: Path,
    seeds: list[int],
    resume: bool,
    hear: Callable[[Steps], Any],
    options: dict[str, Any],
) -> None:
    """Train a network a seed on the same spectrograms, which `hear` computes, and tell how well each does."""
    import pandas as pd

    from layerstats.cli.progress import steps
    from layerstats.models import save_checkpoint
    from layerstats.plots import save_figure, training_curves

    histories, told = [], []
    with steps() as step:
        features = hear(step)
        for seed in seeds:
            step(f"training {name}_{seed}")
            folder = out / f"{name}_{seed}"
            again = resume and (folder / "state.pt").exists()
            result = verb(features, seed=seed, folder=folder, resume=again, progress=step.move, **options)
            path = save_checkpoint(out / f"{name}_{seed}.safetensors", result.model, result.card)
            histories.append(result.history.assign(network=f"{name}_{seed}"))
            told.append(f"{path}: {_told(result)}")
        history = pd.concat(histories, ignore_index=True)
        history.to_csv(out / "history.csv", index=False)
        save_figure(training_curves(history), out / "history")
    typer.echo("\n".join(told))


def _told(result: Any) -> str:
    last = result.history.iloc[-1]
    if "held_out_accuracy" in last:
        return f"accuracy on held-out speakers {last['held_out_accuracy']:.3f}"
    if "held_out_error_db" in last:
        return f"error on held-out speakers {last['held_out_error_db']:.2f} dB"
    rates = zip(result.error_rates["side"], result.error_rates["letter_error_rate"], strict=True)
    return f"letter error rate {', '.join(f'{rate:.3f} ({side})' for side, rate in rates)}"


def _utterances(step: Steps, reading: dict[str, Any], seed: int) -> Any:
    """Read utterances as Wav2Letter hears them."""
    from layerstats.models import UTTERANCES, MelFrontEnd
    from layerstats.training import utterance_features

    corpus = open_speech(step, reading["corpus"], reading["words"], reading["damaged"])
    step("mel spectrograms")
    options = {name: reading[name] for name in ("held_out", "damaged")}
    features = utterance_features(corpus, MelFrontEnd(**UTTERANCES), seed=seed, progress=step.move, **options)
    tell_skipped(features.skipped, len(corpus.tokens))
    return features


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
