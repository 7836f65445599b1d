"""Refuse a basis that is larger than the data can carry, before a long fit says so."""

from __future__ import annotations

from math import comb

import pandas as pd

from layerstats.errors import DataError, FormulaError
from layerstats.stats.gamm.formula.expression import Name
from layerstats.stats.gamm.formula.terms import SmoothTerm

# Bases that need at least k different values; P-splines, for instance, put their knots anywhere.
# Columns of thin plates beyond their null space, of one, two, and three or more covariates.
_BEYOND_NULL_SPACE = (8, 27, 100)
_NEED_UNIQUE = {"tp", "ts", "cr", "cs", "cc", "fs", "ds", "gp"}


def default_basis_dimension(smooth: SmoothTerm) -> int:
    """Return mgcv's k for a smooth, or for one margin of a tensor product.

    Thin plates have a fixed number of columns beyond their null space. Of one covariate that makes 10 for the default
    m = 2, but 9 for m = 1.
    """
    if smooth.function != "s":
        return 5
    if smooth.bases[0] not in ("tp", "ts", "fs"):
        return 10
    covariates = 1 if smooth.bases[0] == "fs" else len(smooth.variables)
    orders = smooth.penalty_orders
    order = (covariates + 3) // 2 if orders is None else int(orders[0])
    return comb(order + covariates - 1, covariates) + _BEYOND_NULL_SPACE[min(covariates, 3) - 1]


def check_basis_sizes(frame: pd.DataFrame, smooths: tuple[SmoothTerm, ...]) -> None:
    """Raise `DataError` where a covariate has fewer different values than its smooth has basis functions.

    `FormulaError` where one basis is given several sizes.

    Smooths of several variables at once (``s(x, z)``) are left to the engine.
    """
    for smooth in smooths:
        if smooth.function == "s" and len(smooth.basis_dimensions or ()) > 1:
            raise FormulaError(f"{smooth} has one basis, and so one k; te() and ti() have one k a margin.")
        for position, (column, basis) in enumerate(_margins(frame, smooth)):
            if basis not in _NEED_UNIQUE or smooth.unread is not None:
                continue
            written = smooth.basis_dimensions
            default = default_basis_dimension(smooth)
            wanted = default if written is None else written[position if len(written) > 1 else 0]
            unique = len(frame[column].unique())
            if unique < min(3, wanted):
                raise DataError(
                    f"{column!r} has {unique} different value{'' if unique == 1 else 's'}, and a smooth needs 3: take "
                    f"{column!r} out of {smooth}{'' if unique == 1 else ', or write it as a term of its own'}."
                )
            if unique < wanted:
                raise DataError(
                    f"{smooth.label} uses k = {wanted} basis functions{'' if written else ' (the default)'}, but "
                    f"{column!r} has {unique} unique values. Write k = {unique} or fewer in {smooth}."
                )


def _margins(frame: pd.DataFrame, smooth: SmoothTerm) -> list[tuple[str, str]]:
    """Return the column and basis of each margin that is a plain numeric column."""
    numeric = [
        (position, variable.name)
        for position, variable in enumerate(smooth.variables)
        if isinstance(variable, Name) and pd.api.types.is_numeric_dtype(frame[variable.name])
    ]
    if smooth.function == "s" and (len(numeric) != 1 or smooth.bases[0] == "re"):
        return []
    if smooth.option("d") is not None:
        return []
    bases = smooth.bases
    return [(column, bases[position] if position < len(bases) else bases[0]) for position, column in numeric]
