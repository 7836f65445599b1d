"""Train the shipped ciwGAN and fiwGAN: `python data/checkpoints/make_gans.py ciwgan --folder FOLDER --hours 1.5`.

Words choose nothing: neither what is learned nor the step that is kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from gan_speech import training_speech

from layerstats.corpora import Clips, demo_words
from layerstats.training import GanResult, train_gan

# Narrower networks, smaller batches and larger steps than the original's, which take an afternoon on one core.
SETTINGS = {"width": 8, "batch_size": 16, "precision": "bfloat16", "learning_rate": 6e-4, "code_learning_rate": 5e-4}
SPEECH = {"ciwgan": {"words": 8, "manners": 4}, "fiwgan": {"words": 48, "manners": 1}}


def train(kind: str, folder: Path, steps: int, hours: float | None = None, resume: bool = False) -> GanResult:
    """Train one of the two, or go on with it."""
    speech = training_speech(demo_words(SPEECH[kind]["words"]), SPEECH[kind]["manners"])
    return train_gan(
        Clips(speech),
        kind=kind,
        **SETTINGS,
        steps=steps,
        hours=hours,
        watch_every=100,
        device="cpu",
        folder=folder,
        resume=resume,
    )


def main() -> None:
    """Train, resuming where a training was begun."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("kind", choices=sorted(SPEECH))
    options.add_argument("--folder", type=Path, required=True, help="where the state and samples are kept")
    options.add_argument("--steps", type=int, default=20_000)
    options.add_argument("--hours", type=float, help="longest time to train")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    resume = (chosen.folder / "state.pt").exists()
    result = train(chosen.kind, chosen.folder, chosen.steps, chosen.hours, resume)
    print(f"{result.stopped} The network of step {result.best_step} is the one to keep.")


if __name__ == "__main__":
    main()
