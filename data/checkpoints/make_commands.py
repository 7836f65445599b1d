"""Make commands/: classifiers of the 35 words of Speech Commands and an autoencoder, for activation maximization.

1. `python data/checkpoints/make_commands.py features --features FILE` says the words and computes mel spectrograms.
2. `... train --features FILE --folder FOLDER` trains, one network a process; it needs neither the synthesiser nor the
   network, so that another machine can do it, and goes on where it was killed.
3. `... measure --folder FOLDER [--speech-commands PATH] [--fsdd PATH]` measures what came out, on the built-in corpus's
   held-out voices and on real speech, and writes the small ones as float16 with their cards, here.
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from gan_speech import training_speech

from layerstats.corpora import Clips, demo_corpus, demo_words, read_fsdd, read_speech_commands
from layerstats.models import (
    CommandClassifier,
    MelAutoencoder,
    MelFrontEnd,
    ModelCard,
    load_checkpoint,
    save_checkpoint,
)
from layerstats.training import MelFeatures, mel_features, train_autoencoder, train_commands
from layerstats.training.autoencoder import rebuilding
from layerstats.training.recognition import recognise

HERE = Path(__file__).resolve().parent
MANNERS = 4  # rates and pitches in which every voice that is learned from says the words
SMALL = {"channels": (4, 8, 16), "hidden": (128, 64, 64)}
SMALL_AUTOENCODER = {"channels": (8, 16, 16, 32)}
SEEDS = range(5)
EPOCHS = 30
SHUFFLED_VOICES = 16  # of the network whose labels are shuffled
FINE_TUNING = 10  # epochs on real speech
DRAWS = 10_000
# The one that ships was trained with limits that are not those of `vary_features` any more.
NOTES = {
    "autoencoder": {
        "augmentation": "place as in vary_features; tempo .89 to 1.12, bands by .95 to 1.06, level -15 to 3 dB, slope "
        "of the microphone up to 6 dB to either side"
    }
}
LIMITS = (
    "The voices are synthetic, and the held-out ones share accents or timbres with those trained on.",
    "Of two sets of changes of spectrograms that were tried, the one was kept with which more held-out synthetic "
    "voices were recognised; what either makes of the real speech named above had been seen.",
    "Narrower than the published network, so that it ships: read the seeds together, not one by one.",
)


def settings(epochs: int) -> dict[str, dict[str, Any]]:
    """Return what is trained by name: arguments of `train_autoencoder`, where the name says so, or `train_commands`."""
    common = {"epochs": epochs, "schedule": "one_cycle"}
    networks: dict[str, dict[str, Any]] = {}
    for seed in SEEDS:
        networks[f"commands_{seed}"] = {**common, **SMALL, "seed": seed}
        networks[f"full_commands_{seed}"] = {**common, "seed": seed}
    # Few tokens, and nothing that stands in the way of learning their labels by heart.
    by_heart = {"labels": "shuffled", "augment": False, "dropout": 0.0, "epochs": 5 * epochs}
    networks["commands_shuffled"] = {**common, **SMALL, "seed": 0, **by_heart}
    networks["autoencoder"] = {**common, **SMALL_AUTOENCODER, "augment": True}
    networks["full_autoencoder"] = {**common, "augment": True}
    return networks


def of_few_voices(speech: MelFeatures) -> MelFeatures:
    """Return what a few of the voices that are learned from say in one manner, and the test side."""
    tokens = speech.tokens
    learned = tokens["split"] == "train"
    few = tokens.loc[learned, "speaker"].drop_duplicates().iloc[:SHUFFLED_VOICES]
    kept = np.flatnonzero(~learned | (tokens["speaker"].isin(few) & tokens["token"].str.endswith("_0")))
    return dataclasses.replace(speech, mels=speech.mels[torch.from_numpy(kept)], tokens=tokens.iloc[kept])


def train(name: str, features: Path, folder: Path, epochs: int, device: str) -> None:
    """Train one network, or go on with it, and write it with its history."""
    own = folder / name
    verb = train_autoencoder if "autoencoder" in name else train_commands
    speech = MelFeatures.load(features)
    result = verb(
        of_few_voices(speech) if "shuffled" in name else speech,
        **settings(epochs)[name],
        device=device,
        folder=own,
        resume=(own / "state.pt").exists(),
    )
    save_checkpoint(own / f"{name}.safetensors", result.model, result.card, dtype="float16")
    last = result.history.iloc[-1].drop(["epoch", "steps"])
    print(f"{name}: {', '.join(f'{measure} {value:.3f}' for measure, value in last.items())}", flush=True)


def train_all(names: list[str], given: argparse.Namespace) -> None:
    """Train several networks, each in a process of its own, as many at a time as there are workers."""
    waiting, running = list(names), []
    while waiting or running:
        while waiting and len(running) < given.workers:
            own = ["--features", given.features, "--folder", given.folder, "--epochs", given.epochs]
            command = [sys.executable, __file__, "train", waiting.pop(0), *own, "--device", given.device]
            running.append(subprocess.Popen(list(map(str, command))))
        time.sleep(0.5)
        if any(process.poll() not in (None, 0) for process in running):
            raise SystemExit("A training failed; the others end by themselves.")
        running = [process for process in running if process.poll() is None]


def right_by_token(model: CommandClassifier, features: MelFeatures, words: tuple[str, ...]) -> np.ndarray:
    """Tell of every token whether it is recognised."""
    rows = torch.arange(len(features.tokens))
    heard = torch.cat([recognise(model, features.batch(batch)) for batch in rows.split(512)])
    return np.array(words)[heard.numpy()] == features.tokens["word"].to_numpy()


def told_accuracy(right: np.ndarray, speakers: pd.Series) -> str:
    """Share recognised, with an interval for which speakers are drawn anew, each with all of their tokens."""
    counts = pd.Series(right).groupby(speakers.to_numpy()).agg(["sum", "count"]).to_numpy()
    drawn = counts[np.random.default_rng(0).integers(len(counts), size=(DRAWS, len(counts)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    interval = f"95% interval over {len(counts)} speakers {low:.3f} to {high:.3f}"
    return f"{right.mean():.3f} ({int(right.sum())} of {len(right)}; {interval})"


def by_word(right: np.ndarray, words: pd.Series) -> dict[str, float]:
    """Share recognised of each word."""
    return pd.Series(right).groupby(words.to_numpy()).mean().round(3).to_dict()


def tuning_sides(features: MelFeatures) -> MelFeatures:
    """Hold a quarter of the speakers out, so that every word is on the training side."""
    held_out = len(set(features.tokens["speaker"])) // 4
    for seed in range(100):
        sides = dataclasses.replace(features, tokens=features.tokens.assign(split="train")).held_out(seed, held_out)
        learned = sides.tokens.loc[sides.tokens["split"] == "train", "word"]
        if set(learned) == set(features.tokens["word"]):
            return sides
    raise SystemExit("No division of the speakers leaves every word on the training side.")


def told_fine_tuning(path: Path, features: MelFeatures, seed: int) -> str:
    """Share recognised of held-out speakers of real speech, before and after learning from the others."""
    sides = tuning_sides(features)
    tested = sides.rows("test").numpy()
    speakers = sides.tokens["speaker"].iloc[tested]
    tuned = train_commands(sides, start=path, epochs=FINE_TUNING, schedule="one_cycle", seed=seed, device="cpu")
    begun, card = load_checkpoint(path)
    before, after = (right_by_token(model, sides, card.outputs)[tested] for model in (begun, tuned.model))
    return (
        f"{told_accuracy(after, speakers)} after {FINE_TUNING} epochs on the other three quarters of the speakers, "
        f"from {before.mean():.3f}; the tuned network is not kept"
    )


def measure_classifier(path: Path, speech: dict[str, MelFeatures], tune: bool) -> tuple[CommandClassifier, ModelCard]:
    """Return a classifier and its card with what it makes of the built-in corpus and of real speech."""
    model, card = load_checkpoint(path)
    held_out = right_by_token(model, speech["demo"], card.outputs)
    evaluation = {
        "held_out_accuracy": round(float(held_out.mean()), 4),
        "held_out_accuracy_before_rounding_to_float16": card.evaluation["held_out_accuracy"],
        "held_out_accuracy_by_word": by_word(held_out, speech["demo"].tokens["word"]),
        **{name: card.evaluation[name] for name in ("held_out_speakers", "held_out_tokens", "training_accuracy")},
    }
    limits = list(card.limits)
    if "speech_commands" in speech:
        real = speech["speech_commands"]
        right = right_by_token(model, real, card.outputs)
        evaluation["accuracy_on_real_speech_commands"] = told_accuracy(right, real.tokens["speaker"])
        evaluation["accuracy_on_real_speech_commands_by_word"] = by_word(right, real.tokens["word"])
        limits.append(
            f"Real speech is another matter: of the {len(right)} recordings of the same words in a sample of Speech "
            f"Commands, which it never learned from, it recognises {right.mean():.3f} (chance is "
            f"{1 / len(card.outputs):.3f})."
        )
    if tune and "speech_commands" in speech and card.training["labels"] == "true":
        evaluation["held_out_speakers_of_the_sample_after_fine_tuning"] = told_fine_tuning(
            path, real, card.training["seed"]
        )
    if "fsdd" in speech:
        right = right_by_token(model, speech["fsdd"], card.outputs)
        evaluation["accuracy_on_real_digits"] = (
            f"{told_accuracy(right, speech['fsdd'].tokens['speaker'])}, choosing among all words; the Free Spoken "
            "Digit Dataset, repetitions 0 to 16"
        )
    return model, dataclasses.replace(card, evaluation=evaluation, limits=tuple(limits))


def measure_autoencoder(path: Path, speech: dict[str, MelFeatures]) -> tuple[MelAutoencoder, ModelCard]:
    """Return an autoencoder and its card with how well it rebuilds the built-in corpus and real speech."""
    model, card = load_checkpoint(path)
    evaluation = dict(card.evaluation)
    for name, label in (("demo", "held_out"), ("speech_commands", "real_speech_commands")):
        if name in speech:
            seen = rebuilding(model, speech[name], torch.arange(len(speech[name].tokens)))
            evaluation[f"{label}_cross_entropy"] = round(seen["held_out_loss"], 4)
            evaluation[f"{label}_root_mean_square_error_db"] = round(seen["held_out_error_db"], 2)
    return model, dataclasses.replace(card, evaluation=evaluation)


def measure(given: argparse.Namespace) -> None:
    """Measure networks of the folder, and write them with their cards and curves."""
    from layerstats.plots import save_figure, training_curves  # which a machine that only trains need not have

    front_end = MelFrontEnd()
    speech = {"demo": mel_features(demo_corpus(demo_words(35)).subset(split="test"), front_end)}
    if given.speech_commands is not None:
        speech["speech_commands"] = mel_features(read_speech_commands(given.speech_commands), front_end)
    if given.fsdd is not None:
        digits = read_fsdd(given.fsdd)
        chosen = digits.subset(tokens=list(digits.tokens.loc[digits.tokens["repetition"] <= 16, "token"]))
        speech["fsdd"] = mel_features(
            Clips(chosen, front_end.rate_hz, front_end.samples, silence_s=0.0, too_long="skip"), front_end
        )
    histories = []
    for name in given.names or small_ones():
        path = given.folder / name / f"{name}.safetensors"
        if "autoencoder" in name:
            model, card = measure_autoencoder(path, speech)
        else:
            model, card = measure_classifier(path, speech, given.fine_tune)
        hardware = ", ".join([card.training["hardware"], *given.note])
        training = {**card.training, "hardware": hardware, **NOTES.get(name, {})}
        card = dataclasses.replace(card, name=name, training=training, limits=(*card.limits, *LIMITS))
        save_checkpoint(given.out / f"{name}.safetensors", model, card, dtype="float16")
        histories.append(pd.read_csv(given.folder / name / "history.csv").assign(network=name))
        print(name, {fact: text for fact, text in card.evaluation.items() if "word" not in fact}, flush=True)
    for name, kept in {"commands": [], "autoencoder": []}.items():
        kept += [
            history for history in histories if ("autoencoder" in history["network"].iloc[0]) == (name != "commands")
        ]
        if kept:
            history = pd.concat(kept, ignore_index=True)
            history.to_csv(given.out / f"{name}_history.csv", index=False)
            save_figure(training_curves(history), given.out / f"{name}_history").svg.unlink()


def small_ones() -> list[str]:
    """Return the names of the networks that are shipped."""
    return [name for name in settings(1) if not name.startswith("full")]


def main() -> None:
    """Do one of the three steps."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("step", choices=["features", "train", "measure"])
    options.add_argument("names", nargs="*", help="networks; by default the small ones")
    options.add_argument("--features", type=Path, help="file of spectrograms, .npz")
    options.add_argument("--folder", type=Path, help="where networks, states and histories are")
    options.add_argument("--epochs", type=int, default=EPOCHS)
    options.add_argument("--workers", type=int, default=1, help="trainings at a time")
    options.add_argument("--device", default="auto")
    options.add_argument("--out", type=Path, default=HERE / "commands", help="where measured networks are written")
    options.add_argument("--speech-commands", type=Path, help="Speech Commands v0.02, or a part of it")
    options.add_argument("--fine-tune", action="store_true", help="measure fine-tuning on Speech Commands, too")
    options.add_argument("--note", action="append", default=[], help="what else is to be said of the hardware")
    options.add_argument("--fsdd", type=Path, help="the Free Spoken Digit Dataset")
    given = options.parse_args()
    torch.set_num_threads(1)
    if given.step == "features":
        mel_features(training_speech(demo_words(35), MANNERS), MelFrontEnd()).save(given.features)
    elif given.step == "measure":
        given.out.mkdir(parents=True, exist_ok=True)
        measure(given)
    elif len(given.names) == 1:
        train(given.names[0], given.features, given.folder, given.epochs, given.device)
    else:
        train_all(given.names or small_ones(), given)


if __name__ == "__main__":
    main()
