"""``te()`` and ``ti()``: products of bases of several covariates, one penalty a covariate (Wood 2006)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
import pandas as pd

from layerstats.stats.gamm.formula.expression import Expression
from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.structured.bases import Basis
from layerstats.stats.gamm.structured.bases.cubic import CubicBasis
from layerstats.stats.gamm.structured.smooths.by_variable import Copy, copies, is_centred
from layerstats.stats.gamm.structured.smooths.constraint import Centring, penalty_scales
from layerstats.stats.gamm.structured.smooths.coordinates import Coordinates, several_penalties
from layerstats.stats.gamm.structured.smooths.margins import build_margin_basis, row_products
from layerstats.stats.gamm.structured.smooths.options import numbers, smoothing_id
from layerstats.stats.gamm.structured.smooths.term import DenseTerm
from layerstats.stats.gamm.structured.unique_rows import UniqueRows


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
        (function, coefficient) to the parameters that enter the product in mgcv.
    axes
        (coefficient, axis) orthonormal: those of the penalty, the unpenalised last, and of these the constant last.
    penalty
        (axis,) the penalty along them.
    constant
        (coefficient,) those of the function that is one everywhere; None where the margin has no such function.
    """

    variable: Expression
    basis: Basis
    transform: np.ndarray
    axes: np.ndarray
    penalty: np.ndarray
    constant: np.ndarray | None

    def rows(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the functions that enter the product in mgcv, (row, coefficient)."""
        return self.basis.rows(numbers(self.variable, frame)) @ self.transform


def tensor_smooth(smooth: SmoothTerm, rows: UniqueRows) -> list[DenseTerm]:
    """Return the terms of a tensor product, one for each level of its ``by``.

    Raises
    ------
    Unsupported
        A margin is not one of the engine's.
    """
    margins = [_margin(smooth, position, rows) for position in range(len(smooth.variables))]
    functions = row_products([margin.rows(rows.frame) for margin in margins])
    transform = reduce(np.kron, [margin.axes for margin in margins])
    diagonals = _diagonal_penalties(margins)
    originals = [(transform * diagonal) @ transform.T for diagonal in diagonals]
    scales = penalty_scales(functions, originals)
    originals = tuple(original * scale for original, scale in zip(originals, scales, strict=True))
    diagonals = [diagonal * scale for diagonal, scale in zip(diagonals, scales, strict=True)]
    centring = None
    if smooth.function == "te" and is_centred(smooth, rows.frame):
        centring = Centring(functions, rows.counts)
        originals = tuple(map(centring.penalty, originals))
        transform = _without_constant(transform, margins, centring)
        diagonals = [diagonal[:-1] for diagonal in diagonals]
    axes = several_penalties(transform, tuple(diagonals), originals)
    return [
        DenseTerm(
            label=copy.label,
            columns=partial(_columns, margins, centring, axes, copy),
            penalties=axes.penalties,
            scales=scales,
            restricted_offset=axes.restricted_offset,
            full_offset=axes.full_offset,
            shear=axes.shear,
            transform=axes.transform,
            smoothing_id=smoothing_id(smooth),
        )
        for copy in copies(smooth, rows.frame)
    ]


def _without_constant(transform: np.ndarray, margins: list[Margin], centring: Centring) -> np.ndarray:
    """Return the transformation to the coefficients of the centred product, for all axes but the constant, the last.

    A function that is dropped is, but for a constant, minus the sum of the others weighted by the coefficients of one.
    """
    constant = reduce(np.kron, [margin.constant for margin in margins if margin.constant is not None])
    dropped = int(np.setdiff1d(np.arange(len(constant)), centring.kept)[0])
    share = constant[centring.kept] / constant[dropped]
    return transform[centring.kept, :-1] - np.outer(share, transform[dropped, :-1])


def _margin(smooth: SmoothTerm, position: int, rows: UniqueRows) -> Margin:
    variable, basis, values = build_margin_basis(smooth, position, rows)
    transform = np.eye(len(basis.penalty))
    if smooth.function == "ti":
        # Without its mean, the product has no main effects in it.
        mean = values.counts @ basis.rows(values.unique)
        transform = np.linalg.qr(mean[:, None], mode="complete")[0][:, 1:]
    if not isinstance(basis, CubicBasis):
        # Coefficients become values at even points, so that a penalty of the product is a sum over such points.
        points = np.linspace(values.unique[0], values.unique[-1], transform.shape[1])
        at_points = basis.rows(points) @ transform
        if np.linalg.cond(at_points) < np.finfo(float).eps ** -0.66:
            transform = transform @ np.linalg.inv(at_points)
    penalty = transform.T @ basis.penalty @ transform
    constant = None
    null_dimension = basis.null_dimension - 1
    if smooth.function != "ti":
        functions = basis.rows(values.unique) @ transform
        constant = np.linalg.lstsq(functions, np.ones(len(functions)), rcond=None)[0]
        null_dimension += 1
    axes, diagonal = _axes(penalty, null_dimension, constant)
    return Margin(variable, basis, transform, axes, diagonal, constant)


def _axes(penalty: np.ndarray, null_dimension: int, constant: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the axes of a penalty, the constant last, and the penalty along them, at most one."""
    values, vectors = np.linalg.eigh(penalty)
    values, vectors = values[::-1] / values[-1], vectors[:, ::-1]
    values[len(values) - null_dimension :] = 0.0
    if constant is not None and null_dimension:
        null = vectors[:, len(values) - null_dimension :]
        along = null.T @ constant
        rotation = np.linalg.qr(along[:, None], mode="complete")[0][:, ::-1]
        vectors = np.hstack([vectors[:, : len(values) - null_dimension], null @ rotation])
    return vectors, values


def _diagonal_penalties(margins: list[Margin]) -> list[np.ndarray]:
    ones = [np.ones(len(margin.penalty)) for margin in margins]
    return [
        reduce(np.kron, [*ones[:position], margin.penalty, *ones[position + 1 :]])
        for position, margin in enumerate(margins)
    ]


def _columns(
    margins: list[Margin], centring: Centring | None, axes: Coordinates, copy: Copy, frame: pd.DataFrame
) -> np.ndarray:
    functions = row_products([margin.rows(frame) for margin in margins])
    if centring is not None:
        functions = centring.functions(functions)
    return copy.multiply(functions @ axes.transform, frame)
