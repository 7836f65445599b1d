"""A table of ratings made ready for a mixed model: complete rows, ordered categories, coded factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.gamm.data.cell_checks import present_rows
from layerstats.stats.gamm.data.factors import level_names
from layerstats.stats.ratings.mixed_models.mixed_formula import MixedFormula
from layerstats.tables.answers import ROLES

Levels = Mapping[str, Sequence[object]]
# A response that reaches further is no scale: its categories are not even listed.
_MOST_CATEGORIES = 10_000
_MOST_NAMED = 10


@dataclass(frozen=True, eq=False)
class RatedRows:
    """What a fit needs of a table.

    Attributes
    ----------
    frame
        The columns of the formula, of the rows that are used; factors are Categoricals.
    codes
        (row,) the category of each rating, from 0.
    categories
        Their names, lowest first.
    notes
        What was decided.
    """

    frame: pd.DataFrame
    codes: np.ndarray
    categories: tuple[str, ...]
    notes: tuple[str, ...]


def rated_rows(formula: MixedFormula, data: pd.DataFrame, levels: Levels | None, na: str) -> RatedRows:
    """Check and code `data` for a model.

    Raises
    ------
    FormulaError
        The formula uses a column that is not there.
    DataError
        Values are missing, levels are unknown, or there are fewer than two categories.
    ArgumentError
        `levels` are listed twice.
    """
    if not isinstance(data, pd.DataFrame):
        raise ArgumentError(f"The data must be a pandas DataFrame, but got {type(data).__name__} instead.")
    if data.empty:
        raise DataError("The data have no rows.")
    formula.check_columns(data.columns)
    data, role_notes = _tested(data, formula)
    stated = _checked_levels(levels, formula.columns)
    present, notes = present_rows(data, list(formula.columns), na)
    frame = pd.DataFrame(data.iloc[present][list(formula.columns)].copy())
    codes, categories, category_notes = _categories(pd.Series(frame[formula.response]), stated.get(formula.response))
    notes = [*role_notes, *notes, *category_notes]
    for column in formula.design_columns:
        values = pd.Series(frame[column])
        numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        if column in stated or not numeric or column in formula.made_factors:
            frame[column], own = _factor(values, column, stated.get(column), numeric)
            notes += own
    return RatedRows(frame, codes, categories, tuple(notes))


def _tested(data: pd.DataFrame, formula: MixedFormula) -> tuple[pd.DataFrame, list[str]]:
    """Leave out catch trials, references and training, where the table is one of answers of a listening test."""
    if "role" not in data or "role" in formula.columns or not set(data["role"]) <= set(ROLES):
        return data, []
    tested = data["role"].to_numpy(dtype=object) == "test"
    if tested.all():
        return data, []
    if not tested.any():
        raise DataError("No row has the role 'test': catch trials, references and training are not analysed.")
    others = ", ".join(sorted(set(data.loc[~tested, "role"])))
    note = f"{np.count_nonzero(~tested)} of {len(data)} rows were left out, of trials that are no tests: {others}."
    return pd.DataFrame(data.loc[tested]), [note]


def _checked_levels(levels: Levels | None, columns: Sequence[str]) -> dict[str, list[str]]:
    found = {}
    for column, listed in (levels or {}).items():
        if column not in columns:
            raise ArgumentError(f"'levels' names {column!r}, which the formula does not use.")
        if isinstance(listed, str) or not isinstance(listed, Sequence):
            raise ArgumentError(f"The levels of {column!r} must be a list, but got {listed!r} instead.")
        names = list(level_names(pd.Series(list(listed))))
        if len(set(names)) < len(names):
            raise ArgumentError(f"The levels of {column!r} list one more than once: {', '.join(names)}.")
        found[column] = names
    return found


def _categories(values: pd.Series, stated: list[str] | None) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """Return the category of each rating, and the categories that somebody used."""
    column = str(values.name)
    if stated is not None:
        listed, names = stated, level_names(values)
    elif isinstance(values.dtype, pd.CategoricalDtype):
        listed, names = list(level_names(pd.Series(values.cat.categories))), values.astype(str)
    elif pd.api.types.is_bool_dtype(values):
        listed, names = ["False", "True"], values.astype(str)
    elif pd.api.types.is_numeric_dtype(values):
        # Zero has no sign.
        numbers = values.to_numpy(dtype=float) + 0.0
        broken = numbers[numbers != np.round(numbers)]
        if len(broken):
            raise DataError(
                f"The response {column!r} must hold whole numbers or ordered categories, but holds {broken[0]:g}: "
                "means of ratings are no ratings. Give a row for each rating, or say levels={...} of the response."
            )
        if numbers.max() - numbers.min() >= _MOST_CATEGORIES:
            raise DataError(
                f"The response {column!r} reaches from {numbers.min():g} to {numbers.max():g}: that is no scale of "
                "categories. Correct or leave out what is not on the scale, or say levels={...} of the response."
            )
        listed = [f"{number:.0f}" for number in range(int(numbers.min()), int(numbers.max()) + 1)]
        names = pd.Series([f"{number:.0f}" for number in numbers], index=values.index)
    else:
        raise DataError(
            f"The response {column!r} holds text, such as {str(values.iloc[0])!r}, whose order is not known: say "
            f"levels={{{column!r}: [lowest, ..., highest]}}."
        )
    present = set(names)
    unknown = sorted(present - set(listed))
    if unknown:
        raise DataError(
            f"The response {column!r} holds {', '.join(map(repr, unknown[:10]))}, which is not among its categories "
            f"{', '.join(listed)}."
        )
    used = [name for name in listed if name in present]
    if len(used) < 2:
        raise DataError(f"The response {column!r} is {used[0]} in every row; there is nothing to model.")
    unused = [name for name in listed if name not in present]
    notes = []
    if unused:
        named = ", ".join(unused[:_MOST_NAMED]) + (f", ... ({len(unused)})" if len(unused) > _MOST_NAMED else "")
        notes.append(
            f"Nobody used the categor{'y' if len(unused) == 1 else 'ies'} {named} of {column}: "
            f"{'it has' if len(unused) == 1 else 'they have'} no threshold."
        )
    codes = pd.Categorical(names, categories=used).codes.astype(int)
    return codes, tuple(used), notes


def _factor(values: pd.Series, column: str, stated: list[str] | None, numeric: bool) -> tuple[pd.Series, list[str]]:
    names = level_names(values)
    if stated is not None:
        listed, notes = stated, []
    elif isinstance(values.dtype, pd.CategoricalDtype):
        listed, notes = list(map(str, level_names(pd.Series(values.cat.categories)))), []
    else:
        # 2 before 10, as in R.
        listed = (
            list(dict.fromkeys(names.iloc[np.argsort(values.to_numpy(), kind="stable")]))
            if numeric
            else sorted(names.unique())
        )
        notes = [f"{column} is a factor with levels in sorted order: {_listed(listed)}."]
    present = set(names)
    unknown = sorted(present - set(listed))
    if unknown:
        raise DataError(
            f"Column {column!r} holds {', '.join(map(repr, unknown[:10]))}, which is not among the levels given "
            f"({_listed(listed)})."
        )
    absent = [name for name in listed if name not in present]
    if absent:
        notes.append(f"Level {', '.join(map(repr, absent))} of {column} has no rows and was left out.")
    used = [name for name in listed if name not in absent]
    return pd.Series(pd.Categorical(names, categories=used), index=values.index, name=column), notes


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 12 else f"{', '.join(names[:10])}, ... ({len(names)} levels)"
