"""R values taken apart -> plain Python."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd

from layerstats.rbridge.messages import NA_INTEGER, RValue


def from_r(value: RValue) -> Any:
    """Put an R value together as plain Python.

    NULL becomes None; a data.frame a `pandas.DataFrame`; a matrix or array a numpy array; a factor a
    `pandas.Categorical`; a vector of numbers or booleans a numpy array, of strings a list; a named list or named vector
    a dict; another list a list. A vector of length one becomes a scalar, unless R marked it with ``I()``. NA becomes
    NaN in numbers and booleans (which are floats then) and None in strings.

    Examples
    --------
    >>> from_r(RValue("character", ["a"], {}))
    'a'
    """
    if value.kind == "null":
        return None
    classes = _strings_of(value, "class")
    if "data.frame" in classes:
        return _frame(value)
    if "factor" in classes:
        return _factor(value, ordered="ordered" in classes)
    elements = (
        [from_r(part) for part in cast("list[RValue]", value.payload)] if value.kind == "list" else _vector(value)
    )
    if "dim" in value.attributes and isinstance(elements, np.ndarray):
        return elements.reshape(_numbers(value.attributes["dim"]), order="F")
    if "names" in value.attributes:
        return dict(zip(_strings_of(value, "names"), _plain(elements), strict=True))
    if value.kind != "list" and len(elements) == 1 and "AsIs" not in classes:
        return _plain(elements)[0]
    return elements


def _frame(value: RValue) -> pd.DataFrame:
    columns = [_column(part) for part in cast("list[RValue]", value.payload)]
    return pd.DataFrame(dict(zip(_strings_of(value, "names"), columns, strict=True)))


def _column(value: RValue) -> Any:
    classes = _strings_of(value, "class")
    if "factor" in classes:
        return _factor(value, ordered="ordered" in classes)
    column = _vector(value)
    return pd.Series(column, dtype="str") if isinstance(column, list) else column


def _factor(value: RValue, ordered: bool) -> pd.Categorical:
    codes = np.frombuffer(cast("bytes", value.payload), dtype=np.int32)
    zero_based = np.where(codes == NA_INTEGER, -1, codes - 1)
    return pd.Categorical.from_codes(zero_based, categories=_strings_of(value, "levels"), ordered=ordered)


def _vector(value: RValue) -> Any:
    if value.kind == "pooled":
        codes, pool = cast("tuple[bytes, list[str]]", value.payload)
        positions = np.frombuffer(codes, dtype=np.int32)
        strings = np.asarray([*pool, None], dtype=object)
        return strings[np.where(positions == NA_INTEGER, len(pool), positions - 1)].tolist()
    if value.kind == "character":
        return list(cast("list[str | None]", value.payload))
    return _numbers(value)


def _numbers(value: RValue) -> np.ndarray:
    payload = cast("bytes", value.payload)
    if value.kind == "double":
        return np.frombuffer(payload, dtype=np.float64).copy()
    codes = np.frombuffer(payload, dtype=np.int32)
    missing = codes == NA_INTEGER
    if missing.any():
        return np.where(missing, np.nan, codes)
    return codes.astype(bool if value.kind == "logical" else np.int64)


def _plain(elements: Any) -> list[Any]:
    return elements.tolist() if isinstance(elements, np.ndarray) else elements


def _strings_of(value: RValue, attribute: str) -> list[str]:
    return list(cast("list[str]", value.attributes[attribute].payload)) if attribute in value.attributes else []
