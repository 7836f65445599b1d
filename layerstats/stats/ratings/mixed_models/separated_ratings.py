"""Whether a coefficient separates ratings, so that no finite value of it is the best."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from layerstats.stats.ratings.mixed_models.coded_columns import CodedColumns

# Of the largest coefficient of a separating direction.
_INVOLVED = 1e-6


def separating_columns(codes: np.ndarray, fixed: np.ndarray) -> list[int]:
    """Return the columns of a direction in which every rating only gains, none where there is no such direction.

    The direction moves thresholds t and coefficients b so that no row's interval shrinks at either end: t_y - x'b >= 0
    at its upper end and t_(y-1) - x'b <= 0 at its lower, some of them strictly (Albert and Anderson 1984, for ordered
    categories). It is found by a linear programme over the different rows.

    Parameters
    ----------
    codes : numpy.ndarray
        (row,) categories from 0.
    fixed : numpy.ndarray
        (row, column) of full rank beside a constant.

    Examples
    --------
    >>> separating_columns(np.array([0, 0, 1, 1]), np.array([[0.0, 1], [0, 0], [1, 1], [1, 0]]))
    [0]
    """
    if not fixed.shape[1]:
        return []
    size = np.abs(fixed).max(axis=0)
    rows = np.unique(np.column_stack([codes, fixed / np.where(size > 0, size, 1)]), axis=0)
    found, columns = rows[:, 0].astype(int), rows[:, 1:]
    count = int(codes.max())
    ends = np.eye(count + 2)[:, 1 : count + 1]
    upper = np.column_stack([ends[found + 1], -columns])[found < count]
    lower = np.column_stack([-ends[found], columns])[found > 0]
    gains = np.vstack([upper, lower])
    bounds = [(-1.0, 1.0)] * gains.shape[1]
    solved = optimize.linprog(-gains.sum(axis=0), A_ub=-gains, b_ub=np.zeros(len(gains)), bounds=bounds, method="highs")
    if not solved.success or -solved.fun < 1e-6:
        return []
    moved = np.abs(solved.x[count:])
    return [int(place) for place in np.flatnonzero(moved > _INVOLVED)]


def separation_message(codes: np.ndarray, fixed: np.ndarray, design: CodedColumns) -> str | None:
    """Return which terms separate the ratings, in a sentence; None where none does."""
    columns = separating_columns(codes, fixed)
    if not columns:
        return None
    named = [_described(design, column) for column in columns]
    several = len(named) > 1
    return (
        f"The ratings are separated by {'; '.join(named[:5])}{' and others' if len(named) > 5 else ''}: in "
        f"{'these directions' if several else 'this direction'} all ratings lie at one end, or do not overlap with the "
        "others, so that no finite coefficient is the best. Leave the term out, join levels, or collect more ratings."
    )


def _described(design: CodedColumns, column: int) -> str:
    levels = []
    for variable, position, in_full in design.parts[column]:
        if variable.levels is not None:
            kept = variable.levels if in_full else variable.levels[1:]
            levels.append(f"{variable.label} = {kept[position]!r}")
        else:
            levels.append(variable.names(in_full)[position])
    return f"{design.names[column]} ({', '.join(levels)})"
