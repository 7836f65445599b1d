"""``te()`` and ``ti()``: products of bases of several covariates, one penalty a covariate (Wood 2006, Biometrics 62)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, reduce
from typing import TypeVar

import numpy as np
import pandas as pd

from layerstats.stats.gamm.basis_size import default_basis_dimension
from layerstats.stats.gamm.expression import Expression
from layerstats.stats.gamm.formula import SmoothTerm
from layerstats.stats.gamm.structured.bases import Basis, Values, build_basis
from layerstats.stats.gamm.structured.bases.cubic import CubicBasis
from layerstats.stats.gamm.structured.refusal import Refusal
from layerstats.stats.gamm.structured.rows import UniqueRows
from layerstats.stats.gamm.structured.smooths.by_variable import Copy, copies, is_centred
from layerstats.stats.gamm.structured.smooths.constraint import Centring, scale_penalties
from layerstats.stats.gamm.structured.smooths.options import check_number, numbers, orders
from layerstats.stats.gamm.structured.smooths.term import DenseTerm


Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Margin:
    """The basis of one covariate of a product.

    Attributes
    ----------
    variable
        The covariate.
    basis
        Its basis.
    transform
        (function, coefficient) to the parameters that enter the product.
    penalty
        (coefficient, coefficient)
    null_dimension
        Dimension of what the penalty does not see.
    """

    variable: Expression
    basis: Basis
    transform: np.ndarray
    penalty: np.ndarray
    null_dimension: int

    def rows(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the functions that enter the product, (row, coefficient)."""
        return self.basis.rows(numbers(self.variable, frame)) @ self.transform


def tensor_smooth(smooth: SmoothTerm, rows: UniqueRows) -> list[DenseTerm]:
    """Return the terms of a tensor product, one for each level of its ``by``.

    Raises
    ------
    Refusal
        A margin is not one of the engine's.
    """
    margins = [_margin(smooth, position, rows) for position in range(len(smooth.variables))]
    functions = _product([margin.rows(rows.frame) for margin in margins])
    penalties = scale_penalties(functions, _tensor_penalties(margins))
    null_dimension = int(np.prod([margin.null_dimension for margin in margins]))
    centring = None
    if smooth.function == "te" and is_centred(smooth, rows.frame):
        centring = Centring(functions, rows.counts)
        penalties = tuple(map(centring.penalty, penalties))
        null_dimension -= 1
    return [
        DenseTerm(copy.label, partial(_columns, margins, centring, copy), penalties, null_dimension)
        for copy in copies(smooth, rows.frame)
    ]


def _margin(smooth: SmoothTerm, position: int, rows: UniqueRows) -> Margin:
    variable = smooth.variables[position]
    check_number(rows.frame, variable)
    name = _one_each(smooth, smooth.bases, position)
    written = smooth.basis_dimensions
    dimension = default_basis_dimension(smooth) if written is None else _one_each(smooth, written, position)
    stated = orders(smooth)
    if stated is not None and name == "ps":
        raise Refusal(f"m in {smooth}")
    order = None if stated is None else (_one_each(smooth, stated, position),)
    values = Values.of(numbers(variable, rows.frame), rows.counts)
    basis = build_basis(name, values, dimension, order)
    transform = np.eye(dimension)
    null_dimension = basis.null_dimension
    if smooth.function == "ti":
        # Without its mean, the product has no main effects in it.
        mean = values.counts @ basis.rows(values.unique)
        transform = np.linalg.qr(mean[:, None], mode="complete")[0][:, 1:]
        null_dimension -= 1
    if not isinstance(basis, CubicBasis):
        # Coefficients become values at even points, so that a penalty of the product is a sum over such points.
        points = np.linspace(values.unique[0], values.unique[-1], transform.shape[1])
        at_points = basis.rows(points) @ transform
        if np.linalg.cond(at_points) < np.finfo(float).eps ** -0.66:
            transform = transform @ np.linalg.inv(at_points)
    penalty = transform.T @ basis.penalty @ transform
    penalty = (penalty + penalty.T) / 2
    return Margin(variable, basis, transform, penalty / np.linalg.eigvalsh(penalty)[-1], null_dimension)


def _one_each(smooth: SmoothTerm, items: tuple[Item, ...], position: int) -> Item:
    if len(items) not in (1, len(smooth.variables)):
        raise Refusal(f"{smooth}, whose margins are not all of one covariate")
    return items[position if len(items) > 1 else 0]


def _tensor_penalties(margins: list[Margin]) -> list[np.ndarray]:
    identities = [np.eye(len(margin.penalty)) for margin in margins]
    return [
        reduce(np.kron, [*identities[:position], margin.penalty, *identities[position + 1 :]])
        for position, margin in enumerate(margins)
    ]


def _product(parts: list[np.ndarray]) -> np.ndarray:
    """Multiply bases row by row; the functions of the last vary fastest."""
    return reduce(lambda left, right: (left[:, :, None] * right[:, None, :]).reshape(len(left), -1), parts)


def _columns(margins: list[Margin], centring: Centring | None, copy: Copy, frame: pd.DataFrame) -> np.ndarray:
    functions = _product([margin.rows(frame) for margin in margins])
    return copy.multiply(functions if centring is None else centring.functions(functions), frame)
