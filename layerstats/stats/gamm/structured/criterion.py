"""The criterion of one model: minus the log restricted (or full) likelihood, in closed form.

The parameters are the log smoothing parameters and, last, the log of the scale, which does not move where it is known
(in the working models of binomial responses); see `layerstats.stats.gamm.restricted_likelihood`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.errors import DataError
from layerstats.stats.gamm.restricted_likelihood import Derivatives, LikelihoodParts, derivatives, minus_log_likelihood
from layerstats.stats.gamm.structured.block_traces import block_traces
from layerstats.stats.gamm.structured.penalties import Penalties
from layerstats.stats.gamm.structured.solution import Solution, solve
from layerstats.stats.gamm.structured.system import System

# Of a sum of squares: what rounding errors leave of it.
_EXACT = 1e-13


@dataclass(frozen=True, eq=False)
class Criterion:
    """The function that smoothing parameters and scale minimise.

    Attributes
    ----------
    system, penalties
        The data and the model.
    method
        ``"fREML"``, ``"REML"`` or ``"ML"``; the first two are the same for Gaussian responses.
    constant
        What whitening adds.
    known_scale
        The scale where it is no parameter. Its derivatives are then zero, so that Newton's method leaves it alone.
    """

    system: System
    penalties: Penalties
    method: str
    constant: float = 0.0
    known_scale: float | None = None

    @property
    def rows_less_unpenalised(self) -> int:
        """Observations, less the unpenalised directions for REML."""
        return self.system.observations - (0 if self.method == "ML" else self.penalties.counted_as_estimated)

    def starting_weights(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return what the data say of the coefficients of each penalty, (column,), and its diagonal."""
        system, penalties = self.system, self.penalties
        dense = np.diag(system.dense_gram)
        block = np.einsum("gii,g->i", system.block_gram, system.block_count) / max(system.block_count.sum(), 1.0)
        squares = penalties.along_axes(np.eye(penalties.columns)) ** 2
        return [(dense, diagonal @ squares) for diagonal in penalties.dense] + [
            (block, diagonal) for diagonal in penalties.block
        ]

    def solve(self, log_smoothing: np.ndarray) -> Solution:
        """Return the estimates at `log_smoothing`; see `solution.solve`."""
        return solve(self.system, self.penalties, log_smoothing, self.method)

    def value(self, solution: Solution, log_scale: float) -> float:
        """Return the criterion."""
        determinants = solution.log_determinant - solution.penalty_determinant.value
        scale = np.exp(log_scale)
        square = solution.penalised_square
        return self.constant + float(
            minus_log_likelihood(square, scale, log_scale, self.rows_less_unpenalised, determinants)
        )

    def derivatives(self, solution: Solution, log_scale: float) -> Derivatives:
        """Return gradient and Hessian."""
        fit, fit_cross = self.fit_terms(solution)
        trace, trace_cross = self.determinant_terms(solution)
        penalty = solution.penalty_determinant
        scale = np.exp(log_scale)
        second = np.diag(trace + fit / scale) - trace_cross - 2 * fit_cross / scale - penalty.hessian
        parts = LikelihoodParts(fit, trace - penalty.gradient, second)
        found = derivatives(parts, solution.penalised_square, scale, self.rows_less_unpenalised)
        if self.known_scale is not None:
            found.gradient[-1] = found.hessian[-1, :] = found.hessian[:, -1] = 0.0
        return found

    def fit_terms(self, solution: Solution) -> tuple[np.ndarray, np.ndarray]:
        """Return b'S_j b for each penalty, and b'S_i K^-1 S_j b for each pair, all penalties weighted."""
        return fit_terms(solution)

    def determinant_terms(self, solution: Solution) -> tuple[np.ndarray, np.ndarray]:
        """Return tr(K^-1 S_j) for each penalty, and tr(K^-1 S_i K^-1 S_j) for each pair, all penalties weighted."""
        return _determinant_terms(solution)

    def best_log_scale(self, solution: Solution) -> float:
        """Return the log scale that minimises the criterion at given smoothing parameters, or the known one."""
        if self.known_scale is not None:
            return float(np.log(self.known_scale))
        if self.rows_less_unpenalised <= 0:
            raise DataError(
                f"The model has as many coefficients without penalty as the data have rows "
                f"({self.system.observations}): nothing is left to estimate a variance from. Leave out a term, or use "
                "more data."
            )
        check_inexact(solution.penalised_square, self.system.response_square)
        return float(np.log(solution.penalised_square / self.rows_less_unpenalised))


def check_inexact(left: float, square: float) -> None:
    """Raise `DataError` where sums of squares, about the mean, say that a model leaves rounding errors only."""
    if left <= _EXACT * square:
        raise DataError(
            "The model fits the response exactly, but for rounding errors: there is no residual variance to hold "
            "anything against. Is the response computed from the other columns?"
        )


def penalised_directions(solution: Solution) -> np.ndarray:
    """Return, for each penalty, the dense part of its product with the coefficients after elimination.

    (penalty, column); the derivative of the dense coefficients in a log smoothing parameter is minus P times its row.
    """
    penalties = solution.penalties
    directions = np.zeros((penalties.count, penalties.columns))
    directions[: penalties.dense_count] = penalties.from_axes(solution.dense_penalties * solution.axis_coefficients)
    for number, diagonal in enumerate(solution.block_penalties):
        directions[penalties.dense_count + number] = -gather_coefficients(solution, np.diag(diagonal))
    return directions


def gather_coefficients(solution: Solution, matrix: np.ndarray) -> np.ndarray:
    """Return the sum over levels of W' M g, (column,), for M (function, function) or one matrix a grid."""
    total = np.zeros(solution.penalties.columns)
    pieces = zip(solution.system.clusters, solution.elimination, solution.own_fit, solution.eliminated_fit, strict=True)
    for cluster, weights, own, eliminated in pieces:
        by_grid = matrix if matrix.ndim == 2 else matrix[cluster.grid]
        scaled = (by_grid @ (own - eliminated)[:, :, None])[:, :, 0]
        total[cluster.columns] += np.tensordot(weights, scaled, axes=([0, 1], [0, 1]))
    return total


def fit_terms(solution: Solution) -> tuple[np.ndarray, np.ndarray]:
    """Return b'S_j b for each penalty, and b'S_i K^-1 S_j b for each pair, all penalties weighted."""
    penalties, first = solution.penalties, solution.penalties.dense_count
    fit = np.empty(penalties.count)
    fit[:first] = solution.dense_penalties @ solution.axis_coefficients**2
    square = solution.block_square
    fit[first:] = solution.block_penalties @ np.diagonal(square, axis1=1, axis2=2).sum(axis=0)
    directions = penalised_directions(solution)
    cross = directions @ solution.inverse @ directions.T
    middle = np.sum(solution.block_inverse * square.transpose(0, 2, 1), axis=0)
    cross[first:, first:] += solution.block_penalties @ middle @ solution.block_penalties.T
    return fit, cross


def _determinant_terms(solution: Solution) -> tuple[np.ndarray, np.ndarray]:
    """Return tr(K^-1 S_j) for each penalty, and tr(K^-1 S_i K^-1 S_j) for each pair, all penalties weighted."""
    penalties, first = solution.penalties, solution.penalties.dense_count
    count = solution.system.block_count[:, None, None]
    trace, cross = np.empty(penalties.count), np.empty((penalties.count, penalties.count))
    dense = solution.dense_penalties
    trace[:first] = dense @ np.diag(solution.axis_inverse_in_range)
    cross[:first, :first] = dense @ solution.axis_inverse_in_range**2 @ dense.T
    if first == penalties.count:
        return trace, cross
    found = block_traces(solution, solution.inverse_in_range)
    own = np.diagonal(count * solution.block_inverse + found.spread, axis1=1, axis2=2).sum(axis=0)
    trace[first:] = solution.block_penalties @ own
    middle = np.sum(solution.block_inverse * (count * solution.block_inverse + 2 * found.spread), axis=0)
    cross[first:, first:] = solution.block_penalties @ middle @ solution.block_penalties.T + found.pairs
    cross[first:, :first] = found.axes @ dense.T
    cross[:first, first:] = cross[first:, :first].T
    return trace, cross
