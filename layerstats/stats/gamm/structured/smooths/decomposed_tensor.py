"""``t2()``: products of penalised and unpenalised parts of bases, each with a penalty of its own.

The decomposition of Wood, Scheipl & Faraway (2013, Statistics and Computing 23, 341-360). Every margin is split into
the functions that its penalty sees, scaled so that it is the identity on them, and those that it does not. The product
of bases is then a sum of products of such parts, and all but the product of the unpenalised ones have one penalty: the
identity. Penalties do not overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from layerstats.stats.gamm.formula.expression import Expression
from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.structured.bases import Basis
from layerstats.stats.gamm.structured.bases.null_space import along_first_coordinates
from layerstats.stats.gamm.structured.smooths.by_variable import Copy, copies, is_centred
from layerstats.stats.gamm.structured.smooths.constraint import penalty_scales
from layerstats.stats.gamm.structured.smooths.coordinates import several_penalties
from layerstats.stats.gamm.structured.smooths.margins import build_margin_basis, row_products
from layerstats.stats.gamm.structured.smooths.options import numbers, smoothing_id
from layerstats.stats.gamm.structured.smooths.term import DenseTerm
from layerstats.stats.gamm.structured.unique_rows import UniqueRows


@dataclass(frozen=True, eq=False)
class SplitMargin:
    """The basis of one covariate in two parts.

    Attributes
    ----------
    variable
        The covariate.
    basis
        Its basis.
    penalised, unpenalised
        (function, coefficient) from the basis to each part; the last unpenalised function is constant.
    """

    variable: Expression
    basis: Basis
    penalised: np.ndarray
    unpenalised: np.ndarray

    def parts(self, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return both parts in the rows of `frame`, (row, coefficient) each."""
        functions = self.basis.rows(numbers(self.variable, frame))
        return functions @ self.penalised, functions @ self.unpenalised


def decomposed_tensor_smooth(smooth: SmoothTerm, rows: UniqueRows) -> list[DenseTerm]:
    """Return the terms of a ``t2()`` smooth, one for each level of its ``by``.

    Raises
    ------
    Unsupported
        A margin is not one of the engine's.
    """
    margins = [_split_margin(smooth, position, rows) for position in range(len(smooth.variables))]
    parts = _products(margins, rows.frame)
    functions = np.hstack(parts)
    ends = np.cumsum([part.shape[1] for part in parts])
    # The last part is the product of the unpenalised ones.
    diagonals = [
        np.where((np.arange(ends[-1]) >= end - part.shape[1]) & (np.arange(ends[-1]) < end), 1.0, 0.0)
        for end, part in zip(ends[:-1], parts[:-1], strict=True)
    ]
    scales = penalty_scales(functions, [np.diag(ones) for ones in diagonals])
    diagonals = [diagonal * scale for diagonal, scale in zip(diagonals, scales, strict=True)]
    mean = None
    transform, originals = np.eye(ends[-1]), [np.diag(diagonal) for diagonal in diagonals]
    if is_centred(smooth, rows.frame):
        mean = rows.counts @ functions[:, :-1] / rows.counts.sum()
        transform, originals = _centred(rows.counts @ functions, originals, _order(margins))
        diagonals = [diagonal[:-1] for diagonal in diagonals]
    axes = several_penalties(transform, tuple(diagonals), tuple(originals))
    return [
        DenseTerm(
            label=copy.label,
            columns=partial(_columns, margins, mean, copy),
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


def _centred(sums: np.ndarray, penalties: list[np.ndarray], order: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the transformation to mgcv's coefficients under its sum-to-zero constraint, and the penalties there.

    mgcv takes an orthonormal basis of the coefficients that are orthogonal to the column sums. Here the constant, the
    last function, is left out, and its coefficient makes the sum zero.

    Parameters
    ----------
    sums
        (coefficient,) the sum of each function over the rows of the data.
    penalties
        Each (coefficient, coefficient).
    order
        (coefficient,) the order in which mgcv has the functions.
    """
    orthogonal = np.empty((len(sums), len(sums) - 1))
    orthogonal[order] = np.linalg.qr(sums[order, None], mode="complete")[0][:, 1:]
    summing_to_zero = np.vstack([np.eye(len(sums) - 1), -sums[None, :-1] / sums[-1]])
    return orthogonal.T @ summing_to_zero, [orthogonal.T @ penalty @ orthogonal for penalty in penalties]


def _split_margin(smooth: SmoothTerm, position: int, rows: UniqueRows) -> SplitMargin:
    variable, basis, values = build_margin_basis(smooth, position, rows)
    functions = basis.rows(values.unique)
    eigenvalues, vectors = np.linalg.eigh(basis.penalty)
    rank = len(eigenvalues) - basis.null_dimension
    penalised = vectors[:, ::-1][:, :rank] / np.sqrt(eigenvalues[::-1][:rank])
    square = values.counts @ (functions @ penalised) ** 2 / values.counts.sum()
    null = along_first_coordinates(vectors[:, : basis.null_dimension])
    return SplitMargin(
        variable=variable,
        basis=basis,
        penalised=penalised / np.sqrt(square.mean()),
        unpenalised=null @ _scaled_one_by_one(functions @ null, values.counts),
    )


def _scaled_one_by_one(functions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the transformation of unpenalised functions that mgcv makes: each scaled to mean square one over the rows.

    They are rotated, which leaves the penalty of their products as it is, so that the last is constant.
    """
    scale = np.sqrt(counts @ functions**2 / counts.sum())
    one = np.linalg.lstsq(functions / scale, np.ones(len(functions)), rcond=None)[0]
    rotation = np.linalg.qr(one[:, None], mode="complete")[0][:, ::-1]
    rotation[:, -1] *= np.sign(rotation[:, -1] @ one)
    return rotation / scale[:, None]


def _products(margins: list[SplitMargin], frame: pd.DataFrame) -> list[np.ndarray]:
    """Return the products of parts, the one of all unpenalised parts last, (row, coefficient) each.

    In mgcv's order: the parts of the first margin vary fastest.
    """
    split = [margin.parts(frame) for margin in reversed(margins)]
    return [row_products(list(reversed(chosen))) for chosen in product(*split)]


def _order(margins: list[SplitMargin]) -> np.ndarray:
    """Return the order in which mgcv has the functions: the constant of a margin before its other unpenalised ones."""
    sizes = [(margin.penalised.shape[1], margin.unpenalised.shape[1]) for margin in margins]
    split = [(np.arange(first), np.arange(second)[::-1]) for first, second in reversed(sizes)]
    order, end = [], 0
    for chosen in product(*split):
        places = np.zeros(1, dtype=int)
        for part in reversed(chosen):
            places = (places[:, None] * len(part) + part).ravel()
        order.append(end + places)
        end += len(places)
    return np.concatenate(order)


def _columns(margins: list[SplitMargin], mean: np.ndarray | None, copy: Copy, frame: pd.DataFrame) -> np.ndarray:
    functions = np.hstack(_products(margins, frame))
    if mean is not None:
        functions = functions[:, :-1] - mean
    return copy.multiply(functions, frame)
