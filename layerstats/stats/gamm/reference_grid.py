"""Rows at which curves are compared: one covariate along a grid, everything else held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.stats.gamm.factors import copies_of
from layerstats.stats.gamm.new_data import needed_columns
from layerstats.stats.gamm.result import GammResult

_GRID_POINTS = 100


@dataclass(frozen=True, eq=False)
class ReferenceGrid:
    """Rows along one covariate.

    Attributes
    ----------
    covariate
        Its column.
    frame
        All columns that the fixed part of the model needs; the factors that are compared still to be set.
    notes
        What was held where.
    """

    covariate: str
    frame: pd.DataFrame
    notes: tuple[str, ...]


def reference_grid(result: GammResult, at: Mapping[str, object] | None, compared: Sequence[str]) -> ReferenceGrid:
    """Return rows along the covariate of `at`, other numbers at their median and other factors at their first level.

    Parameters
    ----------
    result
        The model.
    at
        Values of columns: one of them an array (the grid), any others single values. Without an array, 100 points over
        the range of the model's covariate, where there is only one.
    compared
        Factor columns that the caller will set.

    Raises
    ------
    ArgumentError
        Which covariate to go along is not clear, or `at` names something else.
    """
    frame = result.request.frame
    needed = needed_columns(result.request, result.smooth_labels, result.random_terms)
    given = dict(at or {})
    for column in given:
        if column not in needed:
            raise ArgumentError(
                f"Invalid column for the 'at' parameter. Allowed columns are {', '.join(map(repr, needed))}, but got "
                f"{column!r} instead."
            )
    covariate = _covariate(result, given)
    grid = _grid(frame, covariate, given.pop(covariate, None))
    rows: dict[str, object] = {covariate: grid}
    notes = []
    for column in needed:
        if column == covariate or column in compared:
            continue
        values = frame[column]
        is_factor = isinstance(values.dtype, pd.CategoricalDtype)
        if column in given:
            rows[column] = str(given[column]) if is_factor else given[column]
            continue
        if is_factor and set(copies_of(frame, column)) & (set(compared) | set(rows)):
            continue  # follows the factor that it is a copy of
        held = str(values.cat.categories[0]) if is_factor else float(np.median(values.to_numpy(dtype=float)))
        rows[column] = held
        notes.append(f"{column} is held at {held if is_factor else format(held, 'g')}.")
    return ReferenceGrid(covariate, pd.DataFrame(rows), tuple(notes))


def set_levels(result: GammResult, frame: pd.DataFrame, columns: Sequence[str], levels: Sequence[str]) -> pd.DataFrame:
    """Return `frame` with the factors in `columns` at `levels`; ordered copies follow.

    Raises
    ------
    ArgumentError
        A column is not a factor of the model, or has no such level.
    """
    changed = frame.copy()
    for column, level in zip(columns, levels, strict=True):
        check_choice("factor_columns", column, list(result.levels))
        check_choice(f"level of {column}", str(level), result.levels[column])
        for name in (column, *copies_of(result.request.frame, column)):
            if name == column or name not in columns:
                changed[name] = str(level)
    return changed


def _covariate(result: GammResult, given: Mapping[str, object]) -> str:
    arrays = [column for column, values in given.items() if np.ndim(np.asarray(values)) == 1]
    if len(arrays) > 1:
        raise ArgumentError(f"Only one column of 'at' may be a grid, but {', '.join(map(repr, arrays))} are.")
    if arrays:
        return arrays[0]
    frame = result.request.frame
    candidates = dict.fromkeys(
        column
        for smooth in result.request.formula.smooths
        if not smooth.random
        for column in smooth.columns
        if not isinstance(frame[column].dtype, pd.CategoricalDtype) and column not in given
    )
    if len(candidates) != 1:
        found = ", ".join(map(repr, candidates)) or "none"
        raise ArgumentError(
            f"Say which covariate to go along: at={{'column': grid}}. The model's smooths have these: {found}."
        )
    return next(iter(candidates))


def _grid(frame: pd.DataFrame, covariate: str, values: object) -> np.ndarray:
    observed = frame[covariate]
    if isinstance(observed.dtype, pd.CategoricalDtype):
        raise ArgumentError(f"{covariate!r} is a factor; the grid of 'at' must go along a number.")
    if values is None:
        places = observed.to_numpy(dtype=float)
        return np.linspace(places.min(), places.max(), _GRID_POINTS)
    grid = np.asarray(values, dtype=float)
    if len(grid) < 2 or not np.all(np.isfinite(grid)) or np.any(np.diff(grid) <= 0):
        raise ArgumentError(f"The grid of {covariate!r} must hold two or more finite numbers in ascending order.")
    return grid
