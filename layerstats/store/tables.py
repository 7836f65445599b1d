"""A table in a store: a group with one array per column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError, StoreError
from layerstats.store.damage import damaged, open_array
from layerstats.store.groups import METADATA, create_array, read_attributes, write_group
from layerstats.store.schema import check_name, unit_and_name

MISSING = {"missing": "empty"}


def storable(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return `frame` with columns of text (missing: None), whole numbers, floats and truth values only.

    Categories become text and whole numbers with gaps become floats: Zarr and netCDF know no others.

    Raises
    ------
    StoreError
        Where a column holds anything else, naming it, or has a name that no array can have.
    """
    for name in map(str, frame.columns):
        try:
            check_name("column", name)
        except ArgumentError as error:
            raise StoreError(f"The {what} cannot be stored. {error}") from error
    columns = {str(name): _storable_column(series, what) for name, series in frame.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))


def _storable_column(series: pd.Series, what: str) -> np.ndarray | pd.Series:
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    if pd.api.types.is_bool_dtype(series.dtype) and not series.hasnans:
        return series.to_numpy(dtype=bool)
    if pd.api.types.is_integer_dtype(series.dtype) and not series.hasnans:
        if len(series) and series.max() > np.iinfo(np.int64).max:
            raise StoreError(
                f"Column {series.name!r} of the {what} cannot be stored: {series.max()} is no number of 64 bits with a "
                "sign. Turn it into text first."
            )
        return series.to_numpy(dtype=np.int64)
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_complex_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    absent = series.isna().to_numpy()
    values = series.to_numpy(dtype=object, copy=True)
    wrong = [value for value, gone in zip(values, absent, strict=True) if not gone and not isinstance(value, str)]
    if wrong:
        raise StoreError(
            f"Column {series.name!r} of the {what} cannot be stored: it holds {wrong[0]!r} "
            f"({type(wrong[0]).__name__}). Turn it into text or numbers first."
        )
    if absent.any():
        # In a column with gaps an empty text is one, on disk too.
        absent = absent | (values == "")
    values[absent] = None
    return pd.Series(values, dtype=object)


def write_table(
    folder: Path, frame: pd.DataFrame, dimension: str, attributes: Mapping[str, object] | None = None
) -> None:
    """Write a frame that `storable` returned; the group's own metadata come last."""
    for name in frame.columns:
        values = frame[name].to_numpy()
        about: dict[str, object] = dict(unit_and_name(name))
        if values.dtype == object:
            absent = frame[name].isna().to_numpy()
            if absent.any():
                # Text of variable length has no missing value, so the reader is told that "" stands for it.
                about |= MISSING
            values = np.where(absent, "", values)
        kind = "text" if values.dtype == object else values.dtype
        array = create_array(folder / name, values.shape, values.shape, kind, (dimension,), about)
        if len(values):
            array[:] = values
    write_group(folder, {**(attributes or {}), "columns": list(frame.columns)})


def read_table(root: Path, name: str, required: Sequence[str]) -> pd.DataFrame:
    """Return a table of a store with its columns in the order in which they were written.

    Raises
    ------
    StoreError
        It is damaged: a column is missing, its file is, or columns have different lengths.
    """
    metadata = root / name / METADATA
    if not metadata.exists():
        raise damaged(root, metadata, "is missing")
    names = read_attributes(root / name).get("columns")
    if not isinstance(names, list) or not set(required) <= {str(column) for column in names}:
        raise damaged(root, metadata, f"names the columns {names!r}, without one of {', '.join(required)}")
    for column in names:
        if not isinstance(column, str) or Path(column).name != column or column in ("", ".", ".."):
            raise damaged(root, metadata, f"names a column {column!r}, which is no name of a column")
    columns = {column: _read_column(root, f"{name}/{column}") for column in names}
    if len({len(values) for values in columns.values()}) > 1:
        raise damaged(root, root / name, "has columns of different lengths")
    return pd.DataFrame(columns)


def _read_column(root: Path, inside: str) -> pd.Series:
    array = open_array(root, inside)
    if array.ndim != 1:
        raise damaged(root, root / inside / METADATA, f"is of shape {array.shape}")
    values = np.asarray(array[:])
    if values.dtype.kind not in "OUT":
        return pd.Series(values)
    values = values.astype(object)
    if MISSING.items() <= dict(array.attrs).items():
        values[values == ""] = None
    return pd.Series(values, dtype="str" if pd.__version__ >= "3" else object)
