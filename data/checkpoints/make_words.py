"""Make words.safetensors: train on the built-in corpus, measure on held-out voices and, where given, on real speech.

Run it as `python data/checkpoints/make_words.py [--timit PATH]`; it takes a few minutes on one core. Tokens of TIMIT
whose audio is damaged are left out, and counted on the card.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import torch

from layerstats.corpora import Clips, demo_corpus, read_timit
from layerstats.models import load_checkpoint, save_checkpoint
from layerstats.probes.capture import capture
from layerstats.training import train_words

CHECKPOINT = Path(__file__).with_name("words.safetensors")


def accuracy(model: torch.nn.Module, clips: Clips, words: tuple[str, ...]) -> float:
    """Share of the clips whose word is recognised."""
    with torch.no_grad():
        heard = model(torch.from_numpy(clips.waveforms(slice(None)))).argmax(dim=1)
    return float(np.mean([words[index] == word for index, word in zip(heard, clips.tokens["word"], strict=True)]))


def largest_change(model: torch.nn.Module, stored: torch.nn.Module, clips: Clips) -> float:
    """Largest difference between the series of two networks at any layer, in standard deviations of the series."""
    axes = {f"conv{number}": ("token", "channel", "sample") for number in range(1, 6)}
    series = []
    for network in (model, stored):
        with torch.no_grad(), capture(network, axes) as layers:
            network(torch.from_numpy(clips.waveforms(slice(None))))
            series.append(layers.take(clips.tokens["token"].tolist())[0])
    return max(float(np.abs(series[0][name] - series[1][name]).max() / series[0][name].std()) for name in axes)


def main() -> None:
    """Train, save as float16, and put on the card what the saved weights reach."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--timit", type=Path, help="NLTK's sample of TIMIT, for the accuracy on real speech")
    timit = options.parse_args().timit
    result = train_words(demo_corpus(), width=16, epochs=60, seed=0, device="cpu")
    save_checkpoint(CHECKPOINT, result.model, result.card, dtype="float16")
    stored, card = load_checkpoint(CHECKPOINT)
    held_out = Clips(demo_corpus().subset(split="test"))
    evaluation = {
        **card.evaluation,
        "held_out_accuracy": round(accuracy(stored, held_out, card.outputs), 4),
        "held_out_accuracy_before_rounding_to_float16": round(result.accuracy, 4),
        "largest_change_of_a_series_by_rounding": f"{largest_change(result.model, stored, held_out):.4f} of its "
        "standard deviation",
    }
    limits = list(card.limits)
    if timit is not None:
        real = Clips(read_timit(timit), too_long="trim", damaged="skip")
        share = accuracy(stored, real, card.outputs)
        evaluation["accuracy_on_the_timit_sample"] = round(share, 3)
        evaluation["timit_tokens_left_out_as_damaged"] = len(real.damaged_tokens)
        limits.append(
            f"Real speech is another matter: of the {len(real)} tokens of the same words in NLTK's sample of TIMIT, "
            f"which it never learned from, it recognises {share:.0%} (chance is {1 / len(card.outputs):.0%})."
        )
    limits.append(
        "The voices are synthetic, and the held-out ones share accents or timbres with those trained on, so the "
        "accuracy on them says that the words were learned, not how well people would be understood."
    )
    card = dataclasses.replace(card, evaluation=evaluation, limits=tuple(limits))
    save_checkpoint(CHECKPOINT, stored, card, dtype="float16")


if __name__ == "__main__":
    main()
