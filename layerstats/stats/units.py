"""What a test of levels counts: speakers, words or tokens, not the points in time of their series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

# With fewer the joint test finds too much: in 8 to 10 of 100 data sets without a difference by six speakers.
ENOUGH = 10
# What notes say then.
TOO_FEW = "the joint test finds somewhat too much"


@dataclass(frozen=True)
class Units:
    """Independent units of evidence about the difference between groups.

    Attributes
    ----------
    kind
        "speakers"; "words" (or other items) where each is of one group only and there are fewer; or "tokens" where a
        result is about the speakers of the data alone.
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
        """A warning where there are too few speakers or words for the joint test, else nothing.

        With tokens as units it errs no more often: .045 with twelve (400 data sets without a difference).
        """
        if self.kind == "tokens" or self.freedom + 1 >= ENOUGH:
            return ""
        found = f"with {self.count} {self.kind} {TOO_FEW}: see the level"
        if self.kind != "speakers":
            return found
        return f"{found}, or permute whole {self.kind} (permutation_test(..., exchange='{self.kind}'))"


def count_units(
    groups: np.ndarray, speakers: np.ndarray | None, items: Mapping[str, np.ndarray] | None = None
) -> Units:
    """Count the units of a contrast between groups of tokens.

    Tokens of one speaker are no independent evidence of a difference that speakers have in common, whichever term of a
    model takes up what they share: the speaker's smooth, that of the speaker's version of a group, or, where a speaker
    says each group once, the token's own. ``docs/statistics/calibration.md`` has what becomes of tests that count
    otherwise.

    Parameters
    ----------
    groups
        (token,) the group of each token.
    speakers
        (token,) its speaker, or None where tokens themselves are the units.
    items
        By name, in the plural, (token,) what else tokens have in common and the model takes for a sample, such as their
        words. Where each is of one group (frequent words, rare words), a difference between groups is one between them,
        too, and whatever there is less of counts.

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
        units = [Units("tokens", len(groups), number)]
    else:
        units = [Units("speakers", len(np.unique(speakers)), number if within_groups(speakers, groups) else 1)]
    nested = {kind: which for kind, which in (items or {}).items() if within_groups(which, groups)}
    units += [Units(kind, len(np.unique(which)), number) for kind, which in nested.items()]
    return min(units, key=lambda one: one.freedom)


def within_groups(units: np.ndarray, groups: np.ndarray) -> bool:
    """Return whether most units are heard in one group only, as speakers are of one sex.

    Examples
    --------
    >>> within_groups(np.array(["p1", "p1", "p2", "p2"]), np.array(["f", "f", "m", "m"]))
    True
    >>> within_groups(np.array(["p1", "p1", "p2", "p2"]), np.array(["s", "sh", "s", "sh"]))
    False
    """
    several = np.mean([len(np.unique(groups[units == name])) > 1 for name in np.unique(units)])
    return bool(several < 0.5)


def count_interaction_units(
    first: np.ndarray,
    second: np.ndarray,
    speakers: np.ndarray | None,
    items: Mapping[str, np.ndarray] | None = None,
) -> Units:
    """Count the units of a contrast of contrasts: how the difference between two groups differs between two others.

    Speakers heard in all four cells each have a difference of differences: one is taken off. Speakers heard in two (one
    of the contrasts is within speakers, the other between them) each have a difference, and these are compared between
    two kinds of speakers. Speakers heard in one cell have a level, and there are four kinds of them. What most speakers
    are heard in decides.

    Parameters
    ----------
    first, second
        (token,) the groups of each token in the two contrasts.
    speakers
        (token,) its speaker, or None where tokens themselves are the units.
    items
        As for `count_units`. They count where most are not heard in all four cells.

    Examples
    --------
    >>> phones, sexes = np.array(["s", "sh"] * 12), np.repeat(["f", "m"], 12)
    >>> str(count_interaction_units(phones, sexes, np.repeat(np.arange(12), 2)))
    '12 speakers, less one for each of 2 groups'
    >>> str(count_interaction_units(phones, sexes, np.tile(np.repeat(np.arange(6), 2), 2)))
    '6 speakers, less one'
    """
    cells = np.array([f"{one}\0{other}" for one, other in zip(first, second, strict=True)])

    def spent(of: np.ndarray) -> int:
        heard = np.array([len(np.unique(cells[of == name])) for name in np.unique(of)])
        return 1 if np.mean(heard == 4) >= 0.5 else 2 if np.mean(heard > 1) >= 0.5 else 4

    if speakers is None:
        units = [Units("tokens", len(cells), len(np.unique(cells)))]
    else:
        units = [Units("speakers", len(np.unique(speakers)), spent(speakers))]
    others = [Units(kind, len(np.unique(which)), spent(which)) for kind, which in (items or {}).items()]
    units += [one for one in others if one.spent > 1]
    return min(units, key=lambda one: one.freedom)


def describe_units(units: Iterable[Units]) -> str:
    """Say how the tests of a table count, which differs between layers where series are too short at some.

    Examples
    --------
    >>> describe_units([Units("speakers", 16, 1), Units("speakers", 16, 1), Units("speakers", 9, 1)])
    '16 speakers, less one, or 9 speakers, less one'
    """
    return ", or ".join(dict.fromkeys(map(str, units)))
