"""What the outputs of a network that reads letters stand for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError

BLANK = "_"
_CTC = (BLANK, " ", "'", *ascii_lowercase)
# A letter that is said once more, and twice more.
_REPETITIONS = ("2", "3")
ALPHABETS: dict[str, tuple[str, ...]] = {"ctc": _CTC, "repetition": (*_CTC, *_REPETITIONS)}


@dataclass(frozen=True)
class Alphabet:
    """Letters by their number among a network's outputs.

    Parameters
    ----------
    kind : {"ctc", "repetition"}, default "ctc"
        "ctc": blank, space, apostrophe and a to z (Graves et al. 2006). "repetition": besides, "2" and "3" stand after
        a letter that comes twice or three times, so that no blank must part it from itself: "hello" is "hel2o"
        (Collobert et al. 2016, section 3.2).

    Raises
    ------
    ArgumentError
        If there is no such kind.

    Examples
    --------
    >>> alphabet = Alphabet()
    >>> len(alphabet.letters), alphabet.letters[alphabet.blank], alphabet.encode("it's").tolist()
    (29, '_', [11, 22, 2, 21])
    >>> repetition = Alphabet("repetition")
    >>> [repetition.letters[index] for index in repetition.encode("all")]
    ['a', 'l', '2']
    """

    kind: str = "ctc"

    def __post_init__(self) -> None:
        check_choice("alphabet", self.kind, ALPHABETS)

    @property
    def letters(self) -> tuple[str, ...]:
        """What each output stands for; the blank is written "_"."""
        return ALPHABETS[self.kind]

    @property
    def blank(self) -> int:
        """Number of the output that stands for no letter."""
        return self.letters.index(BLANK)

    def encode(self, text: str) -> np.ndarray:
        """Return the numbers (label,) of a text: what CTC is trained towards.

        Raises
        ------
        ArgumentError
            If it is no text, or has other characters than a to z, apostrophe and space.
        """
        if not isinstance(text, str):
            raise ArgumentError(f"Texts are strings of letters, but got {text!r}. Leave out what has no transcript.")
        known = _CTC[1:]
        strange = sorted({letter for letter in text if letter not in known})
        if strange:
            raise ArgumentError(
                f"Texts are lower-case letters a to z, apostrophes and spaces, but {text[:60]!r} has "
                f"{', '.join(map(repr, strange))}."
            )
        symbols = "".join(map(_with_signs, _runs(text))) if self.kind == "repetition" else text
        return np.array([self.letters.index(symbol) for symbol in symbols], dtype=np.int64)

    def decode(self, labels: Iterable[int]) -> str:
        """Return the text of labels, as `encode` gives them; a sign of repetition after no letter is nothing."""
        text: list[str] = []
        before = ""
        for label in labels:
            symbol = self.letters[label]
            if symbol in _REPETITIONS:
                text.append(before * (int(symbol) - 1))
            elif symbol != BLANK:
                text.append(symbol)
                before = symbol
        return "".join(text)

    def collapse(self, frames: Iterable[int]) -> np.ndarray:
        """Return the labels of a path (frame,): runs of a label once, without blanks (Graves et al. 2006, Eq. 3).

        Examples
        --------
        >>> alphabet = Alphabet()
        >>> alphabet.decode(alphabet.collapse([10, 10, 0, 7, 14, 14, 0, 14, 17]))
        'hello'
        """
        labels = [label for label, _ in itertools.groupby(frames) if label != self.blank]
        return np.array(labels, dtype=np.int64)


def _runs(text: str) -> list[str]:
    return ["".join(run) for _, run in itertools.groupby(text)]


def _with_signs(run: str) -> str:
    """Write a run of one letter with signs of repetition, three at a time."""
    longest = len(_REPETITIONS) + 1
    pieces = [min(longest, len(run) - begin) for begin in range(0, len(run), longest)]
    return "".join(run[0] + (_REPETITIONS[count - 2] if count > 1 else "") for count in pieces)
