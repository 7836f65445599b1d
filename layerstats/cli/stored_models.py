"""Models as files: which table, which options. `layerstats gamm` writes them, `layerstats verify` fits them again."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerstats.cli.tables import table_hash
from layerstats.errors import ArgumentError, DataError
from layerstats.files import replacing

if TYPE_CHECKING:
    from layerstats.stats.gamm import FitTask

FILE_NAME = "model.json"
# What `fit` takes besides the table and the formula, as far as a command line can say it.
OPTIONS = (
    "engine",
    "method",
    "rho",
    "series",
    "order",
    "gaps",
    "factors",
    "ordered",
    "weights",
    "knots",
    "family",
    "function",
    "discrete",
    "na",
)
# What `read_table` takes besides the file.
READING = ("missing", "numeric", "separator", "decimal", "encoding", "sheet")


@dataclass(frozen=True)
class StoredModel:
    """One model to fit.

    Attributes
    ----------
    name
        The folder that it was written to, or its name or place in a list.
    table
        The file of its rows.
    formula
        In mgcv's language.
    options
        Arguments of `layerstats.stats.gamm.fit`.
    sha256
        Of the table when the model was stored; None where nobody wrote it down.
    reading
        Arguments of `layerstats.tables.read_table`.
    """

    name: str
    table: Path
    formula: str
    options: Mapping[str, Any] = field(default_factory=dict)
    sha256: str | None = None
    reading: Mapping[str, Any] = field(default_factory=dict)

    def task(self, *, engine: str | None = None, verify: bool = False) -> FitTask:
        """Return what is to be fitted, with the table read; by another engine where one is named."""
        from layerstats.stats.gamm import FitTask
        from layerstats.tables import read_table

        options = self.options if engine is None else {**self.options, "engine": engine}
        return FitTask(self.formula, read_table(self.table, **self.reading), **options, verify=verify)


def write_stored_model(
    folder: Path, table: Path, formula: str, options: Mapping[str, Any], reading: Mapping[str, Any] | None = None
) -> Path:
    """Write ``model.json`` into `folder`: the table by its path from there and its hash, the formula, the options."""
    path = folder / FILE_NAME
    entry = {
        "table": Path(os.path.relpath(table.resolve(), folder.resolve())).as_posix(),
        "sha256": table_hash(table),
        "formula": formula,
        **{name: value for name, value in options.items() if value not in (None, {}, [])},
        **({"reading": dict(reading)} if reading else {}),
    }
    with replacing(path) as partial:
        partial.write_text(json.dumps(entry, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read_stored_models(path: Path) -> list[StoredModel]:
    """Return the models of a folder (every ``model.json`` in it), of one such file, or of a list in TOML or JSON.

    A list is ``[[model]]`` tables in TOML, or an array in JSON, with the keys of ``model.json``; paths start at the
    list's own folder.

    Raises
    ------
    DataError
        There is no model there, or the table of a model is not the one that it was fitted to.
    ArgumentError
        An entry lacks a key or has one that means nothing.
    """
    if path.is_dir():
        files = sorted(path.rglob(FILE_NAME))
        if not files:
            raise DataError(f"There is no {FILE_NAME} in {str(path)!r}; `layerstats gamm --out` writes one.")
        return [
            _model(_read(file), file, "." if file.parent == path else file.parent.relative_to(path).as_posix())
            for file in files
        ]
    content = _read(path)
    if isinstance(content, dict) and "model" not in content:
        return [_model(content, path, path.parent.name)]
    entries = content["model"] if isinstance(content, dict) else content
    if not isinstance(entries, list) or not entries:
        raise DataError(f"{str(path)!r} lists no models.")
    return [_model(entry, path, str(number)) for number, entry in enumerate(entries, start=1)]


def _read(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r}.")
    text = path.read_bytes()
    try:
        if path.suffix == ".toml":
            return tomllib.loads(text.decode("utf-8"))
        if path.suffix == ".json":
            return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{str(path)!r} cannot be read: {error}") from error
    raise ArgumentError(f"Invalid list of models {str(path)!r}: its name must end in .toml or .json.")


def _are_levels(value: Any) -> bool:
    return isinstance(value, list) and not any(isinstance(item, (list, dict)) for item in value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _wrong_kind(key: str, value: object) -> str | None:
    """Return what an option must be, where it is something else."""
    texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
    if key == "ordered":
        pairs: list[Any] = list(value.values()) if isinstance(value, dict) else [None]
        right = all(_are_levels(pair) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs)
        return None if right else "a table of pairs, the column and its reference"
    if key == "factors":
        levels = list(value.values()) if isinstance(value, dict) else [0]
        return None if all(each is None or _are_levels(each) for each in levels) else "a table of lists of levels"
    if key == "weights":
        numbers = isinstance(value, list) and all(isinstance(item, (int, float)) for item in value)
        return None if isinstance(value, str) or numbers else "the name of a column or a list of numbers"
    if key == "knots":
        places = list(value.values()) if isinstance(value, dict) else [0]
        right = all(isinstance(each, list) and all(map(_is_number, each)) for each in places)
        return None if right else "a table of lists of numbers"
    if key == "discrete":
        return None if isinstance(value, bool) else "true or false"
    if key == "series":
        return None if isinstance(value, str) or texts else "the name of a column or a list of names"
    if key == "rho":
        return None if isinstance(value, str) or _is_number(value) else "a number or text"
    return None if isinstance(value, str) else "text"


def _model(entry: Any, source: Path, name: str) -> StoredModel:
    where = f"Model {name!r} of {str(source)!r}"
    if not isinstance(entry, dict):
        raise ArgumentError(f"{where} must be a table of keys and values, but is {entry!r}.")
    missing = [key for key in ("table", "formula") if not isinstance(entry.get(key), str)]
    if missing:
        raise ArgumentError(f"{where} lacks {' and '.join(map(repr, missing))}.")
    known = ("name", "table", "sha256", "formula", "reading", *OPTIONS)
    unknown = [key for key in entry if key not in known]
    if unknown:
        raise ArgumentError(f"{where} has the unknown key {unknown[0]!r}. Allowed keys are {', '.join(known)}.")
    table = source.parent / entry["table"]
    expected = entry.get("sha256")
    if not table.is_file():
        raise DataError(f"{where}: there is no table {str(table)!r}.")
    if expected is not None and table_hash(table) != expected:
        raise DataError(f"{where}: the table {str(table)!r} has changed since the model was stored. Fit it again.")
    options = {key: entry[key] for key in OPTIONS if entry.get(key) is not None}
    for key, value in options.items():
        expected_kind = _wrong_kind(key, value)
        if expected_kind:
            raise ArgumentError(f"{where}: {key!r} must be {expected_kind}, but is {value!r}.")
    if "ordered" in options:
        options["ordered"] = {copy: tuple(pair) for copy, pair in options["ordered"].items()}
    reading = entry.get("reading", {})
    strange = [key for key in reading if key not in READING] if isinstance(reading, dict) else [str(reading)]
    if strange:
        raise ArgumentError(
            f"{where} has the unknown key {strange[0]!r} in 'reading'. Allowed are {', '.join(READING)}."
        )
    for key, value in reading.items():
        if not _are_texts(value) if key in ("missing", "numeric") else not isinstance(value, str):
            kind = "text or a list of texts" if key in ("missing", "numeric") else "text"
            raise ArgumentError(f"{where}: {key!r} in 'reading' must be {kind}, but is {value!r}.")
    return StoredModel(str(entry.get("name", name)), table, entry["formula"], options, expected, reading)
