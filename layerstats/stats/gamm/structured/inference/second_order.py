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
from layerstats.stats.gamm.structured.solution import Solution

# The root fills in, so that time grows with the cube of the number of coefficients: two seconds for as many as these.
MOST_COEFFICIENTS = 1000
# Added to the Hessian of the log smoothing parameters, so that flat directions count for little.
_LEAST_CURVATURE = 0.1


@dataclass(frozen=True, eq=False)
class SecondOrder:
    """The second term.

    Attributes
    ----------
    covariance
        (column, column) what it adds to the covariance of the dense coefficients, divided by the scale.
    freedom
        What it adds to the degrees of freedom.
    """

    covariance: np.ndarray
    freedom: float


def coefficient_count(model: Model) -> int:
    """Return the number of coefficients of the whole model."""
    return len(model.parametric.coefficients) + sum(term.size for term in (*model.dense, *model.blocks))


def second_order(model: Model, solution: Solution, hessian: np.ndarray) -> SecondOrder:
    """Return the second term at a solution.

    Parameters
    ----------
    model
        Its terms.
    solution
        The estimates.
    hessian
        (parameter, parameter) of the criterion: the log smoothing parameters and, where it is one, the log scale.
    """
    inverse_root = _inverse_root(model, solution)
    penalties = _whole_penalties(model, solution)
    slopes = [_slope_of_root(inverse_root, penalty) for penalty in penalties]
    total = np.sum(penalties, axis=0)
    dense = solution.penalties.columns
    covariance, freedom = np.zeros((dense, dense)), 0.0
    for weights in _root_of_covariance(hessian)[: len(penalties)].T:
        slope = np.tensordot(weights, slopes, 1)
        moved = inverse_root @ slope
        covariance += moved[:dense] @ moved[:dense].T
        # X'X is K less the penalties, and in the coordinates of the root K is the identity.
        freedom += float(np.sum(slope**2) - total @ np.sum(moved**2, axis=1))
    return SecondOrder(covariance, freedom)


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


def _inverse_root(model: Model, solution: Solution) -> np.ndarray:
    """Return U^-1: its rows are our coefficients, dense ones first and then level by level; its columns mgcv's."""
    lower = np.linalg.cholesky(_whole_information(model, solution))
    order = _order_in_mgcv(model)
    columns = lower.T.copy()
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
    functions = sum(term.functions for term in model.blocks)
    blocks = dense + np.arange(model.level_count * functions).reshape(model.level_count, functions)
    pieces = [np.arange(parametric)]
    for label in model.labels:
        if label in model.block_spans:
            pieces.append(blocks[:, model.block_spans[label]].ravel())
        else:
            span = model.dense_spans[label]
            pieces.append(np.arange(span.start, span.stop))
    return np.concatenate(pieces)


def _whole_penalties(model: Model, solution: Solution) -> list[np.ndarray]:
    """Return the weighted penalties, each the diagonal over all coefficients."""
    dense, functions = solution.penalties.columns, solution.penalties.block.shape[1]
    behind = np.zeros(functions * model.level_count)
    whole = [np.concatenate([diagonal, behind]) for diagonal in solution.dense_penalties]
    levels = model.level_count
    return whole + [np.concatenate([np.zeros(dense), np.tile(row, levels)]) for row in solution.block_penalties]


def _whole_information(model: Model, solution: Solution) -> np.ndarray:
    """Return K, dense columns first and then level by level."""
    system, penalties = solution.system, solution.penalties
    dense, functions = penalties.columns, system.functions
    matrix = np.diag(np.sum(_whole_penalties(model, solution), axis=0))
    matrix[:dense, :dense] += system.dense_gram
    pattern = system.level_pattern[: model.level_count]
    for level, (number, position) in enumerate(pattern):
        if number < 0:
            continue
        cluster = system.clusters[number]
        own = slice(dense + level * functions, dense + (level + 1) * functions)
        matrix[own, own] += system.block_gram[cluster.grid[position]]
        # The cross-products hold the root of the number of levels of the pattern.
        count = np.sum((pattern == (number, position)).all(axis=1))
        mixed = cluster.mixed[position] / np.sqrt(count)
        matrix[own, cluster.columns] = mixed
        matrix[cluster.columns, own] = mixed.T
    return matrix
