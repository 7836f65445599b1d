"""Results of Praat's listening experiments: a ResultsMFC, or the table that several are collected into."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import DataError
from layerstats.listening.formats.parsed import Declared, Parsed, scaled_seconds
from layerstats.listening.formats.praat_text import praat_tokens
from layerstats.listening.formats.source import Source

_CLASS = "ResultsMFC"
_TABLE = ("subject", "stimulus", "response")
# Sounds of a pair, or of an ABX triple, as `write_praat` names them.
_PAIR = re.compile(r"^(?P<name>.+)_(?P<first>[ab]),(?P=name)_(?P<second>[ab])(?:,(?P=name)_x)?$")
# Praat writes what a button showed after the name of the stimulus.
_SHOWN = "|"


def is_praat(source: Source) -> bool:
    """Whether a file is of Praat."""
    head = source.text[:200]
    if "ooTextFile" in head:
        return _CLASS in source.text[:2000] or '"Table"' in head
    return source.header[:3] == _TABLE


def parse_praat(source: Source, declared: Declared) -> Parsed:
    """Take the trials of a file of Praat.

    Raises
    ------
    DataError
        It breaks off, or holds something else.
    """
    problems: list[dict[str, Any]] = []
    if "ooTextFile" in source.text[:200]:
        cells = pd.DataFrame(_trials(source), dtype=str)
        cells.index = pd.RangeIndex(1, 1 + len(cells))
    else:
        cells, problems = source.sheet.cells(source.name)
    check_columns(cells, _TABLE, repr(source.name))
    # Tab-separated files of Praat have a question mark in an empty cell.
    cells = cells.map(lambda cell: "" if cell.strip() == "?" else cell)
    stimulus = cells["stimulus"].str.partition(_SHOWN)
    cells = cells.assign(stimulus=stimulus[0], shown=stimulus[2])
    defaults = {"rater": "subject", "clip": "stimulus", "answer": "response"}
    for name, column in (("goodness", "goodness"), ("seconds", "reactionTime"), ("shown", "shown")):
        if column in cells:
            # Zero is what Praat writes where nothing was measured.
            cells[column] = cells[column].mask(cells[column].isin(["0", "0.0"]), "")
            if any(cells[column]):
                defaults[name] = column
    frame = declared.mapping.long(cells, defaults, repr(source.name))
    if "seconds" in frame:
        frame["seconds"] = scaled_seconds(frame["seconds"], 1)
    frame = _in_order(frame)
    frame["position"] = (frame.groupby("rater", sort=False).cumcount() + 1).astype(str)
    return Parsed(frame, problems, notes=("Positions are the order of Praat's rows, in which trials were run.",))


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Name a pair by its clip, and what was chosen by its sound, where the sounds of a stimulus say their order."""
    order = frame["clip"].str.extract(_PAIR)
    pair = order["first"].notna()
    if not bool(pair.any()):
        return frame
    chosen = frame["answer"].str.lower().map({"first": "first", "second": "second"})
    side = order["first"].where(chosen == "first", order["second"])
    swapped = order["first"].eq("b").map({True: "True", False: "False"})
    return frame.assign(
        clip=order["name"].where(pair, frame["clip"]),
        answer=side.where(pair & chosen.notna(), frame["answer"]),
        swapped=swapped.where(pair, ""),
    )


def _trials(source: Source) -> list[dict[str, str]]:
    """Return the trials of all results in a text file, each a dictionary of text."""
    tokens = praat_tokens(source.text)
    if "Table" in tokens[1:2]:
        return _table_rows(tokens[2:], source.name)
    stem = re.sub(r"\.(ResultsMFC|txt)$", "", source.path.name, flags=re.IGNORECASE)
    trials: list[dict[str, str]] = []
    starts = [
        place
        for place, token in enumerate(tokens)
        if isinstance(token, str) and re.fullmatch(rf"{_CLASS}( \d+)?", token)
    ]
    if not starts:
        raise DataError(
            f"{source.name!r} holds no {_CLASS}: in Praat, extract the results of the experiment and save these."
        )
    for start in starts:
        version = int(str(tokens[start]).removeprefix(_CLASS).strip() or 0)
        rest = tokens[start + 1 :]
        name = stem
        if rest and isinstance(rest[0], str):
            name, rest = rest[0], rest[1:]
        fields = ("stimulus", "response", "goodness", "reactionTime")[: 2 + min(version, 2)]
        count = _count(rest[:1])
        values = rest[1 : 1 + count * len(fields)]
        kinds = tuple(str if place < 2 else float for place in range(len(fields)))
        whole = all(isinstance(value, kinds[place % len(fields)]) for place, value in enumerate(values))
        if len(values) < count * len(fields) or not whole:
            raise DataError(
                f"{source.name!r} cannot be read as results of Praat: it says {count} trials, and breaks off."
            )
        for place in range(count):
            own = dict(zip(fields, values[place * len(fields) :], strict=False))
            trials.append({"subject": name, **{field: _as_text(value) for field, value in own.items()}})
    return trials


def _table_rows(tokens: Sequence[object], source: str) -> list[dict[str, str]]:
    """Return the rows of a Table that was saved as a text file."""
    width = _count(tokens[:1])
    header = [str(label) for label in tokens[1 : 1 + width]]
    count = _count(tokens[1 + width : 2 + width])
    # Every row says again how many cells it has.
    cells = tokens[2 + width :]
    if not width or not count or len(cells) < count * (1 + width):
        raise DataError(f"{source!r} cannot be read as a table of Praat: it says {count} rows, and breaks off.")
    starts = range(0, count * (1 + width), 1 + width)
    return [dict(zip(header, map(str, cells[start + 1 : start + 1 + width]), strict=True)) for start in starts]


def _count(tokens: Sequence[object]) -> int:
    """Return a number that stands alone; 0 where there is none."""
    return int(tokens[0]) if tokens and isinstance(tokens[0], float) else 0


def _as_text(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:g}"
    return str(value)
