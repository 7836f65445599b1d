"""When the letters of a known text are said: forced alignment by what a network says of each frame."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from layerstats.errors import ArgumentError
from layerstats.models.letters.alphabet import Alphabet
from layerstats.models.letters.decoding import check_frames


@dataclass(frozen=True, eq=False)
class LetterAlignment:
    """The likeliest path of a text through the frames.

    Parameters
    ----------
    labels : array (label,)
        What `Alphabet.encode` gives for the text.
    first_frame, stop_frame : array (label,)
        The first frame of each label, and the one after its last.
    log_probability : float
        Of this path alone.
    """

    labels: np.ndarray = field(repr=False)
    first_frame: np.ndarray = field(repr=False)
    stop_frame: np.ndarray = field(repr=False)
    log_probability: float


def align(log_probabilities: np.ndarray, text: str, alphabet: Alphabet) -> LetterAlignment:
    """Find the frames of each letter of a known text: the likeliest of all paths that read it (Viterbi).

    Parameters
    ----------
    log_probabilities : array (frame, letter)
        Log-probabilities of a network.
    text : str
        What is said.
    alphabet : Alphabet
        What the letters are.

    Raises
    ------
    ArgumentError
        If the array has another shape or holds NaN, the text is empty or has other characters, or there are too few
        frames for it.

    Examples
    --------
    >>> frames = np.log(np.full((4, 29), 0.01))
    >>> frames[[0, 1, 2, 3], [3, 3, 0, 4]] = 0.0
    >>> aligned = align(frames, "ab", Alphabet())
    >>> aligned.first_frame.tolist(), aligned.stop_frame.tolist(), aligned.log_probability
    ([0, 3], [2, 4], 0.0)
    """
    scores = check_frames(log_probabilities, alphabet).astype(np.float64)
    labels = alphabet.encode(text)
    if len(labels) == 0:
        raise ArgumentError("There is nothing to align: the text is empty.")
    # A blank must stand between two labels that are the same.
    least = len(labels) + int((labels[1:] == labels[:-1]).sum())
    if len(scores) < least:
        raise ArgumentError(f"The text {text[:60]!r} needs at least {least} frames, but there are {len(scores)}.")
    # States: a blank, label 0, a blank, label 1, ..., a blank.
    states = np.full(2 * len(labels) + 1, alphabet.blank)
    states[1::2] = labels
    path, log_probability = _best_path(scores[:, states], _may_skip(states, alphabet.blank))
    if not np.isfinite(log_probability):
        raise ArgumentError(f"The network gives the text {text[:60]!r} the probability 0.")
    said = [np.flatnonzero(path == 2 * index + 1) for index in range(len(labels))]
    first = np.array([frames[0] for frames in said])
    stop = np.array([frames[-1] + 1 for frames in said])
    return LetterAlignment(labels, first, stop, log_probability)


def _may_skip(states: np.ndarray, blank: int) -> np.ndarray:
    """Whether a state may follow the one before its blank: a label that differs from the last."""
    skip = np.zeros(len(states), dtype=bool)
    skip[2:] = (states[2:] != blank) & (states[2:] != states[:-2])
    return skip


def _best_path(scores: np.ndarray, may_skip: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the state of each frame on the best path through scores (frame, state), and its score."""
    frames, states = scores.shape
    steps = np.zeros((frames, states), dtype=np.int8)
    reached = np.full(states, -np.inf)
    reached[:2] = scores[0, :2]
    columns = np.arange(states)
    for frame in range(1, frames):
        # From the same state, the one before, or the one before that.
        ways = np.full((3, states), -np.inf)
        ways[0] = reached
        ways[1, 1:] = reached[:-1]
        ways[2, 2:] = np.where(may_skip[2:], reached[:-2], -np.inf)
        steps[frame] = ways.argmax(axis=0)
        reached = ways[steps[frame], columns] + scores[frame]
    path = np.empty(frames, dtype=np.int64)
    path[-1] = states - 1 if reached[-1] >= reached[-2] else states - 2
    for frame in range(frames - 1, 0, -1):
        path[frame - 1] = path[frame] - steps[frame, path[frame]]
    return path, float(reached[path[-1]])
