"""One text for one content: by its hash, what was fixed before anyone listened is told from what was changed later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def plain(value: Any) -> Any:
    """Return a value as JSON holds it: whole numbers as integers, what is missing as None, other objects as text.

    Examples
    --------
    >>> plain({"clip": "c1", "target": float("nan"), "number": np.float64(3.0)})
    {'clip': 'c1', 'target': None, 'number': 3}
    """
    if value is None or type(value) in (str, int, bool):
        # Most of what there is, and asked for every cell of every trial.
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        # The number of a start is 3 whether or not another start lacks one, which makes pandas store floats.
        return (int(value) if value.is_integer() else value) if np.isfinite(value) else None
    return value if isinstance(value, bool | int | str) else str(value)


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as JSON holds them."""
    columns = [[plain(value) for value in frame[name].tolist()] for name in frame.columns]
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def sha256_of(value: Any) -> str:
    """Return the SHA-256 (hexadecimal) of a value's JSON with sorted keys and no spaces.

    Examples
    --------
    >>> sha256_of({"b": 1.0, "a": "x"}) == sha256_of({"a": "x", "b": 1})
    True
    """
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
