"""The one set of argument checks: early, with the value that was wrong and what to do about it."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable
from numbers import Integral, Real
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError, DataError, MissingDependencyError


def check_choice(name: str, value: object, allowed: Collection[object]) -> None:
    """Raise `ArgumentError` unless `value` is one of `allowed`.

    Examples
    --------
    >>> check_choice("interval", "pointwise", ["pointwise", "simultaneous"])
    """
    if value not in allowed:
        listed = ", ".join(repr(choice) for choice in allowed)
        raise ArgumentError(
            f"Invalid value for the {name!r} parameter. Allowed values are {listed}, but got {value!r} instead."
        )


def check_positive(name: str, value: float) -> None:
    """Raise `ArgumentError` unless `value` is a finite number above zero."""
    if not np.isfinite(value) or value <= 0:
        raise ArgumentError(f"The {name!r} parameter must be a positive number, but got {value!r} instead.")


def check_count(name: str, value: object) -> None:
    """Raise `ArgumentError` unless `value` is a whole number above zero."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ArgumentError(f"The {name!r} parameter must be a positive whole number, but got {value!r} instead.")


def check_part(part: tuple[int, int]) -> None:
    """Raise `ArgumentError` unless a part of a work that several jobs share is one of those that there are.

    Examples
    --------
    >>> check_part((3, 64))
    """
    number, count = part
    if not 1 <= number <= count:
        raise ArgumentError(
            f"There is no part {number} of {count}: parts count from 1 to {count}. In an array of SLURM that is "
            f"--array=1-{count} with --shard $SLURM_ARRAY_TASK_ID/{count}."
        )


def check_seed(seed: object) -> None:
    """Raise `ArgumentError` unless `seed` is a whole number, zero or above, as numpy's generators take it."""
    if not isinstance(seed, Integral) or isinstance(seed, bool) or seed < 0:
        raise ArgumentError(f"The 'seed' parameter must be a whole number, zero or above, but got {seed!r} instead.")


def check_share(name: str, value: object) -> None:
    """Raise `ArgumentError` unless `value` is a number between 0 and 1, neither of them included."""
    if not isinstance(value, Real) or not 0 < float(value) < 1:
        raise ArgumentError(f"The {name!r} parameter must lie between 0 and 1, but got {value!r} instead.")


def check_not_negative(name: str, value: object) -> None:
    """Raise `ArgumentError` unless `value` is a finite number, zero or above."""
    if not isinstance(value, Real) or not np.isfinite(float(value)) or value < 0:
        raise ArgumentError(f"The {name!r} parameter must be a number, zero or above, but got {value!r} instead.")


def check_columns(frame: pd.DataFrame, columns: Iterable[str], what: str = "the table") -> None:
    """Raise `DataError` naming the columns that `frame` lacks."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        present = ", ".join(map(str, frame.columns[:30]))
        raise DataError(f"Column {', '.join(map(repr, missing))} is not in {what}. Its columns are: {present}.")


def check_own_names(columns: Iterable[str], results: Iterable[str]) -> None:
    """Raise `ArgumentError` where a column of the data would take the place of one of the results.

    Examples
    --------
    >>> check_own_names(["voice", "system"], ["estimate", "std_error"])
    """
    taken = [column for column in columns if column in set(results)]
    if taken:
        raise ArgumentError(
            f"The column {taken[0]!r} of the data is called as a column of the results, which cannot hold both. Give "
            "it another name in the data, and in the formula if there is one."
        )


def check_complete(
    frame: pd.DataFrame,
    columns: Iterable[str],
    what: str = "the table",
    advice: str = "Either impute or drop these rows.",
) -> None:
    """Raise `DataError` where a required column holds missing or infinite values."""
    for column in columns:
        values = frame[column]
        bad = np.asarray(values.isna(), dtype=bool)
        if pd.api.types.is_float_dtype(values):
            bad = bad | ~np.isfinite(values.to_numpy(dtype=float, na_value=np.nan))
        count = int(np.count_nonzero(bad))
        if count:
            raise DataError(
                f"NaN or infinite values present in required column {column!r} of {what} "
                f"({count} of {len(frame)} rows, first at row {frame.index[bad][0]}). {advice}"
            )


def read_as(annotation: Any, value: object, what: str) -> Any:
    """Value as the type that an annotation says, by pydantic's rules: the text "3" is the integer 3, "ask" is none.

    Parameters
    ----------
    annotation : type or typing construct
        What the value must be: `float`, `tuple[str, ...]`, a dataclass.
    value : object
        Text that a person wrote, or what was read from JSON.
    what : str
        What it is, for the message.

    Raises
    ------
    ArgumentError
        The value is not of that type.

    Examples
    --------
    >>> read_as(float, "0.05", "option 'tolerance_s'")
    0.05
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        # One alternative of a union after another; the first that is about a part says which part.
        problems = error.errors(include_url=False)
        reasons = "; or ".join(dict.fromkeys(problem["msg"][0].lower() + problem["msg"][1:] for problem in problems))
        part = f" ({'.'.join(map(str, problems[0]['loc']))})" if isinstance(value, dict) else ""
        wrong = repr(problems[0]["input"] if part else value)
        raise ArgumentError(f"Invalid value {wrong[:80]} for the {what}{part}: {reasons}.") from None


def require(module: str, purpose: str, extra: str) -> ModuleType:
    """Import an optional module, or raise `MissingDependencyError` with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"The package {module!r} is needed to {purpose} and could not be imported ({error}). "
            f"Install it with: pip install 'layerstats[{extra}]'"
        ) from error
