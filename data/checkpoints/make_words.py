"""Make words.safetensors: train on the built-in corpus, measure on held-out voices and, where given, on real speech.

Run it as `python data/checkpoints/make_words.py [--timit PATH] [--keep-weights]`; it takes a few minutes on one core,
or seconds where the weights that are there are kept, and only what is measured on TIMIT is measured anew.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch

from layerstats.corpora import Clips, demo_corpus, read_timit
from layerstats.judges import WordRecogniser, WordsClassifier, judge_speech
from layerstats.models import ModelCard, load_checkpoint, save_checkpoint
from layerstats.probes import record_activations
from layerstats.stats import likeliest_responses
from layerstats.store import open_store
from layerstats.training import train_words

CHECKPOINT = Path(__file__).with_name("words.safetensors")
DRAWS = 10_000


def accuracy(model: torch.nn.Module, clips: Clips, words: tuple[str, ...]) -> float:
    """Share of the clips whose word is recognised."""
    with torch.no_grad():
        heard = model(torch.from_numpy(clips.waveforms(slice(None)))).argmax(dim=1)
    return float(np.mean([words[index] == word for index, word in zip(heard, clips.tokens["word"], strict=True)]))


def largest_change(model: torch.nn.Module, stored: torch.nn.Module, clips: Clips) -> float:
    """Largest difference between the series of two networks at any layer, in standard deviations of the series."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("before.zarr", "after.zarr")]
        for network, path in zip((model, stored), paths, strict=True):
            record_activations(network, clips, path)
        before, after = map(open_store, paths)
        series = [
            (before.layer(name)["mean"].to_numpy(), after.layer(name)["mean"].to_numpy()) for name in before.layers
        ]
    return max(float(np.abs(one - other).max() / one.std()) for one, other in series)


def measure_timit(card: ModelCard, timit: Path) -> ModelCard:
    """Card with what the classifier makes of NLTK's sample of TIMIT, beside a recogniser that knows such speech."""
    speech = read_timit(timit, words=card.outputs)
    judged = likeliest_responses(judge_speech(speech, [WordsClassifier(CHECKPOINT), WordRecogniser(card.outputs)]))
    judged = judged.merge(speech.tokens, on="token")
    judged["right"] = judged["response"] == judged["word"]
    right = judged.groupby("judge")["right"].sum()
    share = right["classifier"] / len(speech)
    # Other speakers might have been recorded: they are drawn anew, each with all of their tokens.
    counts = judged[judged["judge"] == "classifier"].groupby("speaker")["right"].agg(["sum", "count"]).to_numpy()
    drawn = counts[np.random.default_rng(0).integers(len(counts), size=(DRAWS, len(counts)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    interval = f"95% interval over {len(counts)} speakers {low:.3f} to {high:.3f}"
    evaluation = {
        **{name: value for name, value in card.evaluation.items() if "timit" not in name},
        "accuracy_on_the_timit_sample": round(float(share), 3),
        "tokens_of_the_timit_sample": f"{right['classifier']} of {len(speech)} recognised, {interval}; pocketsphinx, "
        f"choosing among the same words, recognises {right['pocketsphinx']}",
    }
    limit = (
        f"Real speech is another matter: of the {len(speech)} tokens of the same words in NLTK's sample of TIMIT, "
        f"which it never learned from, it recognises {share:.3f} ({interval}; chance is {1 / len(card.outputs):.3f})."
    )
    limits = (*(limit for limit in card.limits if "TIMIT" not in limit), limit)
    return dataclasses.replace(card, evaluation=evaluation, limits=limits)


def train() -> None:
    """Train, save as float16, and put on the card what the saved weights reach."""
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
    limit = (
        "The voices are synthetic, and the held-out ones share accents or timbres with those trained on, so the "
        "accuracy on them says that the words were learned, not how well people would be understood."
    )
    card = dataclasses.replace(card, evaluation=evaluation, limits=(*card.limits, limit))
    save_checkpoint(CHECKPOINT, stored, card, dtype="float16")


def main() -> None:
    """Train unless the weights are kept; then measure on TIMIT where it is given."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--timit", type=Path, help="NLTK's sample of TIMIT, for the accuracy on real speech")
    options.add_argument("--keep-weights", action="store_true", help="measure on TIMIT only")
    given = options.parse_args()
    if not given.keep_weights:
        train()
    if given.timit is not None:
        stored, card = load_checkpoint(CHECKPOINT)
        save_checkpoint(CHECKPOINT, stored, measure_timit(card, given.timit), dtype="float16")


if __name__ == "__main__":
    main()
