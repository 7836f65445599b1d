"""Columns that are factors: which they are, in which order their levels stand, and ordered copies of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.gamm.formula.expression import Name
from layerstats.stats.gamm.formula.terms import Formula

# From here R may name a level 1e+05.
_LONGEST_NAME = 100_000

FactorLevels = Mapping[str, Sequence[object] | None]
OrderedCopies = Mapping[str, tuple[str, str]]
# Up to so many different whole numbers may be codes.
_FEW = 12


def code_factors(
    frame: pd.DataFrame, formula: Formula, factors: FactorLevels | None, ordered: OrderedCopies | None
) -> tuple[pd.DataFrame, list[str]]:
    """Return a copy of `frame` whose factors are Categoricals, the reference level first, and notes on what was done.

    String and Boolean columns of the formula become factors with sorted levels; `factors` states other levels (or None:
    sorted) and makes factors of numbers; `ordered` adds ordered copies.

    Raises
    ------
    DataError
        A factor has one level only, or holds a level that was not listed.
    ArgumentError
        A level is listed twice, or an ordered copy would overwrite a column or names an unknown reference.
    """
    coded = frame.copy()
    notes: list[str] = []
    stated = dict(factors or {})
    copies = dict(ordered or {})
    check_columns(coded, stated, "the data (named in 'factors')")
    check_columns(coded, [source for source, _ in copies.values()], "the data (named in 'ordered')")
    sources = [source for source, _ in copies.values()]
    for column in dict.fromkeys([*formula.columns, *stated, *sources]):
        if column in copies or column in formula.response_only:
            continue
        if column in stated or column in sources or not _is_numeric(coded, column) or _is_code(coded, column, formula):
            coded[column], note = _factor(coded, column, stated.get(column))
            notes += note
    for name, (source, reference) in copies.items():
        coded[name] = _ordered_copy(coded, name, source, reference)
        notes.append(
            f"{name} is {source} as an ordered factor with reference {reference!r}: its smooths are differences."
        )
    for column in formula.columns:
        _check_levels(coded, column)
    return coded, notes


def check_factor_options(factors: object, ordered: object) -> None:
    """Raise `ArgumentError` unless these have the form that `code_factors` takes."""
    if factors is not None and not isinstance(factors, Mapping):
        raise ArgumentError(
            f"'factors' must be like {{'word': ['ask', 'dark']}} or {{'word': None}}, but got {factors!r}."
        )
    for column, levels in (factors or {}).items():
        if isinstance(levels, str) or not (levels is None or isinstance(levels, Iterable)):
            raise ArgumentError(
                f"The levels of {column!r} must be a list, or None for all, but got {levels!r} instead."
            )
    if ordered is not None and not isinstance(ordered, Mapping):
        raise ArgumentError(f"'ordered' must be like {{'word_ordered': ('word', 'ask')}}, but got {ordered!r} instead.")
    for name, copy in (ordered or {}).items():
        if isinstance(copy, str) or not isinstance(copy, Sequence) or len(copy) != 2:
            raise ArgumentError(f"The ordered copy {name!r} must be (column, reference), but got {copy!r} instead.")


def _is_numeric(frame: pd.DataFrame, column: str) -> bool:
    return pd.api.types.is_numeric_dtype(frame[column]) and not pd.api.types.is_bool_dtype(frame[column])


def _is_code(frame: pd.DataFrame, column: str, formula: Formula) -> bool:
    """Return whether a column holds whole numbers that the formula takes as levels, with the names that R has."""
    if column not in formula.made_factors or column in formula.response_columns:
        return False
    numbers = frame[column].to_numpy(dtype=float)
    return bool(np.all(numbers == np.round(numbers)) and np.abs(numbers).max() < _LONGEST_NAME)


def _factor(frame: pd.DataFrame, column: str, levels: Sequence[object] | None) -> tuple[pd.Series, list[str]]:
    values: pd.Series = frame.loc[:, column]
    if isinstance(values.dtype, pd.CategoricalDtype) and levels is None:
        return _used_categories(values, column)
    text = level_names(values)
    if _is_numeric(frame, column):
        # 2 before 10, as in R.
        present = list(dict.fromkeys(text.iloc[np.argsort(values.to_numpy(dtype=float), kind="stable")]))
    else:
        present = sorted(text.unique())
    if levels is None:
        listed = present
        notes = [f"{column} is a factor with levels in sorted order: {_listed(present)}."]
    else:
        listed = [str(level) for level in level_names(pd.Series(list(levels)))]
        notes = []
        repeated = sorted({level for level in listed if listed.count(level) > 1})
        if repeated:
            raise ArgumentError(f"The levels of {column!r} list {', '.join(map(repr, repeated))} more than once.")
        unknown = [level for level in present if level not in listed]
        if unknown:
            raise DataError(
                f"Column {column!r} holds {', '.join(map(repr, unknown[:10]))}, which is not among the levels "
                f"given ({_listed(listed)}). List it, or drop these rows first."
            )
        absent = [level for level in listed if level not in present]
        if absent:
            notes.append(f"Level {', '.join(map(repr, absent))} of {column} has no rows and was left out.")
        listed = [level for level in listed if level in present]
    return pd.Series(pd.Categorical(text, categories=listed), index=values.index, name=column), notes


def _used_categories(values: pd.Series, column: str) -> tuple[pd.Series, list[str]]:
    unused = [str(level) for level in values.cat.categories if level not in set(values.unique())]
    used = values.cat.remove_unused_categories()
    used = used.cat.rename_categories([str(level) for level in used.cat.categories])
    kind = "an ordered factor (treatment contrasts)" if used.cat.ordered else "a factor"
    notes = [f"{column} is {kind} with its own order of levels: {_listed(list(used.cat.categories))}."]
    if unused:
        notes.append(f"Level {', '.join(map(repr, unused))} of {column} has no rows and was left out.")
    return used, notes


def level_names(values: pd.Series) -> pd.Series:
    """Return values as the names of levels: whole numbers without a decimal point, as in R."""
    if not pd.api.types.is_float_dtype(values):
        return values.astype(str)
    # Each by itself, so that 1.0 is "1" whether or not 0.5 stands beside it.
    names = {number: repr(float(number)).removesuffix(".0") for number in values.unique()}
    return values.map(names).astype(str)


def number_notes(formula: Formula, frame: pd.DataFrame) -> list[str]:
    """Say of which terms the columns are numbers where a factor may be meant: codes of speakers or of conditions."""
    notes = []
    for smooth in formula.smooths:
        names = [variable.name for variable in smooth.variables if isinstance(variable, Name)]
        numbers = [name for name in names if _is_numeric(frame, name)]
        if smooth.bases == ("re",) and len(numbers) == len(smooth.variables):
            notes.append(
                f"{smooth.label} is one random slope along {' times '.join(numbers)}, since {numbers[0]} holds "
                f"numbers. factors={{{numbers[0]!r}: None}} makes levels of them."
            )
        if isinstance(smooth.by, Name) and _is_numeric(frame, smooth.by.name):
            levels = np.unique(frame[smooth.by.name].to_numpy(dtype=float))
            if 2 < len(levels) <= _FEW and np.all(levels == np.round(levels)):
                notes.append(
                    f"{smooth.label} is one smooth times {smooth.by.name}, since that holds numbers "
                    f"({_listed(f'{level:g}' for level in levels)}). factors={{{smooth.by.name!r}: None}} makes a "
                    "smooth for each."
                )
    return notes


def _ordered_copy(frame: pd.DataFrame, name: str, source: str, reference: str) -> pd.Series:
    if name in frame.columns:
        raise ArgumentError(f"The ordered copy {name!r} would overwrite a column of the data. Choose another name.")
    levels = list(frame[source].cat.categories)
    if str(reference) not in levels:
        raise ArgumentError(
            f"Invalid reference for the ordered copy {name!r}: {reference!r} is not a level of {source!r}. "
            f"Its levels are {_listed(levels)}."
        )
    reordered = [str(reference), *(level for level in levels if level != str(reference))]
    categorical = pd.Categorical(frame[source].astype(str), categories=reordered, ordered=True)
    return pd.Series(categorical, index=frame.index, name=name)


def _check_levels(frame: pd.DataFrame, column: str) -> None:
    values = frame[column]
    if isinstance(values.dtype, pd.CategoricalDtype) and len(values.cat.categories) < 2:
        only = ", ".join(map(repr, values.cat.categories))
        raise DataError(
            f"The factor {column!r} has one level ({only}). A model needs two levels or more: leave {column!r} out of "
            "the formula, or add data."
        )


def copies_of(frame: pd.DataFrame, column: str) -> tuple[str, ...]:
    """Return the other factors of `frame` that hold the same level as `column` in every row, such as ordered copies."""
    values = frame[column].astype(str)
    return tuple(
        other
        for other in map(str, frame.columns)
        if other != column
        and isinstance(frame[other].dtype, pd.CategoricalDtype)
        and set(frame[other].cat.categories) == set(frame[column].cat.categories)
        and bool((frame[other].astype(str) == values).all())
    )


def factor_levels(frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the levels of each factor of `frame`, the reference first."""
    return {
        str(column): tuple(map(str, frame[column].cat.categories))
        for column in frame.columns
        if isinstance(frame[column].dtype, pd.CategoricalDtype)
    }


def _listed(levels: Iterable[object]) -> str:
    names = list(map(str, levels))
    return ", ".join(names) if len(names) <= 12 else f"{', '.join(names[:10])}, ... ({len(names)} levels)"
