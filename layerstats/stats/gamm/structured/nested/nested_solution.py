"""The penalised estimates of a model with nested blocks: blocks are eliminated first, then groups.

With A_i, B_i, W_i, c_i of block i as in `structured.solution`, but B_i = Z_i'[X, U] over the dense corner and the group
s of the block, what is left for group s is T_s = U'U - sum B_u'W_u + M and C_s = U'X - sum B_u'W_b, with M the weighted
penalties of a group, and d_s = U'y - sum W_u'c_i. With V_s = T_s^-1 C_s the dense corner is X'X - sum B_b'W_b + S - sum
C_s'V_s. The estimates are b, u_s = T_s^-1 d_s - V_s b and g_i = A_i^-1 c_i - W_i (b, u_s).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from layerstats.stats.gamm.structured.nested.arrow import Arrow, gram
from layerstats.stats.gamm.structured.nested.nested_system import NestedSystem
from layerstats.stats.gamm.structured.penalties import Penalties
from layerstats.stats.gamm.structured.solution import WeightedPenalties, solve_dense, solve_in_range

# Blocks whose rows are multiplied at once.
_PIECE = 4096


@dataclass(frozen=True, eq=False)
class NestedSolution(WeightedPenalties):
    """Estimates at given smoothing parameters.

    Attributes
    ----------
    system, penalties, log_smoothing, block_inverse, information, inverse, inverse_in_range, coefficients,
    penalised_square, log_determinant
        As in `Solution`; `information` is the dense corner after elimination of blocks and groups.
    weights
        W for each cluster, (pattern, block function, column and group function).
    group_information
        (kind, function, function) T.
    group_inverse
        (kind, function, function) its inverse.
    group_border
        (kind, function, column) C.
    elimination
        (kind, function, column) V.
    group_coefficients
        (group, function) of the outer terms; zero for groups without data.
    block_coefficients
        (level, function) of the blocks; zero for blocks without data.
    """

    system: NestedSystem
    penalties: Penalties
    log_smoothing: np.ndarray
    block_inverse: np.ndarray
    weights: list[np.ndarray]
    group_information: np.ndarray
    group_inverse: np.ndarray
    group_border: np.ndarray
    elimination: np.ndarray
    information: np.ndarray
    inverse: np.ndarray
    inverse_in_range: np.ndarray
    coefficients: np.ndarray
    group_coefficients: np.ndarray
    block_coefficients: np.ndarray
    penalised_square: float
    log_determinant: float

    @cached_property
    def outer_penalties(self) -> np.ndarray:
        """(penalty, function) the weighted penalties of a group."""
        return self.smoothing[self.penalties.inner_count :, None] * self.penalties.outer

    def level_coefficients(self) -> np.ndarray:
        """Return the coefficients of the blocks, (level, function)."""
        return self.block_coefficients

    def gathered(self, diagonal: np.ndarray) -> Arrow:
        """Return the sum over blocks of W'DW for a diagonal D, as `Arrow.reduced`."""
        root = np.sqrt(diagonal)
        scaled = [(weights * root[:, None])[:, diagonal > 0] for weights in self.weights]
        return self.system.collect(scaled, scaled).reduced(self.elimination, self.system.kind_count)

    def group_gathered(self, diagonal: np.ndarray) -> np.ndarray:
        """Return the sum over groups of V'DV, (column, column), for a diagonal D over the functions of each group."""
        used = diagonal > 0
        scaled = (self.system.kind_count[:, None] * diagonal[used])[:, :, None] * self.elimination[:, used]
        return gram(scaled, self.elimination[:, used])

    def covariance(self, inverse: np.ndarray) -> Arrow:
        """Return the blocks of K^-1 for dense corner and groups, with `inverse` its dense corner."""
        across = self.elimination @ inverse
        return Arrow(inverse, -across, self.group_inverse + across @ self.elimination.transpose(0, 2, 1))

    def across(self, coefficients: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """Return W_i (b, u_s) for each block, (level, function), from (column,) and (group, function)."""
        found = np.zeros_like(self.system.level_response)
        for cluster, weights in zip(self.system.clusters, self.weights, strict=True):
            for begin in range(0, len(cluster.levels), _PIECE):
                levels = cluster.levels[begin : begin + _PIECE]
                place = cluster.place[begin : begin + _PIECE]
                own = groups[np.ix_(self.system.level_group[levels], cluster.functions)]
                values = np.hstack([np.tile(coefficients[cluster.columns], (len(levels), 1)), own])
                found[levels] = (weights[place] @ values[:, :, None])[:, :, 0]
        return found

    def back(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums of W_i' v_i over all blocks, (column,), and over those of each group, (group, function)."""
        return back(self.system, self.weights, values)

    def inverse_times_block(self, values: np.ndarray) -> np.ndarray:
        """Return A_i^-1 v_i, (level, function)."""
        return inverse_times_block(self.system, self.block_inverse, values)


def inverse_times_block(system: NestedSystem, block_inverse: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return A_i^-1 v_i for each block, (level, function)."""
    found = np.zeros_like(values)
    for cluster in system.clusters:
        grid = cluster.grid[cluster.place]
        for number in np.unique(grid):
            levels = cluster.levels[grid == number]
            found[levels] = values[levels] @ block_inverse[number]
    return found


def back(system: NestedSystem, weights: list[np.ndarray], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of W_i' v_i over all blocks and over the blocks of each group."""
    dense, groups = np.zeros(len(system.dense_response)), np.zeros_like(system.group_response)
    for cluster, weight in zip(system.clusters, weights, strict=True):
        wide = len(cluster.columns)
        for begin in range(0, len(cluster.levels), _PIECE):
            levels = cluster.levels[begin : begin + _PIECE]
            own = (values[levels][:, None, :] @ weight[cluster.place[begin : begin + _PIECE]])[:, 0]
            dense[cluster.columns] += own[:, :wide].sum(axis=0)
            np.add.at(groups, (system.level_group[levels][:, None], cluster.functions[None, :]), own[:, wide:])
    return dense, groups


def solve_nested(system: NestedSystem, penalties: Penalties, log_smoothing: np.ndarray, method: str) -> NestedSolution:
    """Solve the penalised least squares problem.

    Raises
    ------
    numpy.linalg.LinAlgError
        The penalised cross-product is not positive definite to working precision.
    """
    smoothing = np.exp(log_smoothing)
    block = system.block_gram + np.diag(penalties.block_sum(smoothing))
    log_determinant = _log_determinants(np.linalg.cholesky(block), system.block_count)
    block_inverse = np.linalg.inv(block)
    mixed = [cluster.mixed for cluster in system.clusters]
    weights = [block_inverse[cluster.grid] @ cluster.mixed for cluster in system.clusters]
    eliminated = system.collect(mixed, weights)
    own = inverse_times_block(system, block_inverse, system.level_response)
    dense_part, group_part = back(system, weights, system.level_response)

    groups = system.group_gram - eliminated.block + np.diag(penalties.outer_sum(smoothing))
    groups = (groups + groups.transpose(0, 2, 1)) / 2
    log_determinant += _log_determinants(np.linalg.cholesky(groups), system.kind_count)
    group_inverse = np.linalg.inv(groups)
    border = system.group_mixed - eliminated.border
    elimination = group_inverse @ border
    group_response = system.group_response - group_part
    group_own = np.zeros_like(group_response)
    kind = system.group_kind[system.used]
    group_own[system.used] = (group_inverse[kind] @ group_response[system.used][:, :, None])[:, :, 0]

    dense = system.dense_gram - eliminated.corner + penalties.dense_matrix(smoothing)
    dense = dense - gram(system.kind_count[:, None, None] * border, elimination)
    dense = (dense + dense.T) / 2
    by_kind = np.zeros(elimination.shape[:2])
    np.add.at(by_kind, kind, group_response[system.used])
    response = system.dense_response - dense_part - np.tensordot(elimination, by_kind, axes=([0, 1], [0, 1]))
    inverse, coefficients, determinant = solve_dense(dense, response)
    inverse_in_range, offset = inverse, penalties.restricted_offset
    if method == "ML":
        inverse_in_range, determinant = solve_in_range(dense, response, penalties)
        offset = penalties.full_offset
    group_coefficients = group_own.copy()
    group_coefficients[system.used] -= (elimination @ coefficients)[kind]
    square = system.response_square - float(np.sum(own * system.level_response) + np.sum(group_own * group_response))
    solution = NestedSolution(
        system=system,
        penalties=penalties,
        log_smoothing=log_smoothing,
        block_inverse=block_inverse,
        weights=weights,
        group_information=groups,
        group_inverse=group_inverse,
        group_border=border,
        elimination=elimination,
        information=dense,
        inverse=inverse,
        inverse_in_range=inverse_in_range,
        coefficients=coefficients,
        group_coefficients=group_coefficients,
        block_coefficients=own,
        penalised_square=square - float(coefficients @ response),
        log_determinant=log_determinant + determinant + offset,
    )
    # The blocks need what is in the solution: their own part is there already.
    own -= solution.across(coefficients, group_coefficients)
    return solution


def _log_determinants(factors: np.ndarray, count: np.ndarray) -> float:
    return 2 * float(count @ np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1))
