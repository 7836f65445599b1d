"""What the uncertainty of the smoothing parameters does to the shape of the posterior, beside moving its centre.

The second term of the correction of Wood, Pya and Säfken (2016, J. Am. Statist. Ass. 111, 1548-1563): with U'U = K the
penalised cross-product, a posterior draw is b + U^-1 z, and U moves with the smoothing parameters too. The root is that
of Cholesky, which depends on the order and the axes of the coefficients, so that both are here those of mgcv.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from layerstats.stats.gamm.structured.model import Model

# Added to the Hessian of the log smoothing parameters, so that flat directions count for little.
_LEAST_CURVATURE = 0.1


@dataclass(frozen=True, eq=False)
class SecondOrder:
    """The second term.

    Attributes
    ----------
    covariance
        (column, column) what it adds to the covariance of the dense coefficients, divided by the scale.
    edf
        What it adds to the degrees of freedom.
    """

    covariance: np.ndarray
    edf: float


def second_order(
    model: Model, information: np.ndarray, penalties: np.ndarray, axes: np.ndarray | None, hessian: np.ndarray
) -> SecondOrder:
    """Return the second term.

    Coefficients are those of the dense corner, then of the blocks level by level, then of the groups one by one.

    Parameters
    ----------
    model
        Its terms.
    information
        (coefficient, coefficient) the cross-product of the data without penalties.
    penalties
        (penalty, axis) the diagonals of the weighted penalties.
    axes
        (axis, coefficient) where the penalties are diagonal; None where the axes are the coefficients.
    hessian
        (parameter, parameter) of the criterion: the log smoothing parameters and, where it is one, the log scale.
    """
    total = penalties.sum(axis=0)
    penalised = np.diag(total) if axes is None else (axes.T * total) @ axes
    inverse_root = _inverse_root(model, information + penalised)
    along = inverse_root if axes is None else axes @ inverse_root
    slopes = [_slope_of_root(along, penalty) for penalty in penalties]
    dense = len(model.parametric.coefficients) + sum(term.size for term in model.dense)
    covariance, edf = np.zeros((dense, dense)), 0.0
    for weights in _root_of_covariance(hessian)[: len(penalties)].T:
        slope = np.tensordot(weights, slopes, 1)
        moved = inverse_root[:dense] @ slope
        covariance += moved @ moved.T
        # X'X is K less the penalties, and in the coordinates of the root K is the identity.
        edf += float(np.sum(slope**2) - total @ np.sum((along @ slope) ** 2, axis=1))
    return SecondOrder(covariance, edf)


def _root_of_covariance(hessian: np.ndarray) -> np.ndarray:
    """Return (parameter, direction) a root of the covariance of the log smoothing parameters."""
    eigenvalues, vectors = np.linalg.eigh(hessian)
    return vectors / np.sqrt(np.maximum(eigenvalues, 0) + _LEAST_CURVATURE)


def _slope_of_root(inverse_root: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Return the derivative of U in a log smoothing parameter, times U^-1: a triangle, half of it on the diagonal."""
    seen = penalty > 0
    scaled = np.sqrt(penalty[seen])[:, None] * inverse_root[seen]
    slope = np.triu(scaled.T @ scaled)
    slope[np.diag_indices_from(slope)] /= 2
    return slope


def _inverse_root(model: Model, penalised: np.ndarray) -> np.ndarray:
    """Return U^-1, of the penalised cross-product: its rows are our coefficients, its columns mgcv's."""
    order = _order_in_mgcv(model)
    columns = np.linalg.cholesky(penalised).T
    for term in model.dense:
        if term.transform is not None:
            span = model.dense_spans[term.label]
            columns[:, span] = np.linalg.solve(term.transform.T, columns[:, span].T).T
    # The triangle of an orthogonal decomposition keeps the digits that forming K in mgcv's coefficients would lose.
    root = np.linalg.qr(columns[:, order], mode="r")
    inverse = np.empty_like(root)
    inverse[order] = solve_triangular(root, np.eye(len(root)))
    for term in model.dense:
        if term.transform is not None:
            span = model.dense_spans[term.label]
            inverse[span] = np.linalg.solve(term.transform, inverse[span])
    return inverse


def _order_in_mgcv(model: Model) -> np.ndarray:
    """Return where each coefficient of mgcv stands among ours: terms as in the formula, each level by level."""
    parametric = len(model.parametric.coefficients)
    dense = parametric + sum(term.size for term in model.dense)
    functions = sum(term.functions for term in model.blocks), sum(term.functions for term in model.outer)
    blocks = dense + np.arange(model.level_count * functions[0]).reshape(model.level_count, functions[0])
    groups = dense + blocks.size + np.arange(model.group_count * functions[1]).reshape(model.group_count, functions[1])
    pieces = [np.arange(parametric)]
    for label in model.labels:
        if label in model.block_spans:
            pieces.append(blocks[:, model.block_spans[label]].ravel())
        elif label in model.outer_spans:
            pieces.append(groups[:, model.outer_spans[label]].ravel())
        else:
            span = model.dense_spans[label]
            pieces.append(np.arange(span.start, span.stop))
    return np.concatenate(pieces)
