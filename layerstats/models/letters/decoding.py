"""The text that a network reads: by its best path, or by the sum over paths."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from layerstats.checks import check_count
from layerstats.errors import ArgumentError
from layerstats.models.letters.alphabet import Alphabet


def greedy(log_probabilities: np.ndarray, alphabet: Alphabet) -> str:
    """Text of the likeliest letter of every frame.

    Parameters
    ----------
    log_probabilities : array (frame, letter)
        Log-probabilities, or logits.
    alphabet : Alphabet
        What the letters are.

    Examples
    --------
    >>> frames = np.log(np.full((3, 29), 0.01))
    >>> frames[[0, 1, 2], [3, 0, 4]] = 0.0
    >>> greedy(frames, Alphabet())
    'ab'
    """
    scores = check_frames(log_probabilities, alphabet)
    return alphabet.decode(alphabet.collapse(scores.argmax(axis=1).tolist()))


def beam_search(log_probabilities: np.ndarray, alphabet: Alphabet, *, width: int = 64) -> str:
    """Likeliest text, summed over all paths that give it, by a search that keeps the best beginnings of texts.

    Parameters
    ----------
    log_probabilities : array (frame, letter)
        Log-probabilities; each frame's probabilities sum to 1.
    alphabet : Alphabet
        What the letters are.
    width : int, default 64
        How many beginnings are kept after every frame. With all of them the answer is exact.

    Raises
    ------
    ArgumentError
        If the array has another shape or no numbers, or `width` is not positive.

    References
    ----------
    Hannun et al. (2014), First-pass large vocabulary continuous speech recognition using bi-directional recurrent
    DNNs, arXiv:1408.2873, Algorithm 1, without a language model.

    Examples
    --------
    The best path says nothing at all (0.36), but "a" is read by three paths (0.64 together).

    >>> frames = np.log(np.full((2, 29), 1e-9))
    >>> frames[:, 0], frames[:, 3] = np.log(0.6), np.log(0.4)
    >>> greedy(frames, Alphabet()), beam_search(frames, Alphabet())
    ('', 'a')
    """
    return likeliest_texts(log_probabilities, alphabet, width=width)[0][0]


def likeliest_texts(
    log_probabilities: np.ndarray, alphabet: Alphabet, *, width: int = 64
) -> tuple[tuple[str, float], ...]:
    """Return the texts that `beam_search` chooses from, the likeliest first, each with its log-probability.

    The log-probability sums the paths that the search kept, so that it is at most the text's own.

    Raises
    ------
    ArgumentError
        As `beam_search`.

    Examples
    --------
    >>> frames = np.log(np.full((2, 29), 1e-9))
    >>> frames[:, 0], frames[:, 3] = np.log(0.6), np.log(0.4)
    >>> [(text, round(float(np.exp(score)), 2)) for text, score in likeliest_texts(frames, Alphabet())[:2]]
    [('a', 0.64), ('', 0.36)]
    """
    scores = check_frames(log_probabilities, alphabet)
    check_count("width", width)
    beam = _Beam(alphabet.blank)
    for frame in scores.astype(np.float64):
        beam.hear(frame, width)
    texts: dict[str, float] = {}
    for labels, score in beam.read():
        text = alphabet.decode(labels)
        # Where letters have signs of repetition, two series of labels may be one text.
        texts[text] = float(np.logaddexp(texts.get(text, -np.inf), score))
    return tuple(sorted(texts.items(), key=lambda entry: -entry[1]))


def check_frames(log_probabilities: np.ndarray, alphabet: Alphabet) -> np.ndarray:
    """Scores (frame, letter) as an array, refusing what no path goes through.

    Raises
    ------
    ArgumentError
        If the array has another shape, holds NaN or positive infinity, or a frame in which every letter has
        probability 0.
    """
    scores = np.asarray(log_probabilities)
    if scores.ndim != 2 or scores.shape[1] != len(alphabet.letters):
        raise ArgumentError(
            f"Log-probabilities of letters are (frame, {len(alphabet.letters)}) for the alphabet {alphabet.kind!r}, "
            f"but got an array {scores.shape}."
        )
    impossible = np.flatnonzero(~np.isfinite(scores.max(axis=1)))
    if len(scores) == 0 or len(impossible):
        what = (
            f"those of frame {impossible[0]} are NaN, infinite or all of probability 0"
            if len(impossible)
            else "there are none"
        )
        raise ArgumentError(f"Log-probabilities of letters must be numbers, one frame at least, but {what}.")
    return scores


@dataclass
class _Beam:
    """Beginnings of series of labels, each known by its number, with their log-probabilities so far.

    A beginning is its parent's with one label more; number 0 is the empty one. `blank` and `label` hold the
    log-probability of the paths that end in a blank, and in the last label.
    """

    blank_index: int
    parents: list[int] = field(default_factory=lambda: [-1])
    last: list[int] = field(default_factory=lambda: [-1])
    known: dict[tuple[int, int], int] = field(default_factory=dict)
    kept: np.ndarray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    blank: np.ndarray = field(default_factory=lambda: np.zeros(1))
    label: np.ndarray = field(default_factory=lambda: np.full(1, -np.inf))

    def hear(self, frame: np.ndarray, width: int) -> None:
        """Take in the log-probabilities (letter,) of one frame and keep the best beginnings."""
        count, letters = len(self.kept), len(frame)
        rows = np.arange(count)
        last = np.array([self.last[number] for number in self.kept])
        begun = last >= 0
        total = np.logaddexp(self.blank, self.label)
        longer = total[:, None] + frame
        # After a label the same one again is heard as one, unless a blank parts them.
        longer[rows[begun], last[begun]] = self.blank[begun] + frame[last[begun]]
        longer[:, self.blank_index] = -np.inf
        blank = total + frame[self.blank_index]
        label = np.where(begun, self.label + frame[last], -np.inf)
        place = {number: row for row, number in enumerate(self.kept.tolist())}
        for row, number in enumerate(self.kept.tolist()):
            parent = place.get(self.parents[number])
            if parent is not None:  # what makes the parent this beginning is this beginning's
                label[row] = np.logaddexp(label[row], longer[parent, last[row]])
                longer[parent, last[row]] = -np.inf
        everything = np.concatenate([np.logaddexp(blank, label), longer.ravel()])
        best = np.argsort(-everything, kind="stable")[:width]
        best = best[everything[best] > -np.inf]
        stay, grow = best[best < count], best[best >= count] - count
        grown = [self._child(int(self.kept[index // letters]), int(index % letters)) for index in grow]
        self.kept = np.concatenate([self.kept[stay], np.array(grown, dtype=np.int64)])
        self.blank = np.concatenate([blank[stay], np.full(len(grown), -np.inf)])
        self.label = np.concatenate([label[stay], longer.ravel()[grow]])

    def _child(self, parent: int, letter: int) -> int:
        if (parent, letter) not in self.known:
            self.known[parent, letter] = len(self.parents)
            self.parents.append(parent)
            self.last.append(letter)
        return self.known[parent, letter]

    def read(self) -> list[tuple[list[int], float]]:
        """Return the labels of every beginning, and its log-probability."""
        scores = np.logaddexp(self.blank, self.label)
        return [(self._labels(number), score) for number, score in zip(self.kept.tolist(), scores, strict=True)]

    def _labels(self, number: int) -> list[int]:
        labels = []
        while number > 0:
            labels.append(self.last[number])
            number = self.parents[number]
        return labels[::-1]
