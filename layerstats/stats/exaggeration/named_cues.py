"""The cues that a phonetician names for each word, written down as data before any network was looked at."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.exaggeration.mel_measures import BANDS, DURATION, GRAVITY, LEVEL

CUES_FILE = Path(__file__).with_name("cues.toml")


@dataclass(frozen=True)
class Cue:
    """A cue of a word, and which way a speaker who speaks clearly exaggerates it.

    Parameters
    ----------
    word, cue
        The word, and what is heard and where.
    measure
        "centre of gravity", "level", a band such as "F2 band", or "duration".
    direction
        "higher" or "lower".
    reason
        Why.
    start, end
        The share of the stretch of speech in which it is measured.
    relative
        Of a band: less the level of the whole frame.

    Raises
    ------
    ArgumentError
        There is no such measure or direction, or the share is none.
    """

    word: str
    cue: str
    measure: str
    direction: Literal["higher", "lower"]
    reason: str = ""
    start: float = 0.0
    end: float = 1.0
    relative: bool = True

    def __post_init__(self) -> None:
        check_choice("measure", self.measure, (LEVEL, *BANDS, GRAVITY, DURATION))
        check_choice("direction", self.direction, ("higher", "lower"))
        if not 0 <= self.start < self.end <= 1:
            raise ArgumentError(
                f"The cue {self.cue!r} of {self.word!r} must be measured from a 'start' to an 'end' between 0 and 1, "
                f"but got {self.start!r} to {self.end!r}."
            )

    @property
    def sign(self) -> float:
        """1 where exaggeration is upwards, else -1."""
        return 1.0 if self.direction == "higher" else -1.0


def read_cues(path: str | Path = CUES_FILE, words: Collection[str] | None = None) -> tuple[Cue, ...]:
    """Read cues from a TOML file, by default those of the 35 words of Speech Commands.

    Parameters
    ----------
    path
        A file of tables ``[[cues]]`` with the parameters of `Cue`.
    words
        Words to keep; all by default.

    Raises
    ------
    DataError
        The file is no such file.
    ArgumentError
        A cue is out of range.

    Examples
    --------
    >>> [(cue.cue, cue.measure, cue.direction) for cue in read_cues(words=["six"])]
    [('initial [s]', 'centre of gravity', 'higher'), ('final [s]', 'centre of gravity', 'higher')]
    """
    try:
        tables = tomllib.loads(Path(path).read_text(encoding="utf-8"))["cues"]
        known = {field.name for field in fields(Cue)}
        strange = sorted({name for table in tables for name in table} - known)
        if strange:
            raise DataError(f"{path} names {strange[0]!r} of a cue; a cue has {', '.join(sorted(known))}.")
        cues = tuple(Cue(**table) for table in tables)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is no file of cues, tables [[cues]] of word, cue, measure, direction: {error}"
        ) from error
    return tuple(cue for cue in cues if words is None or cue.word in words)
