"""What a rule for cleaning is, and what it may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import pandas as pd

# "known answers": catch and reference trials, whose right answer is known before anyone listens. "conduct": all rows,
# but nothing of what was answered. "outcome": everything, also what the test is about.
Sees = Literal["known answers", "conduct", "outcome"]
KNOWN_ROLES = ("catch", "reference")
ANSWERED = ("rating", "response")
RATER_COLUMNS = ("rater", "trials", "value", "limit", "removed")


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a rule says.

    Attributes
    ----------
    raters
        A row a rater that it could judge: `rater`; `trials`, rows that it was judged on; `value`, what was measured;
        `limit`, what it was held against; `removed`, whether the rule removes answers of this rater.
    rows
        (answer,) which of the rows that the rule saw it removes by themselves; None where it removes raters as a whole.
    notes
        What the reader should know, in sentences.
    """

    raters: pd.DataFrame
    rows: np.ndarray | None = None
    notes: tuple[str, ...] = ()


class CleaningRule(Protocol):
    """A rule with its options as fields: fixed before looking, and the same for every table."""

    name: ClassVar[str]
    sees: ClassVar[Sees]

    def verdict(self, seen: pd.DataFrame) -> Verdict:
        """Judge the raters, or the rows, of what the rule may see."""
        ...


def is_right(answers: pd.DataFrame, tolerance: float = 0.0) -> np.ndarray:
    """Return whether each answer is the expected one, (answer,); nothing answered is wrong.

    Parameters
    ----------
    answers : DataFrame
        `expected`, and `rating` (compared as numbers) or `response` (compared as text, whatever the case).
    tolerance : float
        By how much a rating may be off.

    Examples
    --------
    >>> given = pd.DataFrame({"rating": [4, 2, None], "response": [None, None, " Yes"], "expected": ["4", "4", "yes"]})
    >>> is_right(given).tolist(), is_right(given, tolerance=2).tolist()
    ([True, False, True], [True, True, True])
    """
    expected = answers["expected"]
    right = np.zeros(len(answers), dtype=bool)
    if "rating" in answers:
        right |= np.abs(as_numbers(answers["rating"]) - as_numbers(expected)) <= tolerance + 1e-9
    if "response" in answers:
        right |= (as_words(answers["response"]) == as_words(expected)) & answers["response"].notna().to_numpy()
    return right


def as_numbers(values: Iterable[Any]) -> np.ndarray:
    """Return values as floats, NaN where they are no numbers."""
    return np.asarray(pd.to_numeric(pd.Series(values), errors="coerce"), dtype=float)


def as_words(values: Iterable[Any]) -> np.ndarray:
    """Return values as text without blanks around it, in one case."""
    return np.array([str(value).strip().casefold() for value in values], dtype=object)


def judged(found: pd.DataFrame, limit: float) -> pd.DataFrame:
    """Return the frame of a verdict from one with `rater, trials, value, removed`."""
    table = pd.DataFrame(found.assign(limit=float(limit)).loc[:, list(RATER_COLUMNS)])
    return table.astype({"rater": "str", "trials": int, "value": float, "removed": bool}).reset_index(drop=True)


def nobody() -> pd.DataFrame:
    """Return the frame of a verdict that judged nobody."""
    return judged(pd.DataFrame({name: [] for name in RATER_COLUMNS}), 0)
