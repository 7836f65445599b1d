"""Quick supervised training of the words classifier: the published network's shape, with labels."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from layerstats.checks import check_positive
from layerstats.corpora import Clips, Corpus
from layerstats.errors import CorpusError, FitError
from layerstats.models import ConvolutionalEncoder, ModelCard, choose_device, repeatable, seeded
from layerstats.training.augment import shift_and_scale
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
    for name, value in {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}.items():
        check_positive(name, value)
    clips = hold_out_speakers(corpus if isinstance(corpus, Clips) else Clips(corpus), seed)
    clips.check_audio()
    words = _words(clips)
    place = choose_device(device)
    sides = {side: _load(clips, words, side) for side in ("train", "test")}
    began = time.perf_counter()
    with seeded(seed, place), repeatable():
        model = ConvolutionalEncoder(
            len(words), width, phase_shuffle=phase_shuffle, samples=clips.samples, initialisation=initialisation
        )
        model.to(place)
        run = _Run(model, sides["train"], epochs, batch_size, learning_rate, seed, clips.rate_hz // 20 * augment)
        rows = []
        for epoch in range(1, epochs + 1):
            loss = run.epoch(progress)
            row: dict[str, float] = {"epoch": epoch, "steps": run.steps_done, "loss": loss}
            for side, name in (("train", "train_accuracy"), ("test", "held_out_accuracy")):
                row[name] = float((_recognise(model, sides[side]) == sides[side].labels).float().mean())
            rows.append({**row, "seconds": time.perf_counter() - began})
    history = pd.DataFrame(rows)
    model = model.cpu().eval()
    confusion = _confusion(words, sides["test"].labels, _recognise(model, sides["test"]))
    settings = {"seed": seed, "batch_size": batch_size, "learning_rate": learning_rate, "augmentation": augment}
    card = _card(clips, words, history, confusion, settings, place)
    return TrainingResult(model, card, float(history["held_out_accuracy"].iloc[-1]), words, history, confusion)


class _Run:
    """Optimiser, schedule and random order of one training."""

    def __init__(
        self,
        model: nn.Module,
        speech: _Speech,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        seed: int,
        largest_shift: int,
    ) -> None:
        self.model, self.speech, self.batch_size, self.largest_shift = model, speech, batch_size, largest_shift
        self.random = torch.Generator().manual_seed(seed)
        self.steps_done = 0
        self.steps = epochs * -(-len(speech.labels) // batch_size)
        self.optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, learning_rate, total_steps=self.steps + 1, pct_start=0.1
        )

    def epoch(self, progress: Callable[[int, int], None] | None) -> float:
        """Go through the training tokens once; return the mean loss."""
        self.model.train()
        order = torch.randperm(len(self.speech.labels), generator=self.random)
        total = sum(self._step(batch, progress) * len(batch) for batch in order.split(self.batch_size))
        return total / len(order)

    def _step(self, batch: Tensor, progress: Callable[[int, int], None] | None) -> float:
        waveforms = self.speech.waveforms[batch]
        if self.largest_shift:
            waveforms = shift_and_scale(waveforms, self.random, self.largest_shift)
        place = next(self.model.parameters()).device
        loss = F.cross_entropy(self.model(waveforms.to(place)), self.speech.labels[batch].to(place))
        if not torch.isfinite(loss):
            raise FitError(
                f"The loss became {loss.item()} at step {self.steps_done + 1} of {self.steps}. "
                "Choose a lower learning_rate, and check the audio for extreme values."
            )
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        self.steps_done += 1
        if progress is not None:
            progress(self.steps_done, self.steps)
        return loss.item()


def _words(clips: Clips) -> tuple[str, ...]:
    trained = clips.tokens.loc[clips.tokens["split"] == "train", "word"]
    words, said = tuple(sorted(trained.unique())), tuple(sorted(clips.tokens["word"].unique()))
    if len(words) < 2 or words != said:
        raise CorpusError(
            f"Training needs at least two words, and each of them on the training side, but {clips.corpus.name!r} has "
            f"{', '.join(said)}, of which on the training side: {', '.join(words) or 'none'}."
        )
    return words


def _load(clips: Clips, words: tuple[str, ...], side: str) -> _Speech:
    rows = np.flatnonzero(clips.tokens["split"] == side)
    labels = [words.index(word) for word in clips.tokens["word"].iloc[rows]]
    return _Speech(torch.from_numpy(clips.waveforms(rows)), torch.tensor(labels))


@torch.no_grad()
def _recognise(model: nn.Module, speech: _Speech) -> Tensor:
    model.eval()
    place = next(model.parameters()).device
    return torch.cat([model(batch.to(place)).argmax(dim=1).cpu() for batch in speech.waveforms.split(64)])


def _confusion(words: tuple[str, ...], labels: Tensor, recognised: Tensor) -> pd.DataFrame:
    pairs = Counter(zip(labels.tolist(), recognised.tolist(), strict=True))
    rows = [(words[said], words[heard], tokens) for (said, heard), tokens in sorted(pairs.items())]
    return pd.DataFrame(rows, columns=["word", "recognised_as", "tokens"])


def _by_word(words: tuple[str, ...], confusion: pd.DataFrame) -> dict[str, float]:
    shares = {}
    for word in words:
        rows = confusion.loc[confusion["word"] == word]
        right = rows.loc[rows["recognised_as"] == word, "tokens"].sum()
        shares[word] = round(float(right / max(rows["tokens"].sum(), 1)), 3)
    return shares


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
            "held_out_accuracy_by_word": _by_word(words, confusion),
            "training_accuracy": round(last["train_accuracy"], 4),
        },
        limits=_LIMITS,
    )
