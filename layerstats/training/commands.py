"""Training of classifiers of spoken commands on mel spectrograms."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from layerstats.checks import check_choice
from layerstats.corpora import Clips, Corpus
from layerstats.errors import ArgumentError, CorpusError
from layerstats.models import CommandClassifier, ModelCard, choose_device, load_checkpoint, repeatable, seeded
from layerstats.models.mel import open_front_end
from layerstats.training.augment import vary_features
from layerstats.training.epochs import EpochOptions, EpochTraining
from layerstats.training.features import MelFeatures, mel_features
from layerstats.training.mel_card import training_facts
from layerstats.training.recognition import accuracy_by_word, confusion_table, recognise, trained_words
from layerstats.training.result import TrainingResult

LABELS = ("true", "shuffled")
MOST_WATCHED = 2000  # tokens of the training side on which accuracy is measured after each epoch
_LIMITS = (
    "Knows only the words listed; any other speech is assigned to one of them, and so is noise.",
    "Its training speakers are those of the corpus named above; accuracy on other kinds of speech is not implied.",
)
_SHUFFLED = "Its labels were shuffled among the training tokens: it is a null, and has not learned the words."


@dataclass(frozen=True)
class _Side:
    """The tokens of one side, what they are to be recognised as, and what a network makes of them."""

    features: MelFeatures
    rows: Tensor
    labels: Tensor

    def heard(self, tokens: Tensor) -> Tensor:
        return self.features.batch(self.rows[tokens])

    def recognised(self, model: CommandClassifier, tokens: Tensor | None = None) -> Tensor:
        chosen = torch.arange(len(self.rows)) if tokens is None else tokens
        return torch.cat([recognise(model, self.heard(batch)) for batch in chosen.split(512)])

    def accuracy(self, model: CommandClassifier, tokens: Tensor | None = None) -> float:
        labels = self.labels if tokens is None else self.labels[tokens]
        return float((self.recognised(model, tokens) == labels).float().mean())


def train_commands(
    speech: Corpus | Clips | MelFeatures,
    *,
    start: str | Path | None = None,
    channels: Sequence[int] = (8, 16, 32),
    hidden: Sequence[int] = (512, 256, 128),
    dropout: float = 0.2,
    front_end: dict[str, Any] | None = None,
    epochs: int = 50,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    schedule: str = "constant",
    seed: int = 0,
    labels: str = "true",
    augment: bool = True,
    held_out: int | None = None,
    device: str = "auto",
    folder: str | Path | None = None,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> TrainingResult:
    """Train the classifier of Soomro et al. (2019), and test it on speakers that it has not heard.

    Its settings are those of the paper where none are given: cross-entropy, Adam, batches of 32, 50 epochs,
    Glorot-uniform weights. Mel spectrograms are computed once. The tokens whose `split` is "train" are learned from;
    those of "test" measure accuracy and choose nothing; others are left aside. Where the corpus has no test side, a
    quarter of its speakers is held out. On a CPU the same seed gives the same weights (with the same number of
    threads), also after a kill and `resume`.

    Parameters
    ----------
    speech : Corpus, Clips or MelFeatures
        Speech with at least two words; a Corpus is heard as `clips_for` says.
    start : path, optional
        A checkpoint to begin from: fine-tuning. Its shape, front end and order of words are kept, and it must know
        every word of the corpus.
    channels, hidden, dropout, front_end
        As for `CommandClassifier`; passed over where there is a `start`.
    epochs, batch_size, learning_rate, schedule, seed
        As for `EpochOptions`.
    labels : {"true", "shuffled"}
        "shuffled" exchanges the labels of the training tokens at random, by `seed`: a null network that has had the
        same training.
    augment : bool
        Change spectrograms while training (`vary_features`); the paper's were not.
    held_out : int, optional
        How many speakers are drawn, by `seed`, as the test side, whatever sides the corpus has.
    device : str
        "auto" (a GPU where there is one), or a torch device.
    folder : path, optional
        Where state and `history.csv` are written after every epoch.
    resume : bool
        Go on from the state in `folder`.
    progress : callable, optional
        Called with (steps done, steps in all).

    Returns
    -------
    TrainingResult

    Raises
    ------
    ArgumentError
        A parameter is out of range; the checkpoint or the features have another front end; or the folder holds
        another training.
    AudioError
        The audio of a token cannot be used; before anything is trained.
    CorpusError
        There are fewer than two words or speakers, a word is not on the training side or unknown to `start`, or a
        speaker is on both sides.
    FitError
        The loss became NaN or infinite.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> speech = demo_corpus(words=["yes", "no"], voices=4)
    >>> result = train_commands(speech, channels=(1, 1, 1), hidden=(4, 4, 4), epochs=1)
    >>> result.words
    ('no', 'yes')
    """
    check_choice("labels", labels, LABELS)
    options = EpochOptions(epochs, batch_size, learning_rate, schedule, seed)
    place = choose_device(device)
    begun, known = (None, None) if start is None else _begun(Path(start))
    ears = open_front_end(front_end) if begun is None else begun.front_end
    features = mel_features(speech, ears).held_out(seed, held_out)
    words = _output_words(features, known)
    sides = {side: _side(features, words, side) for side in ("train", "test")}
    if labels == "shuffled":
        sides["train"] = _shuffled(sides["train"], seed)
    settings = {"labels": labels, "augmentation": augment, "start": None if start is None else _named(Path(start))}
    with seeded(seed, place), repeatable():
        model = begun or CommandClassifier(len(words), channels, hidden, dropout, ears)
        model.to(place)
        heard = min(ears.frames, 1 + ears.samples // ears.hop)

        def loss(batch: Tensor, random: torch.Generator) -> Tensor:
            mels = sides["train"].heard(batch).to(place)
            if augment:
                mels = vary_features(mels, random, heard)
            return F.cross_entropy(model(mels), sides["train"].labels[batch].to(place))

        watched = torch.randperm(len(sides["train"].labels), generator=torch.Generator().manual_seed(seed))

        def look() -> dict[str, float]:
            return {
                "train_accuracy": sides["train"].accuracy(model, watched[:MOST_WATCHED]),
                "held_out_accuracy": sides["test"].accuracy(model),
            }

        told = {**settings, "held_out": features.told_sides(), **model.configuration}
        training = EpochTraining(model, len(watched), loss, look, options)
        history = training.run(None if folder is None else Path(folder), resume, told, features.content_hash, progress)
        confusion = confusion_table(words, sides["test"].labels, sides["test"].recognised(model))
    facts = {**training_facts(features, options, history, place), **settings}
    card = _card(features, words, history, confusion, facts)
    accuracy = float(history["held_out_accuracy"].iloc[-1])
    return TrainingResult(model.cpu().eval(), card, accuracy, words, history, confusion)


def _begun(path: Path) -> tuple[CommandClassifier, tuple[str, ...]]:
    network, card = load_checkpoint(path)
    if not isinstance(network, CommandClassifier) or len(card.outputs) != network.configuration["outputs"]:
        raise ArgumentError(
            f"Fine-tuning begins with a CommandClassifier whose card names its words, but {path} holds a "
            f"{type(network).__name__} with {len(card.outputs)} words."
        )
    return network, card.outputs


def _named(path: Path) -> str:
    return f"{path.name}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _output_words(features: MelFeatures, known: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the words in the order of the outputs: those of the corpus, or those that a network knows already."""
    if known is None:
        return trained_words(features.tokens, features.name)
    unknown = sorted(set(features.tokens["word"]) - set(known))
    if unknown:
        raise CorpusError(
            f"{features.name!r} has the words {', '.join(unknown[:5])}{' and more' * (len(unknown) > 5)}, which the "
            f"network to begin with does not know (it knows {', '.join(known)}). Choose words, or pass no start."
        )
    trained_words(features.tokens, features.name)
    return known


def _side(features: MelFeatures, words: tuple[str, ...], side: str) -> _Side:
    rows = features.rows(side)
    return _Side(
        features, rows, torch.tensor([words.index(word) for word in features.tokens["word"].iloc[rows.numpy()]])
    )


def _shuffled(side: _Side, seed: int) -> _Side:
    order = torch.randperm(len(side.labels), generator=torch.Generator().manual_seed(seed))
    return replace(side, labels=side.labels[order])


def _card(
    features: MelFeatures,
    words: tuple[str, ...],
    history: pd.DataFrame,
    confusion: pd.DataFrame,
    facts: dict[str, Any],
) -> ModelCard:
    last = history.to_dict("records")[-1]
    shuffled = facts["labels"] == "shuffled"
    held_out = features.tokens.loc[features.tokens["split"] == "test"]
    return ModelCard(
        name=f"commands-{features.name}" + "-shuffled" * shuffled,
        description=f"Tells {len(words)} spoken words apart by their mel spectrograms: the classifier of Soomro et al. "
        "(2019), and its mel front end.",
        outputs=words,
        training=facts,
        evaluation={
            "held_out_speakers": len(set(held_out["speaker"])),
            "held_out_tokens": len(held_out),
            "held_out_accuracy": round(last["held_out_accuracy"], 4),
            "held_out_accuracy_by_word": accuracy_by_word(words, confusion),
            "training_accuracy": round(last["train_accuracy"], 4),
        },
        limits=(*_LIMITS, _SHUFFLED) if shuffled else _LIMITS,
    )
