"""Train the shipped ciwGAN and fiwGAN: `python data/checkpoints/make_gans.py ciwgan --folder FOLDER --hours 1.5`.

The same command again goes on where the training in FOLDER stopped. Words choose nothing: neither what is learned nor
the step that is kept. At the end lexical learning is measured on the demo's held-out voices and put on the card.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gan_speech import training_speech

from layerstats.corpora import Clips, Corpus, demo_corpus, demo_words
from layerstats.models import load_checkpoint, save_checkpoint, untrained
from layerstats.plots import save_figure, training_curves
from layerstats.probes import read_codes
from layerstats.stats.lexical import lexical_learning
from layerstats.training import GanResult, train_gan

HERE = Path(__file__).resolve().parent
# Narrower networks, smaller batches and larger steps than the original's, for an afternoon on one core.
SETTINGS = {"width": 8, "batch_size": 16, "precision": "bfloat16", "learning_rate": 6e-4, "code_learning_rate": 5e-4}
SPEECH = {"ciwgan": {"words": 8, "manners": 4}, "fiwgan": {"words": 48, "manners": 1}}
UNTRAINED = 5
LIMITS = (
    "Far from the original's training: width 8 instead of 64, batches of 16 instead of 64, step sizes of 6e-4 and 5e-4 "
    "instead of 1e-4, some thousand updates instead of 121,116, and synthetic voices.",
    "Training was ended by hand, the ciwGAN's on a plateau, the fiwGAN's for lack of time. Other programs shared the "
    "core, so that the seconds are several times what an idle machine takes.",
    "Step sizes were chosen after two trials of some hundred updates; two more ciwGANs, with other step sizes, were "
    "given up after 300 and 986 updates. The rule for the step that is kept was changed while the networks were "
    "learning, with the record of lexical accuracy in sight; the rule itself uses no label, and the one before it (the "
    "smallest spectral distance) keeps the same step of the ciwGAN, another (3,300) of the fiwGAN.",
    "One training of each network: intervals are over voices, not over trainings.",
    "The voices are synthetic, and the held-out ones share accents or timbres with those trained on.",
)


def train(kind: str, folder: Path, steps: int, hours: float | None) -> GanResult:
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
        resume=(folder / "state.pt").exists(),
    )


def lexical_facts(model: torch.nn.Module, speech: Corpus) -> dict[str, Any]:
    """Measure lexical learning of a trained network beside untrained ones of the same shape."""

    def measured(network: torch.nn.Module, draws: int) -> dict[str, Any]:
        table = lexical_learning(read_codes(network, speech, device="cpu"), draws=draws).summary
        return {row["measure"]: row for row in table.to_dict("records")}

    own = measured(model, draws=2000)
    fresh = [measured(untrained(model, seed), draws=1) for seed in range(UNTRAINED)]
    facts = {}
    for measure, row in own.items():
        others = np.array([network[measure]["estimate"] for network in fresh])
        facts[measure] = (
            f"{row['estimate']:.3f} [{row['conf_low']:.3f}, {row['conf_high']:.3f}], chance {row['chance']:.3f}, "
            f"{UNTRAINED} untrained networks {others.min():.3f} to {others.max():.3f}"
        )
    return facts


def write(kind: str, result: GanResult) -> None:
    """Write the checkpoint as float16, with what the saved weights reach on its card, and the history beside it."""
    path = HERE / f"{kind}.safetensors"
    save_checkpoint(path, result.model, result.card, dtype="float16")
    stored, card = load_checkpoint(path)
    speech = demo_corpus(demo_words(SPEECH[kind]["words"]))
    evaluation = {**card.evaluation, **lexical_facts(stored, speech)}
    if kind == "ciwgan":
        words, words_card = load_checkpoint(HERE / "words.safetensors")
        table = lexical_learning(read_codes(words, speech, labels=words_card.outputs, device="cpu"), draws=1).summary
        evaluation["the_supervised_network"] = dict(zip(table["measure"], table["estimate"].round(3), strict=True))
    name = {"ciwgan": "ciwgan-demo", "fiwgan": "fiwgan-demo-48"}[kind]
    card = dataclasses.replace(card, name=name, evaluation=evaluation, limits=(*card.limits, *LIMITS))
    save_checkpoint(path, stored, card, dtype="float16")
    result.history.to_csv(HERE / f"{kind}_history.csv", index=False)
    save_figure(training_curves(result.history), HERE / f"{kind}_history").svg.unlink()


def main() -> None:
    """Train, or go on, and write what came of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("kind", choices=sorted(SPEECH))
    options.add_argument("--folder", type=Path, required=True, help="where the state and samples are kept")
    options.add_argument("--steps", type=int, default=20_000)
    options.add_argument("--hours", type=float, help="longest time to train")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    result = train(chosen.kind, chosen.folder, chosen.steps, chosen.hours)
    print(f"{result.stopped} The network of step {result.best_step} is kept.", flush=True)
    write(chosen.kind, result)


if __name__ == "__main__":
    main()
