"""The penalised estimates at given smoothing parameters, by elimination of the random blocks.

With A_i = Z_i'Z_i + L for block i (L the weighted penalties of a block, diagonal), B_i = Z_i'X_i, c_i = Z_i'y_i and
W_i = A_i^-1 B_i, the coefficients b of the dense corner solve (X'X - sum B_i'W_i + S) b = X'y - sum W_i'c_i, and
those of block i are g_i = A_i^-1 c_i - W_i b. See Wood (2017, section 6.2) for the criterion that all this serves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import get_lapack_funcs

from layerstats.stats.gamm.structured.penalties import Penalties, PenaltyDeterminant
from layerstats.stats.gamm.structured.system import System

# LAPACK's Cholesky factor, inverse and solution: scipy's own checks would take longer than the small systems do.
# Not potri: OpenBLAS starts its threads in it whatever the size, and waits for them a thousand times longer than it
# computes where other work fills the cores.
_FACTOR, _INVERT, _SOLVE = get_lapack_funcs(("potrf", "trtri", "potrs"), dtype=np.float64)


class WeightedPenalties:
    """The penalties of a solution times their smoothing parameters."""

    penalties: Penalties
    log_smoothing: np.ndarray
    coefficients: np.ndarray
    inverse_in_range: np.ndarray

    @cached_property
    def smoothing(self) -> np.ndarray:
        """(penalty,) smoothing parameters."""
        return np.exp(self.log_smoothing)

    @cached_property
    def penalty_determinant(self) -> PenaltyDeterminant:
        """The log determinant of the weighted penalties, with derivatives."""
        return self.penalties.determinant(self.log_smoothing)

    @cached_property
    def dense_penalties(self) -> np.ndarray:
        """(penalty, axis) the weighted penalties of the dense corner."""
        return self.smoothing[: self.penalties.dense_count, None] * self.penalties.dense

    @cached_property
    def dense_penalty(self) -> np.ndarray:
        """(column, column) their sum."""
        return self.penalties.dense_matrix(self.smoothing)

    @cached_property
    def block_penalties(self) -> np.ndarray:
        """(penalty, function) the weighted penalties of a block."""
        return self.smoothing[self.penalties.dense_count : self.penalties.inner_count, None] * self.penalties.block

    @cached_property
    def axis_coefficients(self) -> np.ndarray:
        """(axis,) the coefficients of the dense corner along the axes of the penalties."""
        return self.penalties.along_axes(self.coefficients)

    @cached_property
    def axis_inverse_in_range(self) -> np.ndarray:
        """(axis, axis) `inverse_in_range` along the axes of the penalties."""
        return self.penalties.along_axes(self.penalties.along_axes(self.inverse_in_range).T)


@dataclass(frozen=True, eq=False)
class Solution(WeightedPenalties):
    """Estimates at given smoothing parameters, and the pieces that derivatives and covariances are made of.

    Attributes
    ----------
    system, penalties
        What was solved.
    log_smoothing
        (penalty,)
    block_inverse
        (grid, function, function) A^-1.
    elimination
        W for each cluster, (pattern, function, column), times the root of the number of levels of the pattern.
    information
        (column, column) the penalised cross-product of the dense corner after elimination of the blocks.
    inverse
        (column, column) P, its inverse, which is the dense corner of the
        inverse of the whole penalised cross-product.
    inverse_in_range
        The same over the penalised directions alone; what takes its place in the determinant of ML. `inverse` for REML.
    coefficients
        (column,) of the dense corner.
    penalised_square
        Residual sum of squares plus penalties at the estimates.
    log_determinant
        Of the penalised cross-product (over the penalised directions for ML), with what makes likelihoods those in
        mgcv's coefficients.
    """

    system: System
    penalties: Penalties
    log_smoothing: np.ndarray
    block_inverse: np.ndarray
    elimination: tuple[np.ndarray, ...]
    information: np.ndarray
    inverse: np.ndarray
    inverse_in_range: np.ndarray
    coefficients: np.ndarray
    penalised_square: float
    log_determinant: float

    @cached_property
    def eliminated_fit(self) -> list[np.ndarray]:
        """W b of each cluster, (pattern, function), times the root of the number of levels."""
        return [
            weights @ self.coefficients[cluster.columns]
            for cluster, weights in zip(self.system.clusters, self.elimination, strict=True)
        ]

    @cached_property
    def own_fit(self) -> list[np.ndarray]:
        """A^-1 c summed over the levels of a pattern, (pattern, function), divided by the root of their number."""
        return [
            np.einsum("pij,pj->pi", self.block_inverse[cluster.grid], cluster.response)
            for cluster in self.system.clusters
        ]

    @cached_property
    def block_square(self) -> np.ndarray:
        """(grid, function, function) the sum of g g' over the levels of a grid."""
        square = self.block_inverse @ self.system.block_response_square @ self.block_inverse
        for cluster, own, eliminated in zip(self.system.clusters, self.own_fit, self.eliminated_fit, strict=True):
            cross = own[:, :, None] * eliminated[:, None, :]
            change = eliminated[:, :, None] * eliminated[:, None, :] - cross - cross.transpose(0, 2, 1)
            cluster.add_by_grid(square, change)
        return square

    def spread(self, matrix: np.ndarray) -> np.ndarray:
        """Return the sum over the levels of a grid of W M W', (grid, function, function), for M of the dense corner."""
        total = np.zeros_like(self.block_inverse)
        for cluster, weights in zip(self.system.clusters, self.elimination, strict=True):
            # One product for all patterns of a cluster.
            through = (weights.reshape(-1, len(cluster.columns)) @ cluster.square_of(matrix)).reshape(weights.shape)
            cluster.add_by_grid(total, through @ weights.transpose(0, 2, 1))
        return total

    def gather(self, diagonal: np.ndarray) -> np.ndarray:
        """Return the sum over all levels of W'DW, (column, column), for a diagonal D of a random block."""
        total = np.zeros_like(self.inverse)
        used = diagonal > 0
        root = np.sqrt(diagonal[used])[:, None]
        for cluster, weights in zip(self.system.clusters, self.elimination, strict=True):
            scaled = (weights[:, used] * root).reshape(-1, len(cluster.columns))
            cluster.add_to(total, scaled.T @ scaled)
        return total

    def level_coefficients(self) -> np.ndarray:
        """Return the coefficients of the random blocks, (level, function); zero for levels without data."""
        system = self.system
        coefficients = np.zeros_like(system.level_response)
        cluster_of, position = system.level_pattern.T
        for number, cluster in enumerate(system.clusters):
            levels = np.flatnonzero(cluster_of == number)
            place = position[levels]
            grid = cluster.grid[place]
            # All levels of a pattern have the same W b; the root of their number is taken out again.
            count = np.bincount(place, minlength=len(cluster.grid))[place]
            own = np.einsum("lij,lj->li", self.block_inverse[grid], system.level_response[levels])
            coefficients[levels] = own - self.eliminated_fit[number][place] / np.sqrt(count)[:, None]
        return coefficients


def solve(system: System, penalties: Penalties, log_smoothing: np.ndarray, method: str) -> Solution:
    """Solve the penalised least squares problem.

    Raises
    ------
    numpy.linalg.LinAlgError
        The penalised cross-product is not positive definite to working precision.
    """
    smoothing = np.exp(log_smoothing)
    block = system.block_gram + np.diag(penalties.block_sum(smoothing))
    factor = np.linalg.cholesky(block)
    log_determinant = 2 * float(system.block_count @ np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1))
    block_inverse = np.linalg.inv(block)
    dense = system.dense_gram + penalties.dense_matrix(smoothing)
    response = system.dense_response.copy()
    elimination = []
    for cluster in system.clusters:
        weights = block_inverse[cluster.grid] @ cluster.mixed
        flat = weights.reshape(-1, len(cluster.columns))
        cluster.add_to(dense, -(cluster.mixed.reshape(-1, len(cluster.columns)).T @ flat))
        response[cluster.columns] -= flat.T @ cluster.response.ravel()
        elimination.append(weights)
    inverse, coefficients, dense_determinant = solve_dense(dense, response)
    inverse_in_range, offset = inverse, penalties.restricted_offset
    if method == "ML":
        inverse_in_range, dense_determinant = solve_in_range(dense, response, penalties)
        offset = penalties.full_offset
    square = system.response_square - float(np.sum(block_inverse * system.block_response_square))
    return Solution(
        system=system,
        penalties=penalties,
        log_smoothing=log_smoothing,
        block_inverse=block_inverse,
        elimination=tuple(elimination),
        information=dense,
        inverse=inverse,
        inverse_in_range=inverse_in_range,
        coefficients=coefficients,
        penalised_square=square - float(coefficients @ response),
        log_determinant=log_determinant + dense_determinant + offset,
    )


def solve_in_range(matrix: np.ndarray, response: np.ndarray, penalties: Penalties) -> tuple[np.ndarray, float]:
    """Return the inverse of the dense corner over the penalised directions alone, and its log determinant, for ML."""
    basis = penalties.range_basis()
    inverse, _, determinant = solve_dense(basis.T @ matrix @ basis, basis.T @ response)
    return basis @ inverse @ basis.T, determinant


def solve_dense(matrix: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the inverse, the solution and the log determinant of a positive definite system."""
    if not len(matrix):
        return matrix, response, 0.0
    diagonal = np.diag(matrix)
    if np.any(diagonal <= 0):
        raise np.linalg.LinAlgError("The penalised cross-product is not positive definite.")
    scale = 1 / np.sqrt(diagonal)
    both = scale[:, None] * scale
    factor, failed = _FACTOR(matrix * both, lower=1, clean=1)
    if failed:
        raise np.linalg.LinAlgError("The penalised cross-product is not positive definite.")
    solution = _SOLVE(factor, response * scale, lower=1)[0] * scale
    # One step of refinement takes the error of the solution to that of the data.
    solution = solution + _SOLVE(factor, (response - matrix @ solution) * scale, lower=1)[0] * scale
    root = _INVERT(factor, lower=1)[0]
    inverse = (root.T @ root) * both
    return inverse, solution, 2 * float(np.log(np.diag(factor)).sum() - np.log(scale).sum())
