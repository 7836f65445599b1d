"""Make commands/: classifiers of the 35 words of Speech Commands and an autoencoder, for activation maximization.

1. `python data/checkpoints/make_commands.py features --features FILE` says the words and computes mel spectrograms.
2. `... train --features FILE --folder FOLDER` trains, one network a process; it needs neither the synthesiser nor the
   network, so that another machine can do it, and goes on where it was killed.
3. `... measure --folder FOLDER [--speech-commands PATH] [--fsdd PATH]` measures what came out, on the built-in corpus's
   held-out voices and on real speech, and writes the small ones as float16 with their cards, here.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from gan_speech import training_speech

from layerstats.corpora import demo_words
from layerstats.models import MelFrontEnd, save_checkpoint
from layerstats.training import MelFeatures, mel_features, train_autoencoder, train_commands

HERE = Path(__file__).resolve().parent
MANNERS = 4  # rates and pitches in which every voice that is learned from says the words
SMALL = {"channels": (4, 8, 16), "hidden": (128, 64, 64)}
SMALL_AUTOENCODER = {"channels": (8, 16, 16, 32)}
SEEDS = range(5)


def settings(epochs: int) -> dict[str, dict[str, Any]]:
    """Return what is trained by name: arguments of `train_autoencoder`, where the name says so, or `train_commands`."""
    common = {"epochs": epochs, "schedule": "one_cycle"}
    networks: dict[str, dict[str, Any]] = {}
    for seed in SEEDS:
        networks[f"commands_{seed}"] = {**common, **SMALL, "seed": seed}
        networks[f"full_commands_{seed}"] = {**common, "seed": seed}
    # Without changes to the spectrograms, so that the labels of single tokens can be learned by heart.
    networks["commands_shuffled"] = {**common, **SMALL, "seed": 0, "labels": "shuffled", "augment": 0.0}
    networks["autoencoder"] = {**common, **SMALL_AUTOENCODER, "augment": 0.5}
    networks["full_autoencoder"] = {**common, "augment": 0.5}
    return networks


def train(name: str, features: Path, folder: Path, epochs: int, device: str) -> None:
    """Train one network, or go on with it, and write it with its history."""
    torch.set_num_threads(1)
    own = folder / name
    verb = train_autoencoder if "autoencoder" in name else train_commands
    result = verb(
        MelFeatures.load(features),
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


def main() -> None:
    """Do one of the three steps."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("step", choices=["features", "train", "measure"])
    options.add_argument("names", nargs="*", help="networks to train; by default the small ones")
    options.add_argument("--features", type=Path, help="file of spectrograms, .npz")
    options.add_argument("--folder", type=Path, help="where networks, states and histories are")
    options.add_argument("--epochs", type=int, default=30)
    options.add_argument("--workers", type=int, default=1, help="trainings at a time")
    options.add_argument("--device", default="auto")
    options.add_argument("--speech-commands", type=Path, help="Speech Commands v0.02, or a part of it")
    options.add_argument("--fsdd", type=Path, help="the Free Spoken Digit Dataset")
    given = options.parse_args()
    if given.step == "features":
        mel_features(training_speech(demo_words(35), MANNERS), MelFrontEnd()).save(given.features)
    elif given.step == "train":
        small = [name for name in settings(1) if not name.startswith("full")]
        names = given.names or small
        if len(names) == 1:
            train(names[0], given.features, given.folder, given.epochs, given.device)
        else:
            train_all(names, given)


if __name__ == "__main__":
    main()
