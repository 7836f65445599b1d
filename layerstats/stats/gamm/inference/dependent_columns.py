"""Columns that depend on the factors that are compared: indicators, interactions written as a column, ordered copies.

emmeans and gratia hold them at one value, and so compare rows that the data cannot have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.data.factors import level_names
from layerstats.stats.gamm.formula.terms import Formula

# Up to so many different values a number is a code, at which others can be looked up.
_FEW = 12
# Of a column's spread: what a straight line leaves of a column that is a multiple of the covariate.
_STRAIGHT = 1e-9

Levels = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class GridColumns:
    """Values of the columns of a reference grid.

    Attributes
    ----------
    held
        One value for all levels that are compared.
    dependent
        By combination of levels, the values of the columns that follow it.
    notes
        What was decided.
    """

    held: dict[str, object]
    dependent: dict[Levels, dict[str, object]]
    notes: tuple[str, ...]


def place_columns(
    frame: pd.DataFrame,
    columns: Sequence[str],
    compared: Sequence[str],
    combinations: Sequence[Levels],
    given: Mapping[str, object],
) -> GridColumns:
    """Return where each of `columns` stands for each of the combinations of levels of `compared`.

    A column that is a function of the compared factors in the data (or of these and of columns that are held) has the
    value that it has there. Others are held: numbers at their median, factors at their first level.

    Raises
    ------
    ArgumentError
        A column follows the compared factors, and the data have no row that says where it stands.
    """
    held: dict[str, object] = {}
    dependent: dict[Levels, dict[str, object]] = {levels: {} for levels in combinations}
    notes: dict[str, str] = {}
    keys: dict[str, object] = {}
    for column in _coarse_first(frame, columns):
        code = _is_factor(frame, column) or _count(frame, column) <= _FEW
        sources = _sources(frame, column, compared, list(keys) if code else [], combinations)
        if column in given:
            value = given[column]
            held[column] = str(level_names(pd.Series([value])).iloc[0]) if _is_factor(frame, column) else value
        elif sources:
            for levels, own in dependent.items():
                at = {**keys, **dict(zip(compared, levels, strict=True))}
                own[column] = _value_at(frame, column, {source: at[source] for source in sources})
            values = [own[column] for own in dependent.values()]
            if not set(sources) <= set(compared) or not _is_factor(frame, column):
                shown = ", ".join(f"{_shown(own)} at {':'.join(at)}" for at, own in zip(dependent, values, strict=True))
                notes[column] = f"{column} follows {', '.join(sources)}: {shown}."
        else:
            held[column] = _default(frame.loc[:, column])
            notes[column] = f"{column} is held at {_shown(held[column])}."
        if code and column in held:
            keys[column] = held[column]
    return GridColumns(held, dependent, tuple(notes[column] for column in columns if column in notes))


def check_covariate(
    frame: pd.DataFrame,
    formula: Formula,
    covariate: str,
    placed: GridColumns,
    compared: Sequence[str],
    given: Mapping[str, object],
    *,
    contrast: bool,
) -> None:
    """Refuse a grid along a covariate of which a held column is a function: curves would not be the model's.

    A `contrast` of levels does without terms that the levels share.

    Raises
    ------
    ArgumentError
        With the column.
    """
    moving = {*compared, *next(iter(placed.dependent.values()), {})}
    terms = [
        set(term.columns) for term in (*formula.parametric, *formula.smooths) if not getattr(term, "random", False)
    ]
    at_levels = [_rows_with(frame, dict(zip(compared, levels, strict=True))) for levels in placed.dependent]
    together = np.any(at_levels, axis=0)
    for column in placed.held:
        if column in given or _count(frame.loc[together], column) < 2:
            continue
        alone = _is_function_of_covariate(frame.loc[together], column, covariate)
        apart = all(_is_function_of_covariate(frame.loc[rows], column, covariate) for rows in at_levels)
        if (apart and not alone) or (
            alone and any(column in term and (moving & term or not contrast) for term in terms)
        ):
            raise ArgumentError(
                f"{column!r} is a function of {covariate!r}{'' if alone else ' and ' + ', '.join(map(repr, compared))} "
                "in the data, and cannot be held while a curve is drawn. Write it in the formula as that function, or "
                f"say where to hold it: at={{{column!r}: value}}."
            )


def _sources(
    frame: pd.DataFrame,
    column: str,
    compared: Sequence[str],
    keys: Sequence[str],
    combinations: Sequence[Levels],
) -> list[str]:
    """Return the columns that `column` is a function of, as few as there are; none where it is not."""
    for source in compared:
        own = {levels[compared.index(source)] for levels in combinations}
        if _is_function(frame.loc[frame[source].isin(list(own))], column, [source]):
            return [source]
    rows = np.any([_rows_with(frame, dict(zip(compared, own, strict=True))) for own in combinations], axis=0)
    if not rows.any():
        return []
    together = frame.loc[rows]
    if len(compared) > 1 and _is_function(together, column, compared):
        return list(compared)
    # A cell with one row is a function of anything.
    for key in keys:
        if _is_function(frame, column, [key], repeated=True):
            return [key]
    sources = [*compared, *keys]
    if not keys or not compared or not _is_function(together, column, sources, repeated=True):
        return []
    for source in tuple(sources):
        fewer = [other for other in sources if other != source]
        if fewer and _is_function(together, column, fewer, repeated=True):
            sources = fewer
    return sources


def _is_function(frame: pd.DataFrame, column: str, sources: Sequence[str], repeated: bool = False) -> bool:
    cells = frame.groupby(list(sources), observed=True, sort=False)[column].nunique()
    return len(cells) > 0 and bool((cells == 1).all()) and (not repeated or len(frame) >= 1.5 * len(cells))


def _is_function_of_covariate(frame: pd.DataFrame, column: str, covariate: str) -> bool:
    if _is_function(frame, column, [covariate], repeated=True):
        return True
    if _is_factor(frame, column):
        return False
    values, places = (frame[name].to_numpy(dtype=float) for name in (column, covariate))
    spread = values - values.mean()
    apart = places - places.mean()
    slope = (spread @ apart) / max(apart @ apart, np.finfo(float).tiny)
    return bool(np.abs(spread - slope * apart).max() <= _STRAIGHT * np.abs(values).max())


def _value_at(frame: pd.DataFrame, column: str, at: Mapping[str, object]) -> object:
    found = frame.loc[_rows_with(frame, at), column]
    if not len(found):
        where = " and ".join(f"{name} = {_shown(value)}" for name, value in at.items())
        raise ArgumentError(
            f"{column!r} follows {', '.join(map(repr, at))} in the data, but no row has {where}. Say where others are "
            f"held, for instance at={{{list(at)[-1]!r}: value}}, or at={{{column!r}: value}}."
        )
    return str(found.iloc[0]) if _is_factor(frame, column) else float(found.iloc[0])


def _rows_with(frame: pd.DataFrame, at: Mapping[str, object]) -> np.ndarray:
    rows = np.ones(len(frame), dtype=bool)
    for name, value in at.items():
        rows &= (frame[name] == (str(value) if _is_factor(frame, name) else value)).to_numpy()
    return rows


def _coarse_first(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return factors before numbers, those with fewer levels first: the others may be made of them."""
    return sorted(columns, key=lambda column: (not _is_factor(frame, column), _count(frame, column)))


def _default(values: pd.Series) -> object:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return str(values.cat.categories[0])
    numbers = np.sort(values.to_numpy(dtype=float))
    middle = float(np.median(numbers))
    # A code is held at one that there is.
    few = len(np.unique(numbers)) <= _FEW
    return float(numbers[(len(numbers) - 1) // 2]) if few and middle not in numbers else middle


def _is_factor(frame: pd.DataFrame, column: str) -> bool:
    return isinstance(frame[column].dtype, pd.CategoricalDtype)


def _count(frame: pd.DataFrame, column: str) -> int:
    return len(pd.unique(frame.loc[:, column]))


def _shown(value: object) -> str:
    return format(value, "g") if isinstance(value, (int, float)) else str(value)
