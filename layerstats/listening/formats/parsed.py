"""What a format makes of a file, before answers are checked; all formats share the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from layerstats.listening.formats.mapping import ColumnMapping

_SOUND = re.compile(r"\.(?:wav|mp3|flac|ogg|oga|opus|m4a|aac|webm|aiff?|au|nist|sph)\b", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Declared:
    """What whoever reads the files says of them.

    Attributes
    ----------
    mapping
        Which column holds what.
    scale
        Lowest and highest rating.
    task
        What was asked.
    alternatives
        What could be chosen, in the order of the buttons.
    """

    mapping: ColumnMapping
    scale: tuple[int, int] | None = None
    task: str | None = None
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Parsed:
    """The answers of one file.

    Attributes
    ----------
    frame
        A row an answer, as text: `rater, clip, source_row`, and `rating`, `response` or (where the format does not tell
        which) `answer`; where known `task`, `role`, `expected`, `session`, `position`, `seconds`, `comment`, columns of
        the clips' own, and `key`: the same in rows that are the same answer.
    problems
        Rows that hold no answer: `source_row, problem, value`, and `rater` and `clip` where known.
    task, scale
        What the format says of all of its answers.
    notes
        What was recognised or left out.
    """

    frame: pd.DataFrame
    problems: list[dict[str, Any]] = field(default_factory=list)
    task: str | None = None
    scale: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()


def is_sound(cells: Iterable[str]) -> bool:
    """Whether all cells of a column that hold anything name sound files.

    Examples
    --------
    >>> is_sound(["https://a.org/x.wav?version=2", ""]), is_sound(["x"])
    (True, False)
    """
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and all(_SOUND.search(cell) for cell in filled)


def scaled_seconds(cells: Iterable[str], per_second: float = 1) -> np.ndarray:
    """Return times as numbers in seconds; NaN where there is none."""
    return numbers_of(cells) / per_second


def numbers_of(cells: Iterable[str]) -> np.ndarray:
    """Return numbers that stand as text; NaN where there is none."""
    texts = pd.Series([cell.strip() for cell in cells], dtype=object)
    return np.asarray(pd.to_numeric(texts, errors="coerce"), dtype=float)


def first_of(columns: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """Return the first of some names, without regard to case, among columns by their lower-case names."""
    return next((columns[name.lower()] for name in names if name.lower() in columns), None)


def lower_names(frame: pd.DataFrame) -> dict[str, str]:
    """Return columns by their lower-case names."""
    return {str(name).lower(): str(name) for name in frame.columns}
