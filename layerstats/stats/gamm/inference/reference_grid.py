"""Rows at which curves are compared: one covariate along a grid, everything else held, or where the data have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.stats.gamm.data.factors import factor_levels, level_names
from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.formula.expression import names_in
from layerstats.stats.gamm.inference.dependent_columns import GridColumns, Levels, check_covariate, place_columns

_GRID_POINTS = 100


@dataclass(frozen=True, eq=False)
class ReferenceGrid:
    """Rows along one covariate.

    Attributes
    ----------
    covariate
        Its column.
    compared
        The factors that are compared.
    frame
        All columns that the fixed part of the model needs; those that are compared, and those that follow them, still
        to be set.
    placed
        Where the others are.
    """

    covariate: str
    compared: tuple[str, ...]
    frame: pd.DataFrame
    placed: GridColumns

    @property
    def notes(self) -> tuple[str, ...]:
        """What was held where, and what follows the compared factors."""
        return self.placed.notes

    def rows(self, levels: Levels) -> pd.DataFrame:
        """Return the grid at one of the combinations of levels that it was made for."""
        own = dict(zip(self.compared, levels, strict=True))
        return self.frame.assign(**own, **self.placed.dependent[levels])


def reference_grid(
    request: FitRequest,
    at: Mapping[str, object] | None,
    compared: Sequence[str],
    combinations: Sequence[Levels],
    *,
    contrast: bool = False,
) -> ReferenceGrid:
    """Return rows along the covariate of `at`, other columns where `place_columns` puts them.

    Parameters
    ----------
    request
        The model, fitted or not.
    at
        Values of columns: one of them an array (the grid), any others single values. Without an array, 100 points over
        the range of the model's covariate, where there is only one.
    compared, combinations
        Factor columns, and the combinations of their levels that rows are wanted for.
    contrast
        Whether only differences between the combinations are wanted: what all of them share cancels.

    Raises
    ------
    ArgumentError
        A column is not a factor of the model, or has no such level; which covariate to go along is not clear; `at`
        names something else; or a column cannot be held.
    """
    _check_levels(request, compared, combinations)
    frame = request.frame
    needed = fixed_columns(request)
    given = dict(at or {})
    allowed = [column for column in needed if column not in compared]
    for column in given:
        if column not in allowed:
            raise ArgumentError(
                "Invalid column for the 'at' parameter. Allowed columns are those of terms that are not random, and "
                f"not compared ({', '.join(map(repr, allowed)) or 'none'}), but got {column!r} instead."
            )
    covariate = _covariate(request, given)
    grid = _grid(frame, covariate, given.pop(covariate, None))
    for column, value in given.items():
        _check_place(frame, column, value)
    others = [column for column in needed if column != covariate and column not in compared]
    placed = place_columns(frame, others, compared, combinations, given)
    check_covariate(frame, request.formula, covariate, placed, compared, given, contrast=contrast)
    return ReferenceGrid(covariate, tuple(compared), pd.DataFrame({covariate: grid, **placed.held}), placed)


def fixed_columns(request: FitRequest) -> tuple[str, ...]:
    """Return the columns of the terms that are not random."""
    smooths = [smooth for smooth in request.formula.smooths if not smooth.random]
    return tuple(dict.fromkeys(column for term in (*request.formula.parametric, *smooths) for column in term.columns))


def _check_levels(request: FitRequest, columns: Sequence[str], combinations: Sequence[Levels]) -> None:
    for column in columns:
        check_factor(request.frame, column)
    known = factor_levels(request.frame)
    for levels in combinations:
        for column, level in zip(columns, levels, strict=True):
            check_choice(f"level of {column}", level, known[column])


def check_factor(frame: pd.DataFrame, column: str) -> None:
    """Raise `ArgumentError` unless `column` is a factor of a model's frame."""
    known = factor_levels(frame)
    if column in known:
        return
    if column in frame.columns:
        raise ArgumentError(
            f"{column!r} holds numbers in this model, and so has no levels to compare. "
            f"factors={{{column!r}: None}} makes a factor of it."
        )
    if not known:
        raise ArgumentError(f"The model has no factor, and so none that is called {column!r}.")
    check_choice("factor_columns", column, list(known))


def _check_place(frame: pd.DataFrame, column: str, value: object) -> None:
    """Raise `ArgumentError` where a column cannot be held at a value."""
    levels = factor_levels(frame).get(column)
    if levels is not None:
        check_choice(f"level of {column}", str(level_names(pd.Series([value])).iloc[0]), levels)
    elif not isinstance(value, (int, float, np.number)) or not np.isfinite(float(value)):
        raise ArgumentError(f"{column!r} holds numbers, and is held at one of them in 'at', but got {value!r} instead.")


def _covariate(request: FitRequest, given: Mapping[str, object]) -> str:
    arrays = [column for column, values in given.items() if np.ndim(np.asarray(values)) == 1]
    if len(arrays) > 1:
        raise ArgumentError(f"Only one column of 'at' may be a grid, but {', '.join(map(repr, arrays))} are.")
    if arrays:
        return arrays[0]
    frame = request.frame
    candidates = dict.fromkeys(
        column
        for smooth in request.formula.smooths
        if not smooth.random
        for column in smooth.columns
        if not isinstance(frame[column].dtype, pd.CategoricalDtype) and column not in given
    )
    # A by variable that a curve is multiplied by is no covariate where the curve has one.
    if len(candidates) > 1:
        smooths = [smooth for smooth in request.formula.smooths if not smooth.random]
        along = {name for smooth in smooths for variable in smooth.variables for name in names_in(variable)}
        candidates = {column: None for column in candidates if column in along}
    numbers = [name for name in fixed_columns(request) if not isinstance(frame[name].dtype, pd.CategoricalDtype)]
    if not numbers:
        raise ArgumentError(
            "The model has no numbers to draw a curve along, but for those in random terms: what levels differ by is "
            "in the table of its coefficients."
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
    try:
        grid = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        grid = np.empty(0)
    if len(grid) < 2 or not np.all(np.isfinite(grid)) or np.any(np.diff(grid) <= 0):
        raise ArgumentError(f"The grid of {covariate!r} must hold two or more finite numbers in ascending order.")
    return grid
