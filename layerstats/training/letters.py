"""Training of networks that read letters off speech, by connectionist temporal classification."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.checks import check_choice
from layerstats.corpora import Corpus
from layerstats.errors import ArgumentError, CorpusError, FitError
from layerstats.models import (
    UTTERANCES,
    MelFrontEnd,
    ModelCard,
    Wav2Letter,
    choose_device,
    device_of,
    repeatable,
    seeded,
    z_normalise,
)
from layerstats.models.letters import Alphabet, error_rates, greedy
from layerstats.training.augment import SHORTEST_STRETCH, vary_utterances
from layerstats.training.epochs import EpochOptions, EpochTraining
from layerstats.training.mel_card import training_facts
from layerstats.training.result import LettersResult
from layerstats.training.utterances import SIDES, UtteranceFeatures, utterance_features

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
MOST_WATCHED = 150  # utterances of each side that are read after each epoch
_READ_AT_ONCE = 32
_LIMITS = (
    "Reads letters as they are spelled by those whose sentences it learned from; it knows no dictionary.",
    "Its training speech is that of the corpus named above; how well it reads other speech is said under Evaluation, "
    "or not known.",
)


def train_letters(
    speech: Corpus | UtteranceFeatures,
    *,
    width: int = 256,
    top: int = 2048,
    alphabet: str = "ctc",
    epochs: int = 50,
    batch_size: int = 64,
    learning_rate: float = 1e-4,
    schedule: str = "constant",
    seed: int = 0,
    augment: bool = True,
    held_out: int | None = None,
    precision: str = "float32",
    device: str = "auto",
    folder: str | Path | None = None,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> LettersResult:
    """Train Wav2Letter by connectionist temporal classification, and see how well it reads what it has not heard.

    Step size, batches and alphabets are the published ones where none are given. Mel spectrograms are computed once.
    Utterances whose `split` is "train" are learned from; the others are read, and choose nothing: they are told apart
    by whether the voice, the sentence or both are new. On a CPU the same seed gives the same weights (with the same
    number of threads), also after a kill and `resume`.

    Parameters
    ----------
    speech : Corpus or UtteranceFeatures
        Utterances and what is said in them, as for `utterance_features`.
    width, top, alphabet
        As for `Wav2Letter`.
    epochs, batch_size, learning_rate, schedule, seed
        As for `EpochOptions`.
    augment : bool
        Change spectrograms while training (`vary_utterances`).
    held_out : int, optional
        How many speakers are drawn, by `seed`, as the test side, whatever sides the corpus has.
    precision : {"float32", "bfloat16"}
        In what the convolutions are computed while training; weights stay float32.
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
    LettersResult

    Raises
    ------
    ArgumentError
        A parameter is out of range, a text has characters that are no letters, or the folder holds another training.
    AudioError
        The audio of an utterance cannot be used; before anything is trained.
    CorpusError
        There is nothing to learn from, or an utterance is too short for what is said in it.
    FitError
        The loss became NaN or infinite.

    References
    ----------
    Graves et al. (2006), Connectionist temporal classification, ICML; Krug & Stober (2018), section 3.1.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> speech = demo_corpus(sentences=["the fox jumped", "a fox ran"], voices=4, said_by=4)
    >>> result = train_letters(speech, width=2, top=4, epochs=1, device="cpu")
    >>> result.error_rates["side"].tolist()
    ['train', 'held_out_voices', 'held_out_sentences', 'held_out_both']
    """
    check_choice("precision", precision, PRECISIONS)
    options = EpochOptions(epochs, batch_size, learning_rate, schedule, seed)
    place = choose_device(device)
    features = speech
    if isinstance(features, Corpus):
        features = utterance_features(features, MelFrontEnd(**UTTERANCES), held_out=held_out, seed=seed)
    elif held_out is not None:
        raise ArgumentError(
            "Which speakers are held out was said when the features were computed: pass held_out there."
        )
    with seeded(seed, place), repeatable():
        model = Wav2Letter(features.front_end, width=width, top=top, alphabet=alphabet).to(place)
        learning = _Learning(features, model, features.rows("train"), augment, PRECISIONS[precision])
        sides = {side: features.rows(side) for side in SIDES if len(features.rows(side))}
        watched = {side: _some(rows, seed) for side, rows in sides.items()}

        def look() -> dict[str, float]:
            rates = {
                side: _rates(features, rows, read_letters(model, features, rows)) for side, rows in watched.items()
            }
            return {f"{side}_letter_error_rate": rate["letter_error_rate"] for side, rate in rates.items()}

        told = {"augmentation": augment, "precision": precision, "sides": features.told_sides(), **model.configuration}
        lengths = features.lengths[learning.rows]
        training = EpochTraining(model, len(learning.rows), learning.loss, look, options, lengths)
        history = training.run(None if folder is None else Path(folder), resume, told, features.content_hash, progress)
        rates = letter_error_rates(model, features, sides)
    facts = training_facts(features, options, history, place)
    card = _card(features, model, rates, {**facts, "augmentation": augment, "precision": precision})
    return LettersResult(model.cpu().eval(), card, history, rates)


@dataclass(frozen=True)
class _Learning:
    """The utterances that are learned from, and the loss of some of them."""

    features: UtteranceFeatures
    model: Wav2Letter
    rows: np.ndarray
    augment: bool
    precision: torch.dtype

    def __post_init__(self) -> None:
        self._refuse_short()

    def loss(self, batch: Tensor, random: torch.Generator) -> Tensor:
        """Return the loss of utterances by their numbers among those learned from."""
        rows = self.rows[batch.numpy()]
        place = device_of(self.model) or torch.device("cpu")
        heard, lengths = self.features.batch(rows)
        heard, lengths = heard.to(place), lengths.to(place)
        if self.augment:
            heard, lengths = vary_utterances(heard, lengths, random)
        heard = z_normalise(heard, lengths) if self.model.front_end.normalise else heard
        with torch.autocast(place.type, self.precision, enabled=self.precision != torch.float32):
            logits = self.model(heard, lengths)
        labels = [
            torch.from_numpy(self.model.alphabet.encode(text)) for text in self.features.tokens["text"].iloc[rows]
        ]
        return letter_loss(logits.float(), self.model.frames_of(lengths), labels, self.model.alphabet)

    def _refuse_short(self) -> None:
        """Refuse utterances for whose letters there is no room, even at the fastest that they are said."""
        frames = self.features.lengths[self.rows] * (SHORTEST_STRETCH if self.augment else 1)
        room = self.model.frames_of(frames.long()).numpy()
        tokens = self.features.tokens.iloc[self.rows]
        least = {text: least_frames(self.model.alphabet.encode(text)) for text in tokens["text"].unique()}
        needed = tokens["text"].map(least).to_numpy()
        short = np.flatnonzero(room < np.maximum(needed, 1))
        if len(short):
            first = tokens.iloc[short[0]]
            raise CorpusError(
                f"{len(short)} utterances are too short for what is said in them, for instance {first['token']!r}: its "
                f"text {first['text'][:60]!r} needs {needed[short[0]]} frames, but it has {room[short[0]]}. Check the "
                "texts, or leave these utterances out with corpus.subset(tokens=...)."
            )


def letter_loss(logits: Tensor, lengths: Tensor, labels: list[Tensor], alphabet: Alphabet) -> Tensor:
    """Return the mean over utterances of minus the log probability of what is said, a letter.

    Parameters
    ----------
    logits : Tensor
        (token, frame, letter).
    lengths : Tensor
        Frames of each utterance (token,).
    labels : list of Tensor
        Numbers of the letters of each utterance, as `Alphabet.encode` gives them; an utterance in which nothing is
        said has none, and is to be blank in every frame.
    alphabet : Alphabet
        What the outputs stand for.

    References
    ----------
    Graves et al. (2006), Eq. 8.

    Examples
    --------
    >>> letter_loss(torch.zeros(1, 3, 29), torch.tensor([3]), [torch.tensor([], dtype=torch.int64)], Alphabet())
    tensor(10.1019)
    """
    counts = torch.tensor([len(label) for label in labels])
    loss = nn.CTCLoss(blank=alphabet.blank)
    return loss(logits.log_softmax(dim=2).transpose(0, 1), torch.cat(labels).to(logits.device), lengths, counts)


def least_frames(labels: np.ndarray) -> int:
    """Return how many frames labels need: one each, and a blank between two of the same.

    Examples
    --------
    >>> least_frames(Alphabet().encode("all"))
    4
    """
    return len(labels) + int(np.count_nonzero(labels[1:] == labels[:-1]))


@torch.no_grad()
def read_letters(model: Wav2Letter, features: UtteranceFeatures, rows: np.ndarray) -> list[str]:
    """Return what a network reads in utterances by their positions: the likeliest letter of every frame, collapsed.

    Raises
    ------
    FitError
        Its outputs are NaN: training diverged.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> model = Wav2Letter(width=2, top=4)
    >>> features = utterance_features(demo_corpus(sentences=["a fox ran"], voices=2, said_by=2), model.front_end)
    >>> len(read_letters(model, features, np.array([0, 1])))
    2
    """
    model.eval()
    place = device_of(model) or torch.device("cpu")
    order = rows[np.argsort(features.lengths.numpy()[rows], kind="stable")]
    read: dict[int, str] = {}
    for start in range(0, len(order), _READ_AT_ONCE):
        chosen = order[start : start + _READ_AT_ONCE]
        heard, lengths = (part.to(place) for part in features.batch(chosen))
        heard = z_normalise(heard, lengths) if model.front_end.normalise else heard
        scores = model(heard, lengths).float().log_softmax(dim=2).cpu().numpy()
        if np.isnan(scores).any():
            raise FitError(
                "The outputs of the network became NaN, so that it reads nothing. Choose a lower learning_rate, and "
                "check the audio for extreme values."
            )
        for row, score, frames in zip(chosen, scores, model.frames_of(lengths).tolist(), strict=True):
            read[row] = greedy(score[:frames], model.alphabet)
    return [read[row] for row in rows]


def letter_error_rates(model: Wav2Letter, features: UtteranceFeatures, sides: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return how far what is read is from what is said: `side, utterances, letters, letter_error_rate, ...`.

    Parameters
    ----------
    model : Wav2Letter
        The network.
    features : UtteranceFeatures
        What it hears.
    sides : mapping
        Positions of the utterances of each side.

    Returns
    -------
    DataFrame
        A row a side: `side, utterances, letters, words, letter_error_rate, word_error_rate`.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> model = Wav2Letter(width=2, top=4)
    >>> features = utterance_features(demo_corpus(sentences=["a fox ran"], voices=2, said_by=2), model.front_end)
    >>> found = letter_error_rates(model, features, {"all": np.array([0, 1])})
    >>> found[["side", "utterances", "letters"]].values.tolist()
    [['all', 2, 18]]
    """
    rows = [
        {"side": side, "utterances": len(chosen), **_rates(features, chosen, read_letters(model, features, chosen))}
        for side, chosen in sides.items()
    ]
    return pd.DataFrame(rows)


def _rates(features: UtteranceFeatures, rows: np.ndarray, read: list[str]) -> dict[str, Any]:
    said = features.tokens["text"].iloc[rows].tolist()
    pairs = [(text, heard) for text, heard in zip(said, read, strict=True) if text.strip()]
    rates = error_rates([text for text, _ in pairs], [heard for _, heard in pairs])
    return {
        "letters": rates.letters,
        "words": rates.words,
        "letter_error_rate": rates.letter_error_rate,
        "word_error_rate": rates.word_error_rate,
    }


def _some(rows: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(rows)[:MOST_WATCHED]


def _card(features: UtteranceFeatures, model: Wav2Letter, rates: pd.DataFrame, facts: dict[str, Any]) -> ModelCard:
    evaluation = {
        row["side"]: f"letter error rate {row['letter_error_rate']:.4f}, word error rate {row['word_error_rate']:.4f} "
        f"({row['utterances']} utterances)"
        for row in rates.to_dict("records")
    }
    return ModelCard(
        name=f"wav2letter-{features.name}",
        description="Reads letters off speech: the network of twelve convolutions of Krug & Stober (2018), and its mel "
        "front end.",
        outputs=model.alphabet.letters,
        training=facts,
        evaluation=evaluation,
        limits=_LIMITS,
    )
