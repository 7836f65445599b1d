"""Reading the column glossary: what every column that layerstats emits means, as data, one file a room."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Literal

from layerstats.errors import DataError

DEFAULT_STYLES = {"number": "estimate", "integer": "integer", "boolean": "text", "text": "text"}


@dataclass(frozen=True)
class Column:
    """One column: its kind, units, meaning and heading, and the values that it may hold.

    Examples
    --------
    >>> Column("p_value", "number", "", "p-value of the test", "p", minimum=0.0, maximum=1.0).numeric
    True
    """

    name: str
    kind: Literal["text", "number", "integer", "boolean"]
    units: str
    description: str
    label: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] | None = None
    style: str = "text"
    paper: Literal["always", "if room", "last", "never", "setting", "ends"] = "if room"
    joined_label: str = ""

    @property
    def numeric(self) -> bool:
        """Whether the column holds numbers."""
        return self.kind in ("number", "integer")


@dataclass(frozen=True)
class Glossary:
    """All columns, the pairs of columns that must be in order, and what each kind of frame needs."""

    columns: MappingProxyType[str, Column]
    ordered: tuple[tuple[str, str], ...]
    frames: MappingProxyType[str, tuple[str, ...]]


def _column(name: str, entry: dict[str, Any]) -> Column:
    choices = entry.pop("choices", None)
    style = entry.pop("style", DEFAULT_STYLES[entry["kind"]])
    return Column(name=name, choices=None if choices is None else tuple(choices), style=style, **entry)


@cache
def glossary() -> Glossary:
    """Return the column glossary.

    Returns
    -------
    Glossary
        Read once from the files beside this one.

    Examples
    --------
    >>> glossary().columns["std_error"].label
    'Std. Error'
    >>> glossary().frames["smooths"]
    ('term', 'edf', 'ref_df', 'statistic', 'p_value')
    """
    return read_glossary(files("layerstats.tables.glossary"))


def read_glossary(folder: Traversable) -> Glossary:
    """Read all files of a glossary.

    Parameters
    ----------
    folder : Traversable
        The folder that holds one TOML file a room, for instance a `pathlib.Path`.

    Raises
    ------
    DataError
        Two files describe the same column or kind of frame.

    Examples
    --------
    >>> glossary = read_glossary(files("layerstats.tables") / "glossary")
    >>> glossary.columns["p_value"].maximum
    1
    """
    columns: dict[str, Column] = {}
    frames: dict[str, tuple[str, ...]] = {}
    ordered: list[tuple[str, str]] = []
    source: dict[str, str] = {}
    for file in sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda file: file.name
    ):
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        for name, entry in data.get("columns", {}).items():
            _claim(source, f"column {name!r}", file.name)
            columns[name] = _column(name, dict(entry))
        for kind, needed in data.get("frames", {}).items():
            _claim(source, f"kind of frame {kind!r}", file.name)
            frames[kind] = tuple(needed)
        ordered += [(pair["low"], pair["high"]) for pair in data.get("ordered", [])]
    return Glossary(MappingProxyType(columns), tuple(ordered), MappingProxyType(frames))


def _claim(source: dict[str, str], what: str, file: str) -> None:
    first = source.setdefault(what, file)
    if first != file:
        raise DataError(f"The {what} is described in {first} and again in {file}. Keep one of the two in the glossary.")
