"""Creating a store: its tables and its provenance, which every recording in it shares."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import StoreError
from layerstats.files import explaining
from layerstats.store.consolidated import consolidate
from layerstats.store.groups import (
    METADATA,
    PARTIAL,
    holds_something,
    read_attributes,
    remove_partial_files,
    write_group,
)
from layerstats.store.hashing import content_hash
from layerstats.store.locks import locked
from layerstats.store.provenance import software, timestamp
from layerstats.store.schema import (
    PHONE_COLUMNS,
    PHONES,
    TOKEN_COLUMNS,
    TOKENS,
    check_current,
    check_schema,
    clean_attributes,
)
from layerstats.store.tables import read_table, storable, write_table

RESUME = "Nothing that was recorded is lost: make room and run the same call again, and it goes on where it stopped."
_NO_TOKENS = pd.DataFrame({name: pd.Series(dtype=object) for name in TOKEN_COLUMNS})
_EMPTY_PHONES = {"token": object, "phone_index": int, "label": object, "onset_s": float, "offset_s": float}


def create_or_resume(
    path: str | os.PathLike[str],
    tokens: pd.DataFrame,
    phones: pd.DataFrame | None = None,
    *,
    attrs: Mapping[str, object] | None = None,
    created_at: str | None = None,
) -> Path:
    """Create a store with its tables, or check that the store at `path` holds the same ones.

    Tables that were damaged since are written anew, except in a store of an earlier schema, which is only read. A store
    that was made without clips, for outcomes of maximizations, takes these.

    Parameters
    ----------
    path
        The directory; it must be absent, empty or a store.
    tokens
        One row per clip: `token, word, speaker, split`, and whatever else is known of it.
    phones
        One row per phone: `token, phone_index, label, onset_s, offset_s` (clip time) and its context.
    attrs
        Provenance of the store, for instance `corpus_hash`, `torch_version`.
    created_at
        Time to be written instead of now (or of SOURCE_DATE_EPOCH).

    Raises
    ------
    DataError
        A table lacks a column, or holds a token twice.
    StoreError
        The directory is something else, holds other clips, may not be written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> tokens = pd.DataFrame({"token": ["a", "b"], "word": "ask", "speaker": ["s1", "s2"], "split": "test"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = create_or_resume(f"{folder}/s.zarr", tokens)
    >>> path.name
    's.zarr'
    """
    if len(tokens) == 0:
        raise StoreError("The tokens table has no rows, so there is nothing to record.")
    return _create(Path(path), tokens, phones, attrs, created_at)


def open_or_create(
    path: str | os.PathLike[str],
    tokens: pd.DataFrame | None = None,
    phones: pd.DataFrame | None = None,
    *,
    attrs: Mapping[str, object] | None = None,
    created_at: str | None = None,
) -> Path:
    """Return a store that may have no clips: the one at `path`, whatever its clips, or a new one.

    Parameters
    ----------
    path
        The directory; it must be absent, empty or a store.
    tokens, phones, attrs, created_at
        As for `create_or_resume`, which is called where there are tokens.

    Raises
    ------
    StoreError
        As for `create_or_resume`, or the store is of an earlier schema.
    """
    if tokens is not None and len(tokens):
        return create_or_resume(path, tokens, phones, attrs=attrs, created_at=created_at)
    path = Path(path)
    if (path / METADATA).exists() and read_attributes(path).get("complete"):
        check_schema(read_attributes(path), path)
        check_current(read_attributes(path), path)
        return path
    return _create(path, _NO_TOKENS, None, attrs, created_at)


def _create(
    path: Path,
    tokens: pd.DataFrame,
    phones: pd.DataFrame | None,
    attrs: Mapping[str, object] | None,
    created_at: str | None,
) -> Path:
    tokens, phones = _check_tables(tokens, phones)
    given = clean_attributes({**(attrs or {}), "tables_hash": content_hash(tokens, phones)})
    not_ours = StoreError(f"{path} exists and is not a store of layerstats. Choose another path.")
    if path.exists() and not path.is_dir():
        raise not_ours
    with explaining(path, StoreError, full=RESUME), locked(path, f"the tables of {path}"):
        if not (path / METADATA).exists() and holds_something(path):
            raise not_ours
        if (path / METADATA).exists():
            existing = read_attributes(path)
            check_schema(existing, path)
            if _has_no_clips(existing):
                existing = {**existing, **given}
            _check_same_clips(path, existing, given)
        else:
            software_attributes = clean_attributes(software())
            existing = {**software_attributes, **given, "created_at": created_at or timestamp(), "complete": False}
            write_group(path, existing)
        if not existing.get("complete") or not _are_whole(path, tokens, phones):
            check_current(existing, path)
            _write_tables(path, existing, tokens, phones)
    return path


def _has_no_clips(existing: Mapping[str, object]) -> bool:
    """Tell whether a store was made without clips, for outcomes of maximizations: it takes the first that come."""
    return existing.get("tables_hash") == content_hash(*_check_tables(_NO_TOKENS, None))


def _write_tables(path: Path, existing: Mapping[str, object], tokens: pd.DataFrame, phones: pd.DataFrame) -> None:
    if existing.get("complete"):
        write_group(path, {**existing, "complete": False})
    for name, table, dimension in ((TOKENS, tokens, "token"), (PHONES, phones, "phone")):
        shutil.rmtree(path / name, ignore_errors=True)
        write_table(path / name, table, dimension)
        remove_partial_files(path / name)
    for leftover in path.glob(f"{METADATA}*{PARTIAL}"):
        leftover.unlink()
    consolidate(path, {**existing, "complete": True})


def _are_whole(path: Path, tokens: pd.DataFrame, phones: pd.DataFrame) -> bool:
    """Tell whether the tables on disk are those that were given, to the last value."""
    for name, given, required in ((TOKENS, tokens, TOKEN_COLUMNS), (PHONES, phones, PHONE_COLUMNS)):
        try:
            found = storable(read_table(path, name, required), f"{name} table")
        except StoreError:
            return False
        if not found.equals(given):
            return False
    return True


def _check_tables(tokens: pd.DataFrame, phones: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    check_columns(tokens, TOKEN_COLUMNS, "the tokens table")
    check_complete(tokens, TOKEN_COLUMNS, "the tokens table")
    if tokens["token"].duplicated().any():
        twice = tokens.loc[tokens["token"].duplicated(), "token"].iloc[0]
        raise StoreError(f"The tokens table holds {twice!r} more than once; a token is one clip.")
    if phones is None:
        phones = pd.DataFrame({name: pd.Series(dtype=_EMPTY_PHONES[name]) for name in PHONE_COLUMNS})
    check_columns(phones, PHONE_COLUMNS, "the phones table")
    strangers = phones.loc[~phones["token"].isin(tokens["token"]), "token"]
    if len(strangers):
        raise StoreError(f"The phones table names the token {strangers.iloc[0]!r}, which is not in the tokens table.")
    return storable(tokens, "tokens table"), storable(phones, "phones table")


def _check_same_clips(path: Path, existing: Mapping[str, object], given: Mapping[str, object]) -> None:
    different = [
        name
        for name in ("tables_hash", "corpus_hash")
        if name in given and existing.get(name, given[name]) != given[name]
    ]
    if different:
        raise StoreError(
            f"The store {path} holds other clips than these ({', '.join(different)} differ). A store holds the natural "
            "tokens of one corpus only, of one length, rate and normalisation: choose another path, or the clips that "
            "are there."
        )
