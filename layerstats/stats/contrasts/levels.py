"""The levels of a contrast: a name and the values it stands for, from one way of writing."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.gamm.data.factors import level_names

_NAMED = re.compile(r"([^()]+)\(([^()]*)\)")
# A column stands before "=", which may also be part of a phone's label, as in "n=:l=" of X-SAMPA.
_COLUMN = re.compile(r"\s*(?P<phones>phones\.)?(?P<column>[^=:,()]+?)\s*=\s*(?=[^\s,:])(?P<levels>.*)", re.DOTALL)
PhoneSet = tuple[str, ...]


@dataclass(frozen=True)
class Level:
    """One side of a contrast.

    Attributes
    ----------
    name
        As tables and models write it.
    members
        The values of the column that it stands for.

    Examples
    --------
    >>> Level("sibilant", ("s", "sh", "z", "zh")).members
    ('s', 'sh', 'z', 'zh')
    """

    name: str
    members: tuple[str, ...]

    @property
    def text(self) -> str:
        """The string that `read_level` reads: ``"p,t,k"``, or ``"voiceless(p,t,k)"``."""
        values = ",".join(self.members)
        return values if values == self.name else f"{self.name}({values})"


def value_name(value: object) -> str:
    """Return a value of a column as contrasts name it: whole numbers without a decimal point.

    Examples
    --------
    >>> value_name(20.0), value_name(True), value_name(" f")
    ('20', 'True', 'f')
    """
    return str(level_names(pd.Series([value])).iloc[0]).strip()


def read_level(level: str | Collection[object] | Level) -> Level:
    """Return a level: ``"p,t,k"``, ``"voiceless(p,t,k)"``, a collection of values, or a level.

    Raises
    ------
    ArgumentError
        There is no value, or one twice.

    Examples
    --------
    >>> read_level("p, t, k")
    Level(name='p,t,k', members=('p', 't', 'k'))
    >>> read_level("voiceless(p,t,k)").name
    'voiceless'
    """
    if isinstance(level, Level):
        return level
    name, listed = "", level
    if isinstance(level, str):
        named = _NAMED.fullmatch(level.strip())
        name, listed = (named[1].strip(), named[2]) if named else ("", level)
    if not isinstance(listed, str | Collection):
        raise ArgumentError(f"A level of a contrast is a name or a collection of values, but got {level!r}.")
    values = tuple(map(value_name, listed.split(",") if isinstance(listed, str) else listed))
    if not values or not all(values):
        raise ArgumentError(
            f"A level of a contrast is values separated by commas, for instance 'p,t,k', but got {level!r}."
        )
    if len(set(values)) < len(values):
        raise ArgumentError(f"A level of a contrast names each value once, but got {level!r}.")
    return Level(name or ",".join(values), values)


def read_levels(levels: str | Sequence[str | Collection[object] | Level]) -> tuple[Level, ...]:
    """Return two levels or more, ``"p,t,k:b,d,g"`` or a sequence of them.

    Raises
    ------
    ArgumentError
        There is only one, or two share a value or a name.
    """
    sides = levels.split(":") if isinstance(levels, str) else list(levels)
    if len(sides) < 2:
        raise ArgumentError(
            f"A contrast is two levels separated by a colon, for instance 's:sh' or 'p,t,k:b,d,g', but got {levels!r}."
        )
    read = tuple(read_level(side) for side in sides)
    values = [value for level in read for value in level.members]
    shared = sorted({value for value in values if values.count(value) > 1})
    if shared:
        raise ArgumentError(f"The levels of a contrast must not share values, but two hold {', '.join(shared)}.")
    if len({level.name for level in read}) < len(read):
        raise ArgumentError(f"The levels of a contrast need different names, but got {[level.name for level in read]}.")
    return read


def read_column(text: str) -> tuple[str | None, bool, str]:
    """Return the column that a contrast's string names, whether its series are phones, and its levels.

    Examples
    --------
    >>> read_column("sex=f:m")
    ('sex', False, 'f:m')
    >>> read_column("phones.position=initial:final")
    ('position', True, 'initial:final')
    >>> read_column("s:sh")
    (None, True, 's:sh')
    """
    found = _COLUMN.fullmatch(text)
    if found is None:
        return None, True, text
    return found["column"].strip(), found["phones"] is not None, found["levels"]


def parse_phone_contrast(contrast: str) -> tuple[PhoneSet, PhoneSet]:
    """Return the two sets of a contrast such as ``"s:sh"`` or ``"p,t,k:b,d,g"``; the first minus the second.

    Raises
    ------
    ArgumentError
        There are not two sets separated by one colon, or they share a phone.

    Examples
    --------
    >>> parse_phone_contrast("p,t,k:b,d,g")
    (('p', 't', 'k'), ('b', 'd', 'g'))
    """
    levels = read_levels(contrast)
    if len(levels) != 2:
        raise ArgumentError(
            f"A contrast of phones is two sets separated by a colon, for instance 's:sh', but got {contrast!r}."
        )
    return levels[0].members, levels[1].members


def check_constant(frame: pd.DataFrame, labels: pd.Series, column: str, keys: list[str]) -> None:
    """Raise `DataError` where a series is of several levels, which would be given to its first."""
    check_columns(frame, keys, "the series")
    # Layers of one table hold the same tokens.
    places = frame.loc[:, keys].assign(_level=labels.astype(object).to_numpy()).drop_duplicates()
    several = places.duplicated(keys).to_numpy()
    if several.any():
        name = "/".join(map(str, places.loc[several, keys].iloc[0]))
        raise DataError(
            f"Column {column!r} has several values within series, for instance within {name!r}. A contrast is between "
            "series: give each one value."
        )
