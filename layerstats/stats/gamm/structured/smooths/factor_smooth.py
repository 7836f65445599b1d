"""``bs = "fs"``: a smooth of its own for every level of a factor, all with the same smoothing parameters."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from layerstats.stats.gamm.data.basis_size import default_basis_dimension
from layerstats.stats.gamm.formula.expression import Expression, Name, String
from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.structured.bases import Basis, Values, build_basis
from layerstats.stats.gamm.structured.bases.null_space import along_first_coordinates
from layerstats.stats.gamm.structured.smooths.by_variable import Copy, copies
from layerstats.stats.gamm.structured.smooths.constraint import penalty_scales
from layerstats.stats.gamm.structured.smooths.options import check_number, is_factor, numbers, orders
from layerstats.stats.gamm.structured.smooths.term import GroupedTerm
from layerstats.stats.gamm.structured.unique_rows import UniqueRows
from layerstats.stats.gamm.structured.unsupported import Unsupported


def factor_smooth(smooth: SmoothTerm, rows: UniqueRows) -> list[GroupedTerm]:
    """Return the terms of a factor smooth, one for each level of its ``by``.

    The null space of the basis is penalised too, one smoothing parameter a dimension: nothing is left unpenalised.

    Raises
    ------
    Unsupported
        It has more than one covariate, or one that is not a column.
    """
    frame = rows.frame
    factors = [variable for variable in smooth.variables if is_factor(frame, variable)]
    covariates = [variable for variable in smooth.variables if not is_factor(frame, variable)]
    if len(factors) != 1 or len(covariates) != 1 or not isinstance(factors[0], Name):
        raise Unsupported(f"a factor smooth of {len(covariates)} covariates and {len(factors)} factors ({smooth})")
    variable, factor = covariates[0], factors[0].name
    check_number(frame, variable)
    values = numbers(variable, frame)
    written = smooth.basis_dimensions
    dimension = default_basis_dimension(smooth) if written is None else written[0]
    basis = build_basis(_basis_name(smooth), Values.of(values, rows.counts), dimension, orders(smooth))
    if basis.null_dimension == 0:
        raise Unsupported(f"the basis {_basis_name(smooth)!r} in {smooth}")
    transform, wiggliness = natural_parameterisation(basis.rows(values), basis, rows.counts)
    penalties = [np.concatenate([wiggliness, np.zeros(basis.null_dimension)])]
    penalties += [np.eye(dimension)[dimension - position - 1] for position in reversed(range(basis.null_dimension))]
    scales = penalty_scales(basis.rows(values) @ transform, [np.diag(diagonal) for diagonal in penalties])
    return [
        GroupedTerm(
            label=copy.label,
            factor=(factor,),
            levels=(len(frame[factor].cat.categories),),
            basis=partial(_columns, variable, basis, transform, copy),
            penalties=tuple(diagonal * scale for diagonal, scale in zip(penalties, scales, strict=True)),
            scales=scales,
            random=False,
        )
        for copy in copies(smooth, frame)
    ]


def _basis_name(smooth: SmoothTerm) -> str:
    """Return the basis of the curves: ``xt``, or thin plates."""
    written = smooth.option("xt")
    if written is None:
        return "tp"
    if not isinstance(written, String):
        raise Unsupported(f"the argument xt = {written} of {smooth}")
    return written.value


def natural_parameterisation(functions: np.ndarray, basis: Basis, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a transformation of the basis that makes its penalty diagonal, and the diagonal of its penalised part.

    The penalised functions come first, all with the same penalty; both they and the others have mean square one over
    the rows of the data (Wood 2017, section 5.4.2). Each of the others gets a penalty of its own, so that it matters
    which they are; see `along_first_coordinates`.

    Parameters
    ----------
    functions
        (row, function) in the rows of the data.
    counts
        (row,) how many rows each stands for.
    """
    size = functions.shape[1]
    penalised = size - basis.null_dimension
    root = np.linalg.qr(np.sqrt(counts)[:, None] * functions, mode="r")
    inverse = np.linalg.inv(root)
    whitened = inverse.T @ basis.penalty @ inverse
    eigenvalues, vectors = np.linalg.eigh((whitened + whitened.T) / 2)
    eigenvalues, vectors = eigenvalues[::-1], vectors[:, ::-1].copy()
    vectors[:, penalised:] = along_first_coordinates(vectors[:, penalised:])
    transform = inverse @ vectors
    transform[:, :penalised] /= np.sqrt(eigenvalues[:penalised])
    wiggliness = np.ones(penalised)
    square = counts @ (functions @ transform) ** 2 / counts.sum()
    scale = 1 / np.sqrt(square[:penalised].mean())
    transform[:, :penalised] *= scale
    wiggliness = wiggliness * scale**2
    if penalised < size:
        transform[:, penalised:] /= np.sqrt(square[penalised:].mean())
    return transform, wiggliness


def _columns(variable: Expression, basis: Basis, transform: np.ndarray, copy: Copy, frame: pd.DataFrame) -> np.ndarray:
    return copy.multiply(basis.rows(numbers(variable, frame)) @ transform, frame)
