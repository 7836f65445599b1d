"""Hashes that depend on content only: the same on every machine, in every session."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np
import pandas as pd


def content_hash(*parts: object) -> str:
    """Return the SHA-256 (hexadecimal) of text, numbers, arrays, frames, and lists and dicts of these.

    The order of keys in a dict does not matter; the order of list items, rows and columns does. Types matter:
    1, 1.0 and "1" differ.

    Raises
    ------
    TypeError
        For anything whose content is not defined (functions, open files, ...).

    Examples
    --------
    >>> content_hash({"a": 1, "b": [1.5]}) == content_hash({"b": [1.5], "a": 1})
    True
    >>> content_hash(1) == content_hash("1")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        _feed(digest, part)
    return digest.hexdigest()


def _feed(digest: hashlib._Hash, value: object) -> None:
    # Every value is preceded by its kind and size, so that no two structures run together.
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int | float):
        text = json.dumps(value)
        digest.update(f"{type(value).__name__}:{len(text)}:{text};".encode())
    elif isinstance(value, bytes):
        digest.update(f"bytes:{len(value)}:".encode())
        digest.update(value)
    elif isinstance(value, Mapping):
        digest.update(f"dict:{len(value)}:".encode())
        for key in sorted(value):
            _feed(digest, key)
            _feed(digest, value[key])
    elif isinstance(value, list | tuple):
        digest.update(f"list:{len(value)}:".encode())
        for item in value:
            _feed(digest, item)
    elif isinstance(value, pd.DataFrame):
        digest.update(f"frame:{value.shape}:".encode())
        for column in value.columns:
            _feed(digest, str(column))
            _feed(digest, value[column].to_numpy())
    elif isinstance(value, np.ndarray) and value.dtype.kind in "OUT":
        _feed(digest, value.tolist())
    elif isinstance(value, np.ndarray):
        little = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        digest.update(f"array:{little.dtype.str}:{little.shape}:".encode())
        digest.update(little.data if little.size else b"")
    else:
        raise TypeError(f"The content of a {type(value).__name__} cannot be hashed.")
