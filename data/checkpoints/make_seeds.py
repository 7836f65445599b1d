"""Train small ciwGANs and supervised twins from several seeds: `python data/checkpoints/make_seeds.py`.

They are the random sample of networks for analyses in which the network's seed is a random effect; each is narrow and
briefly trained, so that one of them says little.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import torch
from gan_speech import training_speech

from layerstats.corpora import Clips, demo_words
from layerstats.models import ModelCard, save_checkpoint
from layerstats.training import train_gan, train_words

FOLDER = Path(__file__).with_name("seeds")
WIDTH = 4
LIMIT = "One of several small networks that differ by seed only: read them together, not one by one."


def small_gan(speech: Clips, seed: int) -> tuple[torch.nn.Module, ModelCard]:
    """Train a narrow ciwGAN for a few hundred steps."""
    result = train_gan(
        speech,
        width=WIDTH,
        latent=20,
        batch_size=16,
        learning_rate=1e-3,
        code_learning_rate=5e-4,
        steps=700,
        watch_every=50,
        seed=seed,
        device="cpu",
        precision="bfloat16",
    )
    return result.model, result.card


def small_words(speech: Clips, seed: int) -> tuple[torch.nn.Module, ModelCard]:
    """Train the twin that learns from labels, on the same speech, from weights drawn in the same way."""
    result = train_words(
        speech,
        width=WIDTH,
        epochs=2,
        batch_size=16,
        seed=seed,
        device="cpu",
        augment=False,
        initialisation="glorot",
    )
    return result.model, result.card


def main() -> None:
    """Train and write one after the other."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3])
    options.add_argument("--folder", type=Path, default=FOLDER)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    speech = Clips(training_speech(demo_words(8), manners=4))
    for seed in chosen.seeds:
        for name, train in (("ciwgan", small_gan), ("words", small_words)):
            model, card = train(speech, seed)
            card = dataclasses.replace(card, name=f"{name}-seed-{seed}", limits=(*card.limits, LIMIT))
            save_checkpoint(chosen.folder / f"{name}_{seed}.safetensors", model, card, dtype="float16")


if __name__ == "__main__":
    main()
