"""What an analysis claims, as rows that a folder's manifest keeps and its page shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from layerstats.errors import DataError
from layerstats.tables import check_frame, glossary

Row = Mapping[str, Any]


class ClaimTables(Protocol):
    """Claims and what becomes of them under other defensible choices.

    `table` has a row a claim, `sensitivity` a row a claim and choice; their columns are those of the kinds "claims" and
    "sensitivity" of the glossary. `notes` say in sentences what holds for all of them.
    """

    @property
    def table(self) -> pd.DataFrame:
        """A row a claim."""
        ...

    @property
    def sensitivity(self) -> pd.DataFrame:
        """A row a claim and choice."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """Sentences about all of them."""
        ...


@dataclass(frozen=True)
class Claimed:
    """Rows of claims and of their sensitivity, in plain values; NaN where a number is not known."""

    table: tuple[Row, ...] = ()
    sensitivity: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return both tables as frames."""
        columns = glossary().frames
        return (
            pd.DataFrame(list(self.table), columns=list(columns["claims"])),
            pd.DataFrame(list(self.sensitivity), columns=list(columns["sensitivity"])),
        )


def claimed(claims: ClaimTables, before: Claimed | None = None) -> Claimed:
    """Return claims as rows, after those that were claimed before.

    Raises
    ------
    DataError
        If a column is missing or holds what it must not, a key is there twice, or other choices are told of a claim
        that is not there.
    """
    before = before or Claimed()
    table = check_frame(claims.table, "claims")
    sensitivity = check_frame(claims.sensitivity, "sensitivity")
    keys = [*(row["claim_key"] for row in before.table), *table["claim_key"]]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise DataError(f"Two claims have the key {twice[0]!r}. Give each claim of an output a key of its own.")
    unknown = sorted(set(sensitivity["claim_key"]) - set(table["claim_key"]))
    if unknown:
        raise DataError(f"Sensitivity is told of {unknown[0]!r}, but no claim has that key.")
    notes = dict.fromkeys([*before.notes, *claims.notes])
    return Claimed(
        (*before.table, *_rows(table, "claims")),
        (*before.sensitivity, *_rows(sensitivity, "sensitivity")),
        tuple(notes),
    )


def as_json(claims: Claimed) -> dict[str, Any]:
    """Return claims as JSON has them: a missing number is null, one without end the text "inf" or "-inf"."""
    table, sensitivity = ([_plain(row) for row in rows] for rows in (claims.table, claims.sensitivity))
    return {"table": table, "sensitivity": sensitivity, "notes": list(claims.notes)}


def from_json(data: Mapping[str, Any]) -> Claimed:
    """Return the claims that `as_json` gave; what is null is NaN."""
    table, sensitivity = (tuple(map(_read, data[name])) for name in ("table", "sensitivity"))
    return Claimed(table, sensitivity, tuple(data["notes"]))


def _rows(frame: pd.DataFrame, kind: str) -> list[dict[str, Any]]:
    known = glossary()
    values = {name: [_value(value, known.columns[name].kind) for value in frame[name]] for name in known.frames[kind]}
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def _value(value: Any, kind: str) -> str | bool | float:
    """Return a value as Python has it; text that is missing is no text."""
    if kind == "text":
        return "" if pd.isna(value) else str(value)
    if kind == "boolean":
        return bool(value)
    return math.nan if pd.isna(value) else float(value)


def _plain(row: Row) -> dict[str, Any]:
    return {name: _finite(value) if isinstance(value, float) else value for name, value in row.items()}


def _finite(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return str(value) if math.isinf(value) else value


def _read(row: Row) -> dict[str, Any]:
    known = glossary().columns
    read = {name: math.nan if value is None else value for name, value in row.items()}
    return {name: float(value) if known[name].numeric else value for name, value in read.items()}
