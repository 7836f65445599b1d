"""What tensor products of either kind have in common: the bases of their margins, and products of bases."""

from __future__ import annotations

from functools import reduce
from typing import TypeVar

import numpy as np

from layerstats.stats.gamm.data.basis_size import default_basis_dimension
from layerstats.stats.gamm.formula.expression import Expression
from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.structured.bases import Basis, Values, build_basis
from layerstats.stats.gamm.structured.smooths.options import check_number, numbers, orders
from layerstats.stats.gamm.structured.unique_rows import UniqueRows
from layerstats.stats.gamm.structured.unsupported import Unsupported

Item = TypeVar("Item")


def build_margin_basis(smooth: SmoothTerm, position: int, rows: UniqueRows) -> tuple[Expression, Basis, Values]:
    """Return the covariate at `position` of a tensor product, its basis and its values.

    Raises
    ------
    Unsupported
        It is not one of the engine's.
    """
    variable = smooth.variables[position]
    check_number(rows.frame, variable)
    name = _one_each(smooth, smooth.bases, position)
    written = smooth.basis_dimensions
    dimension = default_basis_dimension(smooth) if written is None else _one_each(smooth, written, position)
    stated = orders(smooth)
    if stated is not None and name == "ps":
        raise Unsupported(f"m in {smooth}")
    order = None if stated is None else (_one_each(smooth, stated, position),)
    values = Values.of(numbers(variable, rows.frame), rows.counts)
    basis = build_basis(name, values, dimension, order)
    if basis.null_dimension == 0:
        raise Unsupported(f"the basis {name!r} as a margin of {smooth}")
    return variable, basis, values


def _one_each(smooth: SmoothTerm, items: tuple[Item, ...], position: int) -> Item:
    if len(items) not in (1, len(smooth.variables)):
        raise Unsupported(f"{smooth}, whose margins are not all of one covariate")
    return items[position if len(items) > 1 else 0]


def row_products(parts: list[np.ndarray]) -> np.ndarray:
    """Multiply bases row by row, (row, coefficient); the functions of the last vary fastest.

    Examples
    --------
    >>> row_products([np.array([[1, 2]]), np.array([[3, 4]])])
    array([[3, 4, 6, 8]])
    """
    return reduce(lambda left, right: (left[:, :, None] * right[:, None, :]).reshape(len(left), -1), parts)
