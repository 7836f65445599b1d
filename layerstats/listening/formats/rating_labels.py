"""Ratings as files have them: numbers, labels, or both in one cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

# The five points of absolute category rating (ITU-T P.800).
CATEGORY_LABELS = {"bad": 1.0, "poor": 2.0, "fair": 3.0, "good": 4.0, "excellent": 5.0}
# A number, alone or before its label: "4", " 3 ", "4 - Good", "5: Excellent", "4.5".
_NUMBER_FIRST = re.compile(r"\s*([+-]?\d+(?:[.,]\d+)?)\s*(?:$|[-\u2013\u2014:.)|(]\s*\D|\s[A-Za-z(])")
# A label with its number in brackets: "Good (4)".
_NUMBER_LAST = re.compile(r".*\(\s*([+-]?\d+(?:[.,]\d+)?)\s*\)\s*$", re.DOTALL)
# What stands before the explanation: "Good - Mostly natural speech".
_BEFORE_EXPLANATION = re.compile(r"\s*([^-\u2013\u2014:(]+?)\s*(?:[-\u2013\u2014:(]|$)")


def ratings_of(answers: Iterable[str], labels: Mapping[str, float]) -> tuple[np.ndarray, dict[str, float]]:
    """Return ratings, and which labels were read as which.

    Parameters
    ----------
    answers : iterable of str
        One an answer.
    labels : mapping
        Ratings by label, which go before numbers.

    Returns
    -------
    ratings : ndarray (answer,)
        NaN where an answer is no rating.
    read : dict
        The labels without a number that were read, and as what.

    Examples
    --------
    >>> ratings_of(["4 - Good", "Fair", " 3 ", "n/a"], {})
    (array([ 4.,  3.,  3., nan]), {'Fair': 3.0})
    """
    declared = {label.strip().casefold(): value for label, value in labels.items()}
    read: dict[str, float] = {}
    known: dict[str, float] = {}
    given = list(answers)
    for answer in dict.fromkeys(given):
        known[answer], by_label = _rating(answer, declared)
        if by_label:
            read[answer.strip()] = known[answer]
    return np.array([known[answer] for answer in given], dtype=float), read


def _rating(answer: str, declared: Mapping[str, float]) -> tuple[float, bool]:
    plain = answer.strip().casefold()
    if plain in declared:
        return declared[plain], True
    for pattern in (_NUMBER_FIRST, _NUMBER_LAST):
        match = pattern.match(answer)
        if match:
            return float(match[1].replace(",", ".")), False
    match = _BEFORE_EXPLANATION.match(plain)
    label = match[1] if match else plain
    for known in (declared, CATEGORY_LABELS):
        if label in known:
            return known[label], True
    return np.nan, False
