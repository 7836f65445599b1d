"""The file of a design: JSON that people can read, a row of a table a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from layerstats.errors import ArgumentError, DataError, MissingFileError
from layerstats.files import replacing
from layerstats.listening.design.canonical import plain, plain_rows

FILE = "design.json"
SCHEMA = 1


def write_contents(contents: Mapping[str, Any], folder: Path) -> None:
    """Write `design.json`, whole or not at all: tables as their columns and rows, everything else as it is."""
    entries = {"schema": SCHEMA, **contents}
    lines = [f"{json.dumps(key)}: {_text(value)}" for key, value in entries.items()]
    with replacing(folder / FILE) as partial:
        partial.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8", errors="surrogatepass")


def _text(value: Any) -> str:
    if isinstance(value, pd.DataFrame):
        columns = json.dumps([str(name) for name in value.columns], ensure_ascii=False)
        return f'{{"columns": {columns}, "rows": {_lines([list(row.values()) for row in plain_rows(value)])}}}'
    if isinstance(value, list | tuple) and value:
        return _lines(plain(value))
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False)


def _lines(items: list[Any]) -> str:
    rows = [json.dumps(item, ensure_ascii=False, allow_nan=False) for item in items]
    return "[\n  " + ",\n  ".join(rows) + "\n]" if rows else "[]"


def read_contents(folder: Path) -> dict[str, Any]:
    """Read `design.json` of a folder, with its tables as frames.

    Raises
    ------
    MissingFileError
        There is no such file.
    DataError
        It is no JSON, no design, or of a later version of layerstats.
    """
    file = folder / FILE
    if not file.is_file():
        raise MissingFileError(f"There is no design of a listening test in {folder}: it has no {FILE}.")
    try:
        contents = json.loads(file.read_text(encoding="utf-8", errors="surrogatepass"))
    except ValueError as error:
        raise DataError(f"{file} is not the JSON of a design: {error}.") from error
    if not isinstance(contents, dict) or "task" not in contents or "schema" not in contents:
        raise DataError(f"{file} is not the design of a listening test: it has no 'task' or no 'schema'.")
    if contents["schema"] != SCHEMA:
        raise DataError(
            f"{file} has schema {contents['schema']!r}, and this version of layerstats reads {SCHEMA}: it was written "
            "by a later version. Update layerstats."
        )
    return {key: _frame(value) if _is_table(value) else value for key, value in contents.items()}


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"columns", "rows"}


def _frame(table: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(table["rows"], columns=table["columns"])


def earlier_design(folder: Path, overwrite: bool) -> tuple[tuple[dict[str, Any], ...], set[str]]:
    """Return the history of the design that is in a folder, and its sounds; nothing where there is none.

    Raises
    ------
    ArgumentError
        There is one, and it may not be replaced.
    """
    if not (folder / FILE).exists():
        return (), set()
    if not overwrite:
        raise ArgumentError(
            f"{folder} holds a design already. Choose another folder, or replace it (overwrite); what it was stays in "
            "the history of the new one."
        )
    contents = read_contents(folder)
    return tuple(contents.get("history") or ()), set(contents.get("sound_hashes") or ())
