"""Refuse a basis that is larger than the data can carry, before a long fit says so."""

from __future__ import annotations

import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.gamm.expression import Name
from layerstats.stats.gamm.formula import SmoothTerm

# Bases that need at least k different values; P-splines, for instance, put their knots anywhere.
_NEED_UNIQUE = {"tp", "ts", "cr", "cs", "cc", "fs", "ds", "gp"}


def default_basis_dimension(smooth: SmoothTerm) -> int:
    """Return mgcv's k for a smooth of one variable, or for one margin of a tensor product.

    Thin plates have 8 columns more than their null space, whose dimension is the order m of the penalty: 10 for the
    default m = 2, but 9 for m = 1.
    """
    if smooth.function != "s":
        return 5
    orders = smooth.penalty_orders
    thin_plate = smooth.bases[0] in ("tp", "ts", "fs")
    return 9 if thin_plate and orders is not None and orders[0] == 1 else 10


def check_basis_sizes(frame: pd.DataFrame, smooths: tuple[SmoothTerm, ...]) -> None:
    """Raise `DataError` where a covariate has fewer different values than its smooth has basis functions.

    Smooths of several variables at once (``s(x, z)``) are left to the engine.
    """
    for smooth in smooths:
        for position, (column, basis) in enumerate(_margins(frame, smooth)):
            if basis not in _NEED_UNIQUE:
                continue
            written = smooth.basis_dimensions
            default = default_basis_dimension(smooth)
            wanted = default if written is None else written[position if len(written) > 1 else 0]
            unique = len(frame[column].unique())
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
