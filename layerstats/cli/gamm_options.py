"""The options of `layerstats gamm` as values."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from layerstats.errors import ArgumentError

if TYPE_CHECKING:
    from layerstats.stats.gamm import FitRequest

LevelPair = tuple[str, str, str]
_POINTS = 100


def read_rho(text: str | None) -> str | float | None:
    """Return what ``--rho`` means."""
    if text is None or text in ("auto", "reml"):
        return text
    try:
        return float(text)
    except ValueError:
        raise ArgumentError(
            f"Invalid value for --rho. It must be a number, 'auto' or 'reml', but got {text!r}."
        ) from None


def read_names(text: str | None) -> list[str] | None:
    """Return names that are separated by commas; quotes protect a comma inside of one."""
    return None if text is None else [cell.strip() for cell in next(csv.reader([text], skipinitialspace=True), [])]


def read_factor(text: str) -> tuple[str, list[str] | None]:
    """Return the column and the levels of ``--factor``."""
    column, equals, levels = text.partition("=")
    if not column or (equals and not levels):
        raise ArgumentError(f"Invalid value for --factor. Write COL=level,level,..., but got {text!r}.")
    return column.strip(), read_names(levels) if levels else None


def read_knots(text: str) -> tuple[str, list[float]]:
    """Return the column and the places of ``--knots``."""
    column, _, places = text.partition("=")
    try:
        numbers = [float(place) for place in places.split(",")]
    except ValueError:
        numbers = []
    if not column or not numbers:
        raise ArgumentError(f"Invalid value for --knots. Write COL=number,number,..., but got {text!r}.")
    return column.strip(), numbers


def read_ordered(text: str) -> tuple[str, tuple[str, str]]:
    """Return the new column, its source and its reference of ``--ordered``."""
    name, _, rest = text.partition("=")
    column, _, reference = rest.partition(":")
    if not (name and column and reference):
        raise ArgumentError(f"Invalid value for --ordered. Write NEW=COL:reference, but got {text!r}.")
    return name.strip(), (column.strip(), reference.strip())


def check_contrast(text: str) -> str:
    """Return ``--difference`` as it is, if it can be read at all."""
    column, _, levels = text.partition(":")
    level_1, _, level_2 = levels.partition(",")
    if not (column and level_1 and level_2):
        raise ArgumentError(f"Invalid value for --difference. Write COL:a,b, but got {text!r}.")
    return text


def read_contrast(text: str, levels: Mapping[str, Sequence[str]], numbers: Collection[str] = ()) -> LevelPair:
    """Return the column and the two levels of ``--difference``, by the levels that there are.

    Names may hold colons and commas: the levels of the model say where one ends. `numbers` are its other columns.

    Raises
    ------
    ArgumentError
        There is no such factor or level; near ones are named.
    """
    columns = [text[:place].strip() for place, sign in enumerate(text) if sign == ":"]
    column = next((name for name in columns if name in levels), None)
    number = next((name for name in columns if name in numbers), None)
    if column is None and number is not None:
        raise ArgumentError(
            f"{number!r} in --difference {text!r} holds numbers in this model, and so has no levels. --factor {number} "
            "makes a factor of it."
        )
    if column is None:
        raise ArgumentError(
            f"Invalid column {columns[0]!r} in --difference {text!r}.{_near(columns[0], levels)} The factors of the "
            f"model are {', '.join(map(repr, levels)) or 'none'}."
        )
    rest = text[text.index(":", text.index(column) + len(column)) + 1 :]
    pairs = [(rest[:place], rest[place + 1 :]) for place, sign in enumerate(rest) if sign == ","]
    pairs = [(_bare(first), _bare(second)) for first, second in pairs]
    for pair in pairs:
        if set(pair) <= set(levels[column]):
            return column, *pair
    bad = next(level for level in pairs[0] if level not in levels[column])
    raise ArgumentError(
        f"Invalid level {bad!r} of {column!r} in --difference {text!r}.{_near(bad, levels[column])} Its levels are "
        f"{', '.join(map(repr, levels[column][:30]))}."
    )


def read_places(request: FitRequest, along: str | None, at: Sequence[str]) -> dict[str, object] | None:
    """Return where a difference is taken: a grid of the column ``--along``, single values of others ``--at``."""
    import numpy as np
    import pandas as pd

    frame = request.frame
    places: dict[str, object] = {}
    for text in at:
        column, equals, value = text.partition("=")
        if not (column and equals and value):
            raise ArgumentError(f"Invalid value for --at. Write COL=value, but got {text!r}.")
        places[column] = value
        if column in frame and not isinstance(frame[column].dtype, pd.CategoricalDtype):
            try:
                places[column] = float(value)
            except ValueError:
                raise ArgumentError(f"Invalid value for --at: {column!r} holds numbers, but got {value!r}.") from None
    if along is not None:
        columns = list(map(str, frame.columns))
        if along not in columns:
            raise ArgumentError(
                f"Invalid column {along!r} for --along.{_near(along, columns)} The columns of the model are "
                f"{', '.join(map(repr, columns))}."
            )
        if isinstance(frame[along].dtype, pd.CategoricalDtype):
            raise ArgumentError(f"Invalid column for --along: {along!r} is a factor, and curves run along numbers.")
        places[along] = np.linspace(frame[along].min(), frame[along].max(), _POINTS)
    return places or None


def _bare(level: str) -> str:
    level = level.strip()
    return level[1:-1] if len(level) > 1 and level[0] == level[-1] == '"' else level


def _near(name: str, names: Mapping[str, object] | Sequence[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=2)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
