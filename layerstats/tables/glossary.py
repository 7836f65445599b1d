"""The column glossary: what every column that layerstats emits means, as data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

DEFAULT_STYLES = {"number": "estimate", "integer": "integer", "boolean": "text", "text": "text"}


@dataclass(frozen=True)
class Column:
    """One column: its kind, units, meaning and heading, and the values that it may hold."""

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
        Read once from `glossary.toml`, which lies beside this file.

    Examples
    --------
    >>> glossary().columns["std_error"].label
    'Std. Error'
    >>> glossary().frames["smooths"]
    ('term', 'edf', 'ref_df', 'statistic', 'p_value')
    """
    text = (files("layerstats.tables") / "glossary.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    return Glossary(
        columns=MappingProxyType({name: _column(name, dict(entry)) for name, entry in data["columns"].items()}),
        ordered=tuple((pair["low"], pair["high"]) for pair in data["ordered"]),
        frames=MappingProxyType({kind: tuple(columns) for kind, columns in data["frames"].items()}),
    )
