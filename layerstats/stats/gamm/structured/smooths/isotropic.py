"""``s()`` of one covariate, or of several on one scale, alone or by a factor or a number."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from layerstats.stats.gamm.data.basis_size import default_basis_dimension
from layerstats.stats.gamm.formula.expression import Expression
from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.structured.bases import MOST_KNOTS, Basis, Values, build_basis
from layerstats.stats.gamm.structured.smooths.by_variable import Copy, copies, is_centred
from layerstats.stats.gamm.structured.smooths.constraint import Centring, penalty_scales
from layerstats.stats.gamm.structured.smooths.coordinates import Coordinates, single_penalty
from layerstats.stats.gamm.structured.smooths.options import check_number, numbers, orders, smoothing_id
from layerstats.stats.gamm.structured.smooths.term import DenseTerm
from layerstats.stats.gamm.structured.unique_rows import UniqueRows
from layerstats.stats.gamm.structured.unsupported import Unsupported


def isotropic_smooth(smooth: SmoothTerm, rows: UniqueRows) -> list[DenseTerm]:
    """Return the terms of a smooth, one for each level of its ``by``.

    Raises
    ------
    Unsupported
        Its basis or a covariate is not one of the engine's.
    """
    for variable in smooth.variables:
        check_number(rows.frame, variable)
    if len(smooth.variables) > 1 and smooth.bases[0] not in ("tp", "ts"):
        raise Unsupported(f"the basis {smooth.bases[0]!r} of {len(smooth.variables)} covariates ({smooth})")
    values = _values(smooth.variables, rows.frame)
    if values.ndim > 1 and len(rows.frame) > MOST_KNOTS:
        raise Unsupported(f"{smooth}, whose covariates have more than {MOST_KNOTS} different values together")
    written = smooth.basis_dimensions
    dimension = default_basis_dimension(smooth) if written is None else written[0]
    basis = build_basis(smooth.bases[0], Values.of(values, rows.counts), dimension, orders(smooth))
    functions = basis.rows(values)
    (scale,) = penalty_scales(functions, [basis.penalty])
    penalty = basis.penalty * scale
    null_dimension = basis.null_dimension
    centring = None
    if is_centred(smooth, rows.frame):
        centring = Centring(functions, rows.counts)
        penalty = centring.penalty(penalty)
        null_dimension = max(null_dimension - 1, 0)
    axes = single_penalty(penalty, null_dimension)
    return [
        DenseTerm(
            copy.label,
            partial(_columns, smooth.variables, basis, centring, axes, copy),
            axes.penalties,
            scales=(scale,),
            transform=axes.transform,
            smoothing_id=smoothing_id(smooth),
        )
        for copy in copies(smooth, rows.frame)
    ]


def _columns(
    variables: tuple[Expression, ...],
    basis: Basis,
    centring: Centring | None,
    axes: Coordinates,
    copy: Copy,
    frame: pd.DataFrame,
) -> np.ndarray:
    functions = basis.rows(_values(variables, frame))
    if centring is not None:
        functions = centring.functions(functions)
    return copy.multiply(functions @ axes.transform, frame)


def _values(variables: tuple[Expression, ...], frame: pd.DataFrame) -> np.ndarray:
    """Return the values of the covariates: (row,) of one, (row, covariate) of several."""
    values = np.stack([numbers(variable, frame) for variable in variables], axis=1)
    return values[:, 0] if len(variables) == 1 else values
