"""Measurements as a matrix: a row a subject, a column a condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import ArgumentError, DataError

_WHAT = "the table of measurements"


@dataclass(frozen=True, eq=False)
class Measurements:
    """One value for each subject and condition.

    Attributes
    ----------
    matrix
        (subject, condition)
    subjects
        Names.
    conditions
        The levels of each factor within subjects, a tuple a condition; the last factor runs fastest.
    levels
        The levels of each of these factors, in the order of their first rows.
    groups
        The levels of the factor between subjects; one empty name where there is none.
    group_of
        (subject,) numbers of these.
    """

    matrix: np.ndarray
    subjects: tuple[str, ...]
    conditions: tuple[tuple[str, ...], ...]
    levels: tuple[tuple[str, ...], ...]
    groups: tuple[str, ...]
    group_of: np.ndarray


def read_measurements(
    frame: pd.DataFrame, value: str, subject: str, within: Sequence[str], between: str | None = None
) -> Measurements:
    """Lay measurements out by subject and condition.

    Raises
    ------
    ArgumentError
        A factor is named twice, or there is none.
    DataError
        A column is missing or incomplete or holds no numbers, a subject lacks a condition or has it twice or is in two
        groups, a factor has one level, or there are too few subjects.
    """
    names = [value, subject, *within, *([between] if between else [])]
    if not within or len(set(names)) < len(names):
        raise ArgumentError(
            f"'value', 'subject', 'within' and 'between' must name different columns, 'within' one or more: {names}."
        )
    check_columns(frame, names, _WHAT)
    check_complete(frame, names, _WHAT, "A subject without a value in one condition has to be left out altogether.")
    if not pd.api.types.is_numeric_dtype(frame[value]):
        raise DataError(f"Column {value!r} of {_WHAT} must hold numbers, but its dtype is {frame[value].dtype}.")
    table = frame.loc[:, names].assign(**{name: frame[name].astype(str) for name in names[1:]})
    levels = tuple(tuple(map(str, table[name].unique())) for name in within)
    for name, own in zip(within, levels, strict=True):
        if len(own) < 2:
            raise DataError(f"The factor {name!r} has one level only, {own[0] if own else 'none'!r}.")
    conditions = tuple(product(*levels))
    subjects = tuple(map(str, table[subject].unique()))
    groups, group_of = _groups(table, subject, between, subjects)
    _check_once(table, subject, list(within), conditions)
    wide = table.pivot_table(index=subject, columns=list(within), values=value)
    order = conditions if len(within) > 1 else [condition[0] for condition in conditions]
    matrix = wide.loc[list(subjects), list(order)].to_numpy(dtype=float)
    spare = len(subjects) - len(groups)
    if spare < 1 or np.bincount(group_of).min() < 2:
        raise DataError(
            f"There are too few subjects ({len(subjects)} in {len(groups)} groups): two or more a group are needed to "
            "know how they vary."
        )
    return Measurements(matrix, subjects, conditions, levels, groups, group_of)


def _check_once(table: pd.DataFrame, subject: str, within: list[str], conditions: tuple[tuple[str, ...], ...]) -> None:
    twice = table.duplicated([subject, *within])
    if twice.any():
        first = table.loc[twice].iloc[0]
        where = ", ".join(f"{name} {first[name]!r}" for name in within)
        raise DataError(
            f"The subject {first[subject]!r} has two values for {where} ({int(twice.sum())} of {len(table)} rows): "
            "give means, or name the factor in which they differ."
        )
    counts = {str(name): len(own) for name, own in table.groupby(subject, sort=False)}
    lacking = [name for name, count in counts.items() if count < len(conditions)]
    if lacking:
        own = pd.DataFrame(table.loc[table[subject] == lacking[0], within])
        missing = sorted(set(conditions) - set(own.itertuples(index=False, name=None)))[0]
        where = ", ".join(f"{name} {level!r}" for name, level in zip(within, missing, strict=True))
        raise DataError(
            f"The subject {lacking[0]!r} has no value for {where} ({len(lacking)} of {len(counts)} subjects lack "
            "a condition). Leave such subjects out altogether."
        )


def _groups(
    table: pd.DataFrame, subject: str, between: str | None, subjects: tuple[str, ...]
) -> tuple[tuple[str, ...], np.ndarray]:
    if between is None:
        return ("",), np.zeros(len(subjects), dtype=np.int64)
    levels: dict[str, list[str]] = {name: [] for name in subjects}
    for name, group in zip(table[subject], table[between], strict=True):
        if group not in levels[name]:
            levels[name].append(group)
    both = [name for name in subjects if len(levels[name]) > 1]
    if both:
        raise DataError(
            f"The subject {both[0]!r} is in several levels of {between!r}: name that factor in 'within', or give "
            "each its own subject."
        )
    groups = tuple(map(str, table[between].unique()))
    if len(groups) < 2:
        raise DataError(f"The factor {between!r} has one level only, {', '.join(groups)!r}.")
    return groups, np.array([groups.index(levels[name][0]) for name in subjects])
