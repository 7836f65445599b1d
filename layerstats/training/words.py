"""Quick supervised training of the words classifier: the published network's shape, with labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from layerstats.corpora import Clips, Corpus
from layerstats.models import ConvolutionalEncoder, ModelCard, choose_device, repeatable, seeded
from layerstats.training.augment import shift_and_scale
from layerstats.training.epochs import EpochOptions, EpochTraining
from layerstats.training.recognition import accuracy_by_word, confusion_table, recognise, trained_words
from layerstats.training.result import TrainingResult
from layerstats.training.sides import hold_out_speakers

_LIMITS = (
    "Trained with word labels: it is not the generative network of Begus & Zhou (2022), whose Q-network never saw any.",
    "Knows only the words listed; any other speech is assigned to one of them.",
    "Its training speakers are those of the corpus named above; accuracy on other kinds of speech is not implied.",
)


@dataclass(frozen=True)
class _Speech:
    waveforms: Tensor
    labels: Tensor


def train_words(
    corpus: Corpus | Clips,
    *,
    width: int = 16,
    epochs: int = 30,
    batch_size: int = 16,
    learning_rate: float = 1e-3,
    seed: int = 0,
    phase_shuffle: int = 2,
    augment: bool = True,
    initialisation: str = "torch",
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> TrainingResult:
    """Train a network to tell the corpus's words apart, and test it on speakers it has not heard.

    The tokens whose `split` is "train" are learned from; those of "test" measure accuracy and choose nothing. Where the
    corpus has no test side, a quarter of its speakers is held out. On a CPU the same seed gives the same weights (with
    the same number of threads).

    Parameters
    ----------
    corpus : Corpus or Clips
        Speech with at least two words; a Corpus is heard as `Clips(corpus)`.
    width : int
        Channels of the first layer.
    epochs : int
        Passes through the training tokens.
    batch_size : int
        Tokens in a step.
    learning_rate : float
        Highest step size of Adam; it rises over the first steps and then falls along a half cosine.
    seed : int
        Seed of weights, order, phase shuffle and augmentation. The caller's random state is left as it was.
    phase_shuffle : int
        Radius in samples, as in the published network.
    augment : bool
        Shift every clip by up to 50 ms and vary its level while training.
    initialisation : {"torch", "glorot"}
        How the first weights are drawn; those of a ciwGAN's networks are "glorot", and its supervised twin's should be.
    device : str
        "auto" (a GPU where there is one), or a torch device.
    progress : callable, optional
        Called with (steps done, steps in all).

    Returns
    -------
    TrainingResult

    Raises
    ------
    AudioError
        The audio of a token cannot be used; before anything is trained.
    CorpusError
        There are fewer than two words or speakers, a word is not on the training side, or a speaker is on both.
    FitError
        The loss became NaN or infinite.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> result = train_words(demo_corpus(words=["ask", "wash"], voices=4), width=1, epochs=1)
    >>> result.words
    ('ask', 'wash')
    """
    options = EpochOptions(epochs, batch_size, learning_rate, "one_cycle", seed)
    clips = hold_out_speakers(corpus if isinstance(corpus, Clips) else Clips(corpus), seed)
    samples = clips.one_length("Training")
    clips.check_audio()
    words = trained_words(clips.tokens, clips.corpus.name)
    place = choose_device(device)
    sides = {side: _load(clips, words, side) for side in ("train", "test")}
    largest_shift = clips.rate_hz // 20 * augment
    with seeded(seed, place), repeatable():
        model = ConvolutionalEncoder(
            len(words), width, phase_shuffle=phase_shuffle, samples=samples, initialisation=initialisation
        )
        model.to(place)

        def loss(batch: Tensor, random: torch.Generator) -> Tensor:
            waveforms = sides["train"].waveforms[batch]
            if largest_shift:
                waveforms = shift_and_scale(waveforms, random, largest_shift)
            return F.cross_entropy(model(waveforms.to(place)), sides["train"].labels[batch].to(place))

        def look() -> dict[str, float]:
            return {
                name: float((recognise(model, sides[side].waveforms) == sides[side].labels).float().mean())
                for side, name in (("train", "train_accuracy"), ("test", "held_out_accuracy"))
            }

        training = EpochTraining(model, len(sides["train"].labels), loss, look, options)
        history = training.run(progress=progress)
    model = model.cpu().eval()
    confusion = confusion_table(words, sides["test"].labels, recognise(model, sides["test"].waveforms))
    settings = {"seed": seed, "batch_size": batch_size, "learning_rate": learning_rate, "augmentation": augment}
    card = _card(clips, words, history, confusion, settings, place)
    return TrainingResult(model, card, float(history["held_out_accuracy"].iloc[-1]), words, history, confusion)


def _load(clips: Clips, words: tuple[str, ...], side: str) -> _Speech:
    rows = np.flatnonzero(clips.tokens["split"] == side)
    labels = [words.index(word) for word in clips.tokens["word"].iloc[rows]]
    return _Speech(torch.from_numpy(clips.waveforms(rows)), torch.tensor(labels))


def _card(
    clips: Clips,
    words: tuple[str, ...],
    history: pd.DataFrame,
    confusion: pd.DataFrame,
    settings: dict[str, object],
    place: torch.device,
) -> ModelCard:
    last = history.to_dict("records")[-1]
    sides = {side: clips.tokens.loc[clips.tokens["split"] == side] for side in ("train", "test")}
    return ModelCard(
        name=f"words-{clips.corpus.name}",
        description=f"Tells {len(words)} spoken words apart in clips of {clips.samples} samples at {clips.rate_hz} Hz. "
        "The network has the shape of the Q-network of Begus & Zhou (2022), and learned from word labels.",
        outputs=words,
        training={
            "corpus": clips.corpus.name,
            "corpus_hash": clips.content_hash(),
            "speakers": len(set(sides["train"]["speaker"])),
            "tokens": len(sides["train"]),
            "epochs": last["epoch"],
            "steps": last["steps"],
            **settings,
            "optimiser": "Adam, learning rate up over the first tenth of the steps, then down along a half cosine",
            "seconds": round(last["seconds"]),
            "hardware": f"{'GPU' if place.type == 'cuda' else 'CPU'}, {torch.get_num_threads()} threads",
            "torch": torch.__version__,
        },
        evaluation={
            "held_out_speakers": len(set(sides["test"]["speaker"])),
            "held_out_tokens": len(sides["test"]),
            "held_out_accuracy": round(last["held_out_accuracy"], 4),
            "held_out_accuracy_by_word": accuracy_by_word(words, confusion),
            "training_accuracy": round(last["train_accuracy"], 4),
        },
        limits=_LIMITS,
    )
