"""Python values -> R values taken apart, without a loop over elements of a table."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError, DataError
from layerstats.rbridge.messages import NA_INTEGER, RValue

_LARGEST_INTEGER = 2**31 - 1
_LARGEST_EXACT_DOUBLE = 2**53


def to_r(value: object) -> RValue:
    """Take a Python value apart for R.

    None becomes NULL; a scalar or a sequence of scalars of one kind a vector; a mapping a named list; an array a vector
    or array; a Categorical a factor (an ordered one with treatment contrasts); a frame a data.frame. NaN in numbers
    stays NaN, a missing string or boolean becomes NA.

    Raises
    ------
    ArgumentError, DataError
        If R has nothing like it.

    Examples
    --------
    >>> to_r(["a", None]).payload
    ['a', None]
    """
    if value is None:
        return RValue("null", None, {})
    if isinstance(value, str):
        return RValue("character", [value], {})
    if isinstance(value, (bool, np.bool_, numbers.Real)):
        return _array(np.asarray([value]))
    if isinstance(value, pd.DataFrame):
        return _frame(value)
    if isinstance(value, (pd.Series, pd.Index)):
        return _column(pd.Series(value), str(value.name))
    if isinstance(value, pd.Categorical):
        return _factor(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, Mapping):
        return _list(list(value.values()), [str(key) for key in value])
    if isinstance(value, Sequence):
        return _sequence(value)
    raise ArgumentError(f"A value of type {type(value).__name__} cannot be handed to R: {value!r}.")


def _sequence(values: Sequence[object]) -> RValue:
    if values and all(value is None or isinstance(value, str) for value in values):
        return RValue("character", list(values), {})
    if values and all(isinstance(value, (bool, np.bool_, numbers.Real)) for value in values):
        return _array(np.asarray(values))
    return _list(list(values), None)


def _list(values: list[object], names: list[str] | None) -> RValue:
    attributes = {} if names is None else {"names": RValue("character", names, {})}
    return RValue("list", [to_r(value) for value in values], attributes)


def _array(values: np.ndarray) -> RValue:
    attributes = {} if values.ndim == 1 else {"dim": _integers(np.asarray(values.shape))}
    flat = values.ravel(order="F")
    if values.dtype == bool:
        return RValue("logical", flat.astype(np.int32).tobytes(), attributes)
    if np.issubdtype(values.dtype, np.integer):
        return _whole_numbers(flat, attributes)
    if np.issubdtype(values.dtype, np.floating):
        return RValue("double", flat.astype(np.float64).tobytes(), attributes)
    if values.dtype.kind in "UTO":
        return _strings(pd.Series(flat, dtype=object), "array", attributes)
    raise ArgumentError(f"An array of type {values.dtype} cannot be handed to R.")


def _whole_numbers(values: np.ndarray, attributes: dict[str, RValue]) -> RValue:
    largest = max(abs(int(values.min())), abs(int(values.max()))) if values.size else 0
    if largest <= _LARGEST_INTEGER:
        return RValue("integer", values.astype(np.int32).tobytes(), attributes)
    if largest > _LARGEST_EXACT_DOUBLE:
        raise ArgumentError(f"The whole number {largest} is too large for R, whose numbers are exact up to 2^53.")
    return RValue("double", values.astype(np.float64).tobytes(), attributes)


def _integers(values: np.ndarray) -> RValue:
    return RValue("integer", values.astype(np.int32).tobytes(), {})


def _frame(frame: pd.DataFrame) -> RValue:
    names = [str(name) for name in frame.columns]
    attributes = {
        "names": RValue("character", names, {}),
        "class": RValue("character", ["data.frame"], {}),
        # R's compact form of the row numbers 1..n.
        "row.names": _integers(np.asarray([NA_INTEGER, -len(frame)])),
    }
    columns = [_column(frame.iloc[:, position], name) for position, name in enumerate(names)]
    return RValue("list", columns, attributes)


def _column(column: pd.Series, name: str) -> RValue:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _factor(pd.Categorical(column))
    if pd.api.types.is_bool_dtype(column.dtype):
        codes = column.astype("boolean").astype("Int32").fillna(NA_INTEGER)
        return RValue("logical", codes.to_numpy(np.int32).tobytes(), {})
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype):
        if pd.api.types.is_integer_dtype(column.dtype) and not column.isna().any():
            return _whole_numbers(column.to_numpy(), {})
        return RValue("double", column.to_numpy(np.float64, na_value=np.nan).tobytes(), {})
    if pd.api.types.is_string_dtype(column.dtype) or column.dtype == object:
        return _strings(column, f"column {name!r}", {})
    raise DataError(
        f"Column {name!r} has type {column.dtype}, which R's models cannot use. "
        "Make it a number, a string or a category."
    )


def _strings(column: pd.Series, what: str, attributes: dict[str, RValue]) -> RValue:
    codes, distinct = pd.factorize(column.to_numpy(dtype=object), use_na_sentinel=True)
    pool = [str(value) for value in distinct] if all(isinstance(value, str) for value in distinct) else None
    if pool is None:
        strange = next(value for value in distinct if not isinstance(value, str))
        raise DataError(f"In {what} strings and other values are mixed, for instance {strange!r}. Use one kind only.")
    return RValue("pooled", (_codes(codes), pool), attributes)


def _factor(values: pd.Categorical) -> RValue:
    levels = RValue("character", [str(level) for level in values.categories], {})
    attributes = {"levels": levels, "class": RValue("character", ["factor"], {})}
    if values.ordered:
        attributes["class"] = RValue("character", ["ordered", "factor"], {})
        # Differences from the first level, as everywhere else, rather than R's polynomials.
        attributes["contrasts"] = RValue("character", ["contr.treatment"], {})
    return RValue("integer", _codes(values.codes), attributes)


def _codes(codes: np.ndarray) -> bytes:
    codes = codes.astype(np.int32)
    return np.where(codes < 0, NA_INTEGER, codes + 1).astype(np.int32).tobytes()
