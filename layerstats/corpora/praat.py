"""Praat's TextGrid files: what tiers of labels they hold."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from layerstats.corpora.folders import composed, read_text
from layerstats.errors import CorpusError

# As Praat reads them, long and short files alike: quoted texts, numbers and flags that stand free, in an order that is
# known; all else is for people. Praatio reads by the words of the long form instead, and loses whole tiers without an
# error where these have no spaces beside "=". Here "=" stands like a space.
_PART = re.compile(r'"(?P<text>(?:[^"]|"")*)"|![^\n]*|(?P<flag><[^<>\s]*>)|(?P<word>[^\s"=]+)')
# What follows the number in the same word is not read; a comma is the decimal point of some countries.
_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_ZERO_WIDTH = dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))
# Praat cannot make intervals that overlap; other programs round.
_ROUNDING_S = 1e-4
_MEND_TIMES = "Mend its times, or take it out."


@dataclass(frozen=True)
class Interval:
    """A labelled stretch of time, in seconds."""

    start_s: float
    stop_s: float
    text: str


@dataclass(frozen=True)
class Tier:
    """A tier of intervals in temporal order; `intervals` is None for a tier of points."""

    name: str
    intervals: tuple[Interval, ...] | None


@dataclass(frozen=True)
class TextGrid:
    """The tiers of a file, the time in seconds that they span, and how the file was encoded."""

    path: Path
    start_s: float
    stop_s: float
    tiers: tuple[Tier, ...]
    encoding: str


def read_textgrid(path: Path) -> TextGrid:
    """Read a TextGrid that was saved as text, long or short, in any encoding.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    TextGrid
        Labels without line breaks and characters of no width, in Unicode's composed form. Intervals without a label are
        kept.

    Raises
    ------
    CorpusError
        If the file is no TextGrid, breaks off, or has intervals that end before they start or overlap.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.TextGrid"
    >>> short = '"ooTextFile" "TextGrid" 0 1 <exists> 1 "IntervalTier" "words" 0 1 2 0 0.4 "ask" 0.4 1 ""'
    >>> _ = file.write_text(short)
    >>> [interval.text for interval in read_textgrid(file).tiers[0].intervals]
    ['ask', '']
    """
    text, encoding = read_text(path)
    parts = _Parts(path, text)
    if text.startswith("ooBinaryFile"):
        raise parts.fault("it is a binary file")
    if not parts.next_text("the kind of file").startswith("ooTextFile") or parts.next_text("a class") != "TextGrid":
        raise parts.fault("it is not a TextGrid")
    start, stop = parts.next_number("the start"), parts.next_number("the end")
    tiers = []
    if parts.next_flag() == "<exists>":
        tiers = [_read_tier(parts) for _ in range(parts.next_count("the number of tiers"))]
    parts.check_end()
    return TextGrid(path, start, stop, tuple(tiers), encoding)


def _read_tier(parts: _Parts) -> Tier:
    kind = parts.next_text("the class of a tier")
    if kind not in ("IntervalTier", "TextTier"):
        raise parts.fault(f"a tier is of the unknown class {kind!r}")
    name = clean_label(parts.next_text("the name of a tier"))
    for what in ("the start of a tier", "the end of a tier"):
        parts.next_number(what)
    count = parts.next_count(f"the number of labels of the tier {name!r}")
    time, label = f"a time of the tier {name!r}", f"a label of the tier {name!r}"
    if kind == "TextTier":
        for _ in range(count):
            parts.next_number(time)
            parts.next_text(label)
        return Tier(name, None)
    found = [
        Interval(parts.next_number(time), parts.next_number(time), clean_label(parts.next_text(label)))
        for _ in range(count)
    ]
    return Tier(name, _in_order(parts, name, found))


def _in_order(parts: _Parts, tier: str, intervals: list[Interval]) -> tuple[Interval, ...]:
    for interval in intervals:
        if interval.stop_s < interval.start_s or (interval.stop_s == interval.start_s and interval.text):
            raise parts.fault(
                f"the interval {interval.text!r} of the tier {tier!r} starts at {interval.start_s:g} s and does not "
                f"end after that, but at {interval.stop_s:g} s",
                _MEND_TIMES,
            )
    found = sorted((one for one in intervals if one.stop_s > one.start_s), key=lambda one: one.start_s)
    for one, following in pairwise(found):
        if one.stop_s > following.start_s + _ROUNDING_S:
            raise parts.fault(
                f"intervals of the tier {tier!r} overlap: {one.text!r} ends at {one.stop_s:g} s, after "
                f"{following.text!r} has started at {following.start_s:g} s",
                _MEND_TIMES,
            )
    return tuple(found)


def clean_label(text: str) -> str:
    """Return text without line breaks, control characters and characters of no width, in Unicode's composed form.

    Examples
    --------
    >>> clean_label(" as\\nk\\u200b ")
    'as k'
    """
    plain = "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in text.translate(_ZERO_WIDTH))
    return composed(" ".join(plain.split()))


class _Parts:
    """The texts, numbers and flags of a file, one after another."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._parts = self._read(text)

    @staticmethod
    def _read(text: str) -> Iterator[str | float | tuple[str]]:
        """Return texts as str, numbers as float, flags as a tuple of one."""
        for part in _PART.finditer(text):
            if part.lastgroup == "text":
                yield part["text"].replace('""', '"')
            elif part.lastgroup == "flag":
                yield (part["flag"],)
            elif part.lastgroup == "word":
                number = _NUMBER.match(part["word"])
                if number:
                    yield float(number[0].replace(",", "."))

    def fault(
        self, what: str, advice: str = "Open it in Praat and save it as a text file, or take it out."
    ) -> CorpusError:
        return CorpusError(f"Cannot read the TextGrid {self._path}: {what}. {advice}")

    def _next(self, kind: type, what: str) -> object:
        part = next(self._parts, None)
        if part is None:
            raise self.fault(f"it breaks off before {what}")
        if not isinstance(part, kind):
            shown = str(part[0] if isinstance(part, tuple) else part)[:60]
            raise self.fault(f"where {what} should be there is {shown!r}")
        return part

    def next_text(self, what: str) -> str:
        return str(self._next(str, what))

    def next_flag(self) -> str:
        flag = self._next(tuple, "<exists>")
        return str(flag[0])  # type: ignore[index]

    def next_number(self, what: str) -> float:
        number = float(self._next(float, what))  # type: ignore[arg-type]
        if not math.isfinite(number):
            raise self.fault(f"{what} has the number {number}")
        return number

    def next_count(self, what: str) -> int:
        number = self.next_number(what)
        if number < 0 or number != int(number):
            raise self.fault(f"{what} is {number:g}")
        return int(number)

    def check_end(self) -> None:
        if next(self._parts, None) is not None:
            raise self.fault("more labels follow than it says")
