"""Values that go between R and Python without loss: text as JSON, numbers as the bytes that both have in memory.

A value is two files, ``NAME.json`` and ``NAME.bin``. The JSON is one of

- ``null``;
- ``{"kind": "number" | "integer" | "logical", "at", "length", "shape"}``: `length` doubles from the `at`-th one of the
  binary file on, little-endian; NaN is missing; `shape`, where there is one, is R's `dim`, the first axis fastest;
- ``{"kind": "text" | "factor", "at", "length", "levels", "ordered"}``: numbers of levels, from 1, in the binary file;
- ``{"kind": "list", "names", "values"}`` and ``{"kind": "frame", "names", "values", "rows"}``.

R's half is ``R/R/exchange.R``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def read_value(stem: Path) -> Any:
    """Return what R wrote: dicts of named lists, lists of others, DataFrames, and arrays of vectors.

    Text is an array of str with None where it is missing, a factor a ``pandas.Categorical``; whole numbers and truth
    values with gaps are floats and objects.
    """
    numbers = np.fromfile(stem.with_suffix(".bin"), dtype="<f8")
    return _decoded(json.loads(stem.with_suffix(".json").read_text(encoding="utf-8")), numbers)


def _decoded(node: Any, numbers: np.ndarray) -> Any:
    if node is None:
        return None
    kind = node["kind"]
    if kind in ("list", "frame"):
        values = [_decoded(value, numbers) for value in node["values"]]
        if kind == "frame":
            return pd.DataFrame(dict(zip(node["names"], values, strict=True)), index=pd.RangeIndex(node["rows"]))
        return values if node["names"] is None else dict(zip(node["names"], values, strict=True))
    vector = numbers[node["at"] : node["at"] + node["length"]]
    absent = np.isnan(vector)
    if kind in ("text", "factor"):
        codes = np.where(absent, 0, vector).astype(int) - 1
        if kind == "factor":
            return pd.Categorical.from_codes(codes.tolist(), categories=node["levels"], ordered=node["ordered"])
        return np.array([*node["levels"], None], dtype=object)[codes]
    if kind == "logical":
        return np.where(absent, None, vector == 1) if absent.any() else vector == 1
    if kind == "integer" and not absent.any():
        vector = vector.astype(np.int64)
    return vector.reshape(node["shape"], order="F") if node.get("shape") else vector


def write_value(stem: Path, value: Any) -> None:
    """Write a value for R: mappings, sequences, DataFrames, arrays, text, numbers, truth values, None."""
    pieces: list[np.ndarray] = []
    text = json.dumps(_encoded(value, pieces), ensure_ascii=False)
    (np.concatenate(pieces) if pieces else np.empty(0)).astype("<f8").tofile(stem.with_suffix(".bin"))
    stem.with_suffix(".json").write_text(text, encoding="utf-8")


def _encoded(value: Any, pieces: list[np.ndarray]) -> Any:
    if value is None:
        return None
    if isinstance(value, pd.DataFrame):
        columns = [_encoded(value[name], pieces) for name in value.columns]
        return {"kind": "frame", "names": list(map(str, value.columns)), "values": columns, "rows": len(value)}
    if isinstance(value, Mapping):
        values = [_encoded(one, pieces) for one in value.values()]
        return {"kind": "list", "names": list(map(str, value)), "values": values}
    if isinstance(value, str | int | float | bool | np.generic):
        value = np.array([value], dtype=object if isinstance(value, str) else None)
    if isinstance(value, list | tuple):
        if not all(one is None or isinstance(one, str) for one in value):
            return {"kind": "list", "names": None, "values": [_encoded(one, pieces) for one in value]}
        value = np.array(value, dtype=object)
    return _vector(value, pieces)


def _vector(value: Any, pieces: list[np.ndarray]) -> dict[str, Any]:
    at = sum(map(len, pieces))
    if not (pd.api.types.is_numeric_dtype(value.dtype) or pd.api.types.is_bool_dtype(value.dtype)):
        codes, levels = pd.factorize(pd.Series(value, dtype=object))
        pieces.append(np.where(codes < 0, np.nan, codes + 1.0))
        return {"kind": "text", "at": at, "length": len(codes), "levels": list(map(str, levels)), "ordered": False}
    values = np.asarray(value)
    kind = "logical" if values.dtype.kind == "b" else "integer" if values.dtype.kind in "iu" else "number"
    flat = values.ravel(order="F").astype(float)
    pieces.append(flat)
    shape = list(values.shape) if values.ndim > 1 else None
    return {"kind": kind, "at": at, "length": len(flat), "shape": shape}
