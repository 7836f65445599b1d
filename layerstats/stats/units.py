"""What a test of levels counts: speakers or tokens, not the points in time of their series."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

# With fewer the joint test finds too much: in 8 to 10 of 100 data sets without a difference by six speakers.
ENOUGH = 10


@dataclass(frozen=True)
class Units:
    """Independent units of evidence about the difference between groups.

    Attributes
    ----------
    kind
        "speakers", or "tokens" where a result is about the speakers of the data alone.
    count
        How many there are.
    spent
        What is taken off for degrees of freedom: one where units are heard in several groups, so that differences
        within units are compared; the number of groups where each is heard in one.
    """

    kind: str
    count: int
    spent: int

    @property
    def freedom(self) -> int:
        """Degrees of freedom of a t test of levels; one, as wide as t distributions go, where nothing is left."""
        return max(self.count - self.spent, 1)

    def __str__(self) -> str:
        """Say how degrees of freedom are counted, for instance "16 speakers, less one"."""
        return f"{self.count} {self.kind}, less {'one' if self.spent == 1 else f'one for each of {self.spent} groups'}"

    @property
    def note(self) -> str:
        """A warning where there are too few speakers for the joint test, else nothing.

        With tokens as units it errs no more often: .045 with twelve (400 data sets without a difference).
        """
        if self.kind != "speakers" or self.freedom + 1 >= ENOUGH:
            return ""
        return (
            f"with {self.count} {self.kind} the joint test finds somewhat too much: see the level, or permute whole "
            f"{self.kind} (permutation_test(..., exchange='{self.kind}'))"
        )


def count_units(groups: np.ndarray, speakers: np.ndarray | None) -> Units:
    """Count the units of a contrast between groups of tokens.

    Tokens of one speaker are no independent evidence of a difference that speakers have in common, whichever term of a
    model takes up what they share: the speaker's smooth, that of the speaker's version of a group, or, where a speaker
    says each group once, the token's own. ``docs/calibration.md`` has what becomes of tests that count otherwise.

    Parameters
    ----------
    groups
        (token,) the group of each token.
    speakers
        (token,) its speaker, or None where tokens themselves are the units.

    Examples
    --------
    >>> groups = np.array(["s", "sh"] * 6)
    >>> str(count_units(groups, np.repeat(np.arange(6), 2)))
    '6 speakers, less one'
    >>> str(count_units(groups, np.arange(12)))
    '12 speakers, less one for each of 2 groups'
    >>> str(count_units(groups, None))
    '12 tokens, less one for each of 2 groups'
    """
    number = len(np.unique(groups))
    if speakers is None:
        return Units("tokens", len(groups), number)
    names = np.unique(speakers)
    several = np.mean([len(np.unique(groups[speakers == name])) > 1 for name in names])
    return Units("speakers", len(names), 1 if several >= 0.5 else number)


def describe_units(units: Iterable[Units]) -> str:
    """Say how the tests of a table count, which differs between layers where series are too short at some.

    Examples
    --------
    >>> describe_units([Units("speakers", 16, 1), Units("speakers", 16, 1), Units("speakers", 9, 1)])
    '16 speakers, less one, or 9 speakers, less one'
    """
    return ", or ".join(dict.fromkeys(map(str, units)))
