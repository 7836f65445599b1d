"""Which conditions are compared, and within which margin they count as equivalent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.listening.design.design_checks import sides_of

# Of more conditions, those that are compared have to be named.
MOST_CONDITIONS = 6


@dataclass(frozen=True)
class AnswerSettings:
    """What is asked of the answers of listeners.

    Attributes
    ----------
    by
        Column of the conditions.
    contrasts
        Pairs, "a - b"; all pairs of up to six conditions, or those with `reference`, where there are none.
    reference
        Condition that all others are compared with.
    margin
        Difference in mean rating below which conditions count as equivalent; None where that is not asked.
    classes
        Another column, such as the word that was maximized: means by class and condition.
    scale
        Lowest and highest rating there is; that of the answers by default.
    alternatives
        How many answers could be chosen from in identification, which gives chance.
    draws, seed
        Of the bootstrap and of exchanged labels.
    model
        Whether the mixed model of ratings is fitted.
    sensitivity
        Whether claims are tried with another link of the mixed model and with R's, which takes longer; rules for
        cleaning, intervals and methods are tried anyway.

    Examples
    --------
    >>> AnswerSettings(contrasts=("maximized - natural",), margin=0.3).by
    'condition'
    """

    by: str = "condition"
    contrasts: tuple[str, ...] = ()
    reference: str | None = None
    margin: float | None = None
    classes: str | None = None
    scale: tuple[int, int] | None = None
    alternatives: int | None = None
    draws: int = 2000
    seed: int = 0
    model: bool = True
    sensitivity: bool = False

    def __post_init__(self) -> None:
        if self.contrasts and self.reference is not None:
            raise ArgumentError("Either contrasts are named or a reference, but got both.")

    def pairs(self, conditions: Sequence[str]) -> list[tuple[str, str]]:
        """Return what is compared, each minus the second.

        Raises
        ------
        ArgumentError
            A condition is named that nobody rated.

        Examples
        --------
        >>> AnswerSettings(reference="natural").pairs(["natural", "new", "old"])
        [('new', 'natural'), ('old', 'natural')]
        """
        if self.contrasts:
            return [sides_of(contrast, conditions) for contrast in self.contrasts]
        if self.reference is not None:
            check_choice("reference", self.reference, conditions)
            return [(one, self.reference) for one in conditions if one != self.reference]
        if len(conditions) > MOST_CONDITIONS:
            return []
        return list(combinations(conditions, 2))

    def note(self, conditions: Sequence[str]) -> str:
        """Say why nothing is compared, where that is so."""
        if len(conditions) < 2:
            return f"There is one {self.by}, so that nothing is compared."
        if self.pairs(conditions):
            return ""
        return (
            f"There are {len(conditions)} conditions, and no pair of them is compared: name the pairs (contrasts) or a "
            "reference."
        )


def levels(table: pd.DataFrame, column: str) -> list[str]:
    """Return the different values of a column as text, in their order."""
    return sorted(set(table[column].dropna().astype(str)))
