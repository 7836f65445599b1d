"""Tables of results beside the recordings: judgements of clips, averages, ratings."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from layerstats.checks import check_choice, check_columns, check_complete
from layerstats.errors import DataError, StoreError
from layerstats.files import explaining
from layerstats.store.consolidated import consolidate
from layerstats.store.damage import damaged
from layerstats.store.groups import METADATA, PARTIAL, group_names, read_attributes, replace_folder, write_group
from layerstats.store.hashing import content_hash
from layerstats.store.locks import locked
from layerstats.store.provenance import timestamp
from layerstats.store.schema import JUDGEMENTS, TOKENS, check_current, check_name, check_schema, clean_attributes
from layerstats.store.selection import Selection
from layerstats.store.tables import read_table, storable, write_table

TABLE_COLUMNS = ["kind", "name", "rows", "columns", "key", "created_at"]


@dataclass(frozen=True)
class TableKind:
    """What tables of one kind hold.

    Parameters
    ----------
    columns
        Columns that must exist.
    complete
        Those of them in which nothing may be missing.
    """

    columns: tuple[str, ...]
    complete: tuple[str, ...]


# By the name of the group that holds them.
TABLE_KINDS = {
    "judgements": TableKind(("token", "judge", "response", "score"), ("token", "judge")),
    "averages": TableKind(("label", "count"), ("label", "count")),
    "ratings": TableKind(("token", "rater", "rating"), ("token", "rater")),
}
_RESUME = "The table was not written: make room and run the same call again."


def store_table(
    path: str | os.PathLike[str],
    kind: str,
    name: str,
    frame: pd.DataFrame,
    *,
    key: str | None = None,
    attrs: Mapping[str, object] | None = None,
    overwrite: bool = False,
    created_at: str | None = None,
) -> Path:
    """Write a table of results into a store, whole or not at all; the same call again does nothing.

    Parameters
    ----------
    path
        The store.
    kind
        "judgements" (what a judge says of a token: `token, judge, response, score`), "averages" (sums over windows:
        `label, count, ...`) or "ratings" (what listeners say of a token: `token, rater, rating`); more columns are
        free. Outcomes of maximizations, and judgements of these, are no tables: see `OutcomeWriter`.
    name
        Of the table among those of its kind.
    frame
        The rows: text, numbers and truth values.
    key
        Hash of all that determines the values; by default that of the table and its attributes.
    attrs
        Provenance: the recording that was judged, weights, options, ...
    overwrite
        Replace a table that has another key.
    created_at
        Time to be written instead of now (or of SOURCE_DATE_EPOCH).

    Returns
    -------
    pathlib.Path
        The store.

    Raises
    ------
    DataError
        A column is missing or incomplete, or a row names a token that the store does not have.
    StoreError
        There is no store, the name holds a table with another key, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from layerstats.store import open_store, store_arrays
    >>> tokens = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "dark"], "speaker": ["s1", "s2"], "split": "test"})
    >>> heard = pd.DataFrame({"token": ["a", "b"], "judge": "J", "response": ["ask", None], "score": [0.9, 0.2]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = store_arrays(f"{folder}/s.zarr", tokens, {"conv1": np.eye(2)}, time_s={"conv1": [0.0, 0.5]})
    ...     store = store_table(path, "judgements", "words", heard)
    ...     open_store(path).table("judgements", "words")["score"].tolist()
    [0.9, 0.2]
    """
    check_choice("kind", kind, TABLE_KINDS)
    check_name("table", name)
    path = Path(path)
    root = read_attributes(path)
    check_schema(root, path)
    check_current(root, path)
    rows = storable(frame, f"{kind} table")
    about = clean_attributes(attrs or {})
    _check_rows(path, kind, name, rows)
    key = key or content_hash(rows, about)
    place = path / kind / name
    with explaining(path, StoreError, full=_RESUME), locked(path, f"the tables of {path}"):
        if not (place.parent / METADATA).exists():
            write_group(place.parent)
        if (place / METADATA).exists():
            there = read_attributes(place)
            if there.get("key") == key:
                consolidate(path)
                return path
            if not overwrite:
                raise StoreError(_another_key(path, kind, name, there, {**about, "key": key}))
        recorded = {**about, "key": key, "table_hash": content_hash(rows)}
        _replace(place, kind, rows, {**recorded, "created_at": created_at or timestamp()})
        consolidate(path)
    return path


def _check_rows(path: Path, kind: str, name: str, rows: pd.DataFrame) -> None:
    rules, what = TABLE_KINDS[kind], f"the table {name!r} of {kind}"
    check_columns(rows, rules.columns, what)
    check_complete(rows, rules.complete, what)
    if rows.empty:
        raise DataError(f"{what[0].upper()}{what[1:]} has no rows.")
    if "token" in rules.columns:
        known = set(read_table(path, TOKENS, ("token",))["token"])
        strangers = [token for token in rows["token"] if token not in known]
        if strangers:
            raise DataError(
                f"{what[0].upper()}{what[1:]} names the token {strangers[0]!r}, which {path} does not have."
            )


def _another_key(path: Path, kind: str, name: str, there: Mapping[str, object], now: Mapping[str, object]) -> str:
    differing = [
        f"{attribute}: {there.get(attribute)!r} there, {now[attribute]!r} now"
        for attribute in now
        if there.get(attribute) != now[attribute]
    ]
    return (
        f"{path} already holds another table {name!r} of {kind} ({'; '.join(differing)}). Choose another name, or "
        "replace it (overwrite=True)."
    )


def _replace(place: Path, kind: str, rows: pd.DataFrame, attributes: Mapping[str, object]) -> None:
    """Write a table beside its place and rename it, so that a kill leaves the old one, the new one or none."""
    partial = place.with_name(f"{place.name}{PARTIAL}")
    for leftover in place.parent.glob(f"*{PARTIAL}"):
        shutil.rmtree(leftover)
    write_table(partial, rows, kind, attributes)
    replace_folder(partial, place)


def table_names(root: Path, kind: str) -> list[str]:
    """Return the names of a store's tables of one kind."""
    return [name for name in group_names(root, kind) if kind != JUDGEMENTS or is_table(root / kind / name)]


def is_table(folder: Path) -> bool:
    """Tell judgements of clips, a table, from those of outcomes, which lie beside them in blocks of starts."""
    return "shard_starts" not in read_attributes(folder)


def result_tables(root: Path) -> pd.DataFrame:
    """Return one row per table of results: `kind, name, rows, columns, key, created_at`.

    Raises
    ------
    StoreError
        One is damaged.
    """
    found = []
    for kind in TABLE_KINDS:
        for name in table_names(root, kind):
            table = read_result_table(root, kind, name)
            about = {"kind": kind, "name": name, "rows": len(table), "columns": ", ".join(table.columns)}
            found.append({**table.attrs, **about})
    return pd.DataFrame(found, columns=TABLE_COLUMNS)


def read_result_table(root: Path, kind: str, name: str) -> pd.DataFrame:
    """Return a table of results, its provenance in `attrs`.

    Raises
    ------
    ArgumentError
        There is no such kind.
    StoreError
        There is no such table, or it is damaged.
    """
    check_choice("kind", kind, TABLE_KINDS)
    names = table_names(root, kind)
    if name not in names:
        there = ", ".join(map(repr, names)) or "none"
        raise StoreError(f"{root} has no table {name!r} of {kind}. There are: {there}.")
    table = read_table(root, f"{kind}/{name}", TABLE_KINDS[kind].columns)
    attributes = read_attributes(root / kind / name)
    table.attrs.update({attribute: value for attribute, value in attributes.items() if attribute != "columns"})
    return table


def tables_of(selection: Selection) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield kind, name and rows of every table of results, as far as its tokens are selected and any row is left."""
    tokens = selection.tokens["token"]
    for kind in TABLE_KINDS:
        for name in table_names(selection.path, kind):
            table = read_result_table(selection.path, kind, name)
            if "token" in TABLE_KINDS[kind].columns:
                table = table.loc[table["token"].isin(tokens)].reset_index(drop=True)
            if len(table):
                yield kind, name, table


def check_result_table(root: Path, kind: str, name: str) -> None:
    """Raise `StoreError` where a table of results holds other values than were written."""
    table = read_result_table(root, kind, name)
    hashed = table.attrs.get("table_hash")
    if hashed is not None and hashed != content_hash(storable(table, "table")):
        raise damaged(root, root / kind / name, "holds other values than were written (table_hash differs)")
