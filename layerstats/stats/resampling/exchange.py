"""Labels exchanged as a null hypothesis allows: within speakers, token by token or for whole speakers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product
from math import factorial, prod
from typing import Literal

import numpy as np

from layerstats.checks import check_choice
from layerstats.errors import DataError

Exchange = Literal["tokens", "speakers"]
EXCHANGES = ("tokens", "speakers")


@dataclass(frozen=True, eq=False)
class Exchanger:
    """Ways to hand out the labels anew.

    Attributes
    ----------
    label_of
        (token,) the labels as they are.
    groups
        Tokens (``exchange="tokens"``) or, for whole speakers, the tokens of each.
    whole
        Whether labels are exchanged for whole speakers.
    between
        Whether speakers exchange labels with each other, because none has two.
    """

    label_of: np.ndarray
    groups: tuple[np.ndarray, ...]
    whole: bool
    between: bool

    @classmethod
    def of(cls, label_of: np.ndarray, speaker_of: np.ndarray, exchange: Exchange = "tokens") -> Exchanger:
        """Find out what can be exchanged.

        Parameters
        ----------
        label_of, speaker_of
            (token,) codes.
        exchange
            ``"tokens"``: under the null hypothesis a speaker's tokens are the same whatever their label, so labels are
            permuted among them. ``"speakers"``: speakers may differ in what they do with a label, only not all in the
            same direction, so that each speaker's labels are renamed as a whole. Labels that are constant within
            speakers are permuted between speakers by both.

        Raises
        ------
        DataError
            Nothing can be exchanged.
        """
        check_choice("exchange", exchange, EXCHANGES)
        groups = tuple(np.flatnonzero(speaker_of == speaker) for speaker in np.unique(speaker_of))
        mixed = [len(np.unique(label_of[group])) > 1 for group in groups]
        if any(mixed):
            return cls(label_of, groups, exchange == "speakers", False)
        if len(np.unique(label_of)) < 2:
            raise DataError("All tokens have the same label: there is nothing to exchange.")
        return cls(label_of, groups, True, True)

    @cached_property
    def _present(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each group its labels, and which of them each token has."""
        return [np.unique(self.label_of[group], return_inverse=True) for group in self.groups]

    def count(self) -> int:
        """Return how many ways there are, the observed one included."""
        if self.between:
            held = np.unique([self.label_of[group[0]] for group in self.groups], return_counts=True)[1]
            return factorial(len(self.groups)) // prod(factorial(int(n)) for n in held)
        if self.whole:
            return prod(factorial(len(np.unique(self.label_of[group]))) for group in self.groups)
        return prod(
            factorial(len(group))
            // prod(factorial(int(n)) for n in np.unique(self.label_of[group], return_counts=True)[1])
            for group in self.groups
        )

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """Return one assignment of labels, (token,)."""
        labels = self.label_of.copy()
        if self.between:
            held = generator.permutation([self.label_of[group[0]] for group in self.groups])
            for group, label in zip(self.groups, held, strict=True):
                labels[group] = label
            return labels
        if self.whole:
            for group, (present, place) in zip(self.groups, self._present, strict=True):
                labels[group] = generator.permutation(present)[place]
            return labels
        for group in self.groups:
            labels[group] = generator.permutation(self.label_of[group])
        return labels

    def every(self) -> Iterator[np.ndarray]:
        """Yield all assignments, the observed one first; only where `count` is small."""
        if self.between:
            held = [int(self.label_of[group[0]]) for group in self.groups]
            for chosen in _arrangements(held):
                labels = self.label_of.copy()
                for group, label in zip(self.groups, chosen, strict=True):
                    labels[group] = label
                yield labels
            return
        options = [self._options(group) for group in self.groups]
        for combination in product(*options):
            labels = self.label_of.copy()
            for group, chosen in zip(self.groups, combination, strict=True):
                labels[group] = chosen
            yield labels

    def _options(self, group: np.ndarray) -> list[np.ndarray]:
        own = self.label_of[group]
        if not self.whole:
            return [np.array(one) for one in _arrangements(list(map(int, own)))]
        present, place = np.unique(own, return_inverse=True)
        return [np.array(order)[place] for order in permutations(present)]


def _arrangements(held: list[int]) -> list[tuple[int, ...]]:
    """Return the different orders of a list with repetitions, the given one first."""
    found: list[tuple[int, ...]] = []

    def extend(done: tuple[int, ...], left: list[int]) -> None:
        if not left:
            found.append(done)
        for value in sorted(set(left)):
            rest = left.copy()
            rest.remove(value)
            extend((*done, value), rest)

    extend((), held)
    first = tuple(held)
    return [first, *(one for one in found if one != first)]
