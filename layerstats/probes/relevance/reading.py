"""What a network reads in an utterance, frame by frame, by one pass over all of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from layerstats.corpora import Corpus, utterance
from layerstats.errors import ArgumentError, DataError
from layerstats.models import Wav2Letter, device_for, running
from layerstats.models.letters import Alphabet
from layerstats.probes.recording.ready import check_ready

# What is asked of a network that reads letters.
_ASKED = ("alphabet", "features", "front_end", "receptive_field", "window_start", "padding")


@dataclass(frozen=True)
class LetterRun:
    """Frames in a row for which the same output is the likeliest.

    `text_start` and `text_stop` say which letters of the text read are this run's: none for a blank, one for a letter,
    one or two for a sign of repetition.
    """

    symbol: str
    first_frame: int
    stop_frame: int
    text_start: int
    text_stop: int


@dataclass(frozen=True, eq=False)
class Reading:
    """An utterance as it was heard and read.

    Parameters
    ----------
    token : str
        The utterance.
    log_probabilities : ndarray
        (frame, letter), padded as in training: frames at the ends hear zeros.
    first_inside, stop_inside : int
        The first frame whose window has no padding, and the one after the last; the same where no window fits.
    alphabet : Alphabet
        What the outputs stand for.
    first_s : float
        Middle of the window of frame 0, in seconds of the utterance.
    """

    token: str
    log_probabilities: np.ndarray = field(repr=False)
    first_inside: int
    stop_inside: int
    alphabet: Alphabet
    first_s: float

    @property
    def runs(self) -> list[LetterRun]:
        """The runs of the likeliest output, in order; `text` is what they spell."""
        found: list[LetterRun] = []
        labels: list[int] = []
        frame = spelled = 0
        for label, run in itertools.groupby(self.log_probabilities.argmax(axis=1).tolist()):
            stop = frame + len(list(run))
            labels.append(label)
            # A sign of repetition spells what stands before it.
            longer = len(self.alphabet.decode(labels))
            found.append(LetterRun(self.alphabet.letters[label], frame, stop, spelled, longer))
            frame, spelled = stop, longer
        return found

    @property
    def text(self) -> str:
        """What was read: the likeliest output of every frame, collapsed."""
        best = self.log_probabilities.argmax(axis=1).tolist()
        return self.alphabet.decode(self.alphabet.collapse(best))


def read_utterances(network: nn.Module, corpus: Corpus, *, device: str = "auto") -> Iterator[Reading]:
    """Read every utterance of a corpus, one at a time, in the order of its tokens.

    Parameters
    ----------
    network : torch.nn.Module
        A `Wav2Letter`, or a network with the same attributes.
    corpus : Corpus
        Utterances of any length.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Raises
    ------
    ArgumentError
        The network does not read letters, or is compiled or scripted.
    DataError
        What it gives is NaN or infinite.
    """
    reader = check_reader(network)
    place = device_for(network, device)
    with running(network, place), padded(reader, "same"):
        for token in corpus.tokens["token"]:
            samples = torch.from_numpy(utterance(corpus, token, reader.front_end.rate_hz)).to(place)
            yield _read(reader, token, samples)


def reads_letters(network: nn.Module) -> bool:
    """Tell whether a network reads letters off utterances, as a `Wav2Letter` does.

    Examples
    --------
    >>> reads_letters(Wav2Letter(width=2, top=2)), reads_letters(nn.Linear(2, 2))
    (True, False)
    """
    return all(hasattr(network, name) for name in _ASKED)


def check_reader(network: nn.Module) -> Wav2Letter:
    """Return a network if it reads letters off utterances.

    Raises
    ------
    ArgumentError
        It lacks what is asked of such a network, or is compiled or scripted.
    """
    check_ready(network)
    missing = [name for name in _ASKED if not hasattr(network, name)]
    if missing:
        raise ArgumentError(
            f"Letters are read by a network such as models.Wav2Letter, but {type(network).__name__} has no "
            f"{', '.join(map(repr, missing))}."
        )
    return cast(Wav2Letter, network)


@contextmanager
def padded(reader: Wav2Letter, padding: str) -> Iterator[None]:
    """Let a network read utterances to their ends, padded as in training ("same"), or windows as they are ("valid")."""
    before = reader.padding
    reader.padding = padding
    try:
        yield
    finally:
        reader.padding = before


def _read(reader: Any, token: str, samples: Tensor) -> Reading:
    features = reader.features(samples[None])
    logits = reader(features)[0].double()
    if not bool(torch.isfinite(logits).all()):
        raise DataError(
            f"The network's outputs are NaN or infinite for {token!r}. Its weights may be damaged, or training may "
            "have diverged."
        )
    frames = len(logits)
    starts = np.array([reader.window_start(frame) for frame in range(frames)])
    inside = np.flatnonzero((starts >= 0) & (starts + reader.receptive_field <= features.shape[1]))
    first, stop = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)
    scores = logits.log_softmax(dim=1).cpu().numpy()
    return Reading(token, scores, first, stop, reader.alphabet, float(window_middle_s(reader, starts[0])))


def window_middle_s(reader: Wav2Letter, start_frame: np.ndarray) -> np.ndarray:
    """Return the middle of windows by the first frame of the features that they hear, in seconds of the utterance."""
    return (start_frame + (reader.receptive_field - 1) / 2) * reader.front_end.hop / reader.front_end.rate_hz
