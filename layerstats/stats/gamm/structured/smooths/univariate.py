"""``s()`` of one covariate, alone or by a factor or a number."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from layerstats.stats.gamm.basis_size import default_basis_dimension
from layerstats.stats.gamm.expression import Expression
from layerstats.stats.gamm.formula import SmoothTerm
from layerstats.stats.gamm.structured.bases import Basis, Values, build_basis
from layerstats.stats.gamm.structured.rows import UniqueRows
from layerstats.stats.gamm.structured.smooths.by_variable import Copy, copies, is_centred
from layerstats.stats.gamm.structured.smooths.constraint import Centring, scale_penalties
from layerstats.stats.gamm.structured.smooths.coordinates import Coordinates, single_penalty
from layerstats.stats.gamm.structured.smooths.options import check_number, numbers, orders
from layerstats.stats.gamm.structured.smooths.term import DenseTerm


def univariate_smooth(smooth: SmoothTerm, rows: UniqueRows) -> list[DenseTerm]:
    """Return the terms of a smooth of one covariate, one for each level of its ``by``.

    Raises
    ------
    Refusal
        Its basis or its covariate is not one of the engine's.
    """
    variable = smooth.variables[0]
    check_number(rows.frame, variable)
    values = numbers(variable, rows.frame)
    written = smooth.basis_dimensions
    dimension = default_basis_dimension(smooth) if written is None else written[0]
    basis = build_basis(smooth.bases[0], Values.of(values, rows.counts), dimension, orders(smooth))
    functions = basis.rows(values)
    (penalty,) = scale_penalties(functions, [basis.penalty])
    null_dimension = basis.null_dimension
    centring = None
    if is_centred(smooth, rows.frame):
        centring = Centring(functions, rows.counts)
        penalty = centring.penalty(penalty)
        null_dimension -= 1
    axes = single_penalty(penalty, null_dimension)
    return [
        DenseTerm(
            label=copy.label,
            columns=partial(_columns, variable, basis, centring, axes, copy),
            penalties=axes.penalties,
            transform=axes.transform,
        )
        for copy in copies(smooth, rows.frame)
    ]


def _columns(
    variable: Expression,
    basis: Basis,
    centring: Centring | None,
    axes: Coordinates,
    copy: Copy,
    frame: pd.DataFrame,
) -> np.ndarray:
    functions = basis.rows(numbers(variable, frame))
    if centring is not None:
        functions = centring.functions(functions)
    return copy.multiply(functions @ axes.transform, frame)
