"""The penalised estimates of a block of channels, at smoothing parameters of their own.

The formulas are those of `structured.solution`; every array has channels in front.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from layerstats.stats.gamm.batched.linear_algebra import cholesky, exp, inverse, log
from layerstats.stats.gamm.batched.rows.channel_design import ChannelDesign
from layerstats.stats.gamm.batched.rows.channel_responses import Responses


@dataclass(frozen=True, eq=False)
class SharedCluster:
    """A cluster of patterns; see `structured.system.Cluster`."""

    columns: np.ndarray
    block: tuple[np.ndarray, np.ndarray]
    grid: np.ndarray
    grids: int
    mixed: np.ndarray
    spread_over: np.ndarray | None

    def add_by_grid(self, total: np.ndarray, parts: np.ndarray) -> None:
        """Add parts, (channel, pattern, ...), to the totals of their grids."""
        if self.spread_over is None:
            total[:, self.grid] += parts
        else:
            flat = self.spread_over @ parts.reshape(parts.shape[0], parts.shape[1], -1)
            total += flat.reshape(total.shape)


@dataclass(frozen=True, eq=False)
class Shared:
    """What all channels have in common, ready for computing."""

    design: ChannelDesign
    dense_gram: np.ndarray
    block_gram: np.ndarray
    block_count: np.ndarray
    dense_penalties: np.ndarray
    block_penalties: np.ndarray
    clusters: tuple[SharedCluster, ...]

    @property
    def dense_count(self) -> int:
        """The number of penalties in the dense corner."""
        return self.design.penalties.dense_count

    @property
    def observations(self) -> int:
        """The number of rows."""
        return self.design.system.observations

    @property
    def rows_less_unpenalised(self) -> int:
        """Observations less the unpenalised directions."""
        return self.observations - self.design.penalties.unpenalised


def share(design: ChannelDesign) -> Shared:
    """Collect what channels share."""
    system, penalties = design.system, design.penalties
    clusters = []
    for cluster in system.clusters:
        grids = len(system.block_gram)
        distinct = len(set(cluster.grid)) == len(cluster.grid)
        membership = (np.arange(grids)[:, None] == cluster.grid).astype(float)
        columns = cluster.columns
        clusters.append(
            SharedCluster(
                columns=columns,
                block=(columns[:, None], columns[None, :]),
                grid=cluster.grid,
                grids=grids,
                mixed=np.ascontiguousarray(cluster.mixed),
                spread_over=None if distinct else membership,
            )
        )
    return Shared(
        design=design,
        dense_gram=np.ascontiguousarray(system.dense_gram, dtype=float),
        block_gram=np.ascontiguousarray(system.block_gram, dtype=float),
        block_count=np.ascontiguousarray(system.block_count, dtype=float),
        dense_penalties=np.ascontiguousarray(penalties.dense, dtype=float),
        block_penalties=np.ascontiguousarray(penalties.block, dtype=float),
        clusters=tuple(clusters),
    )


@dataclass(frozen=True, eq=False)
class Solutions:
    """Estimates of some channels; see `structured.solution.Solution` for what each is.

    Attributes
    ----------
    shared, responses
        What was solved.
    smoothing
        (channel, penalty)
    block_inverse
        (channel, grid, function, function)
    elimination
        For each cluster (channel, pattern, function, column), times the root of the number of levels.
    inverse
        (channel, column, column)
    coefficients
        (channel, column)
    penalised_square, log_determinant
        (channel,)
    """

    shared: Shared
    responses: Responses
    smoothing: np.ndarray
    block_inverse: np.ndarray
    elimination: tuple[np.ndarray, ...]
    inverse: np.ndarray
    coefficients: np.ndarray
    penalised_square: np.ndarray
    log_determinant: np.ndarray

    @cached_property
    def dense_penalties(self) -> np.ndarray:
        """(channel, penalty, column) weighted."""
        return self.smoothing[:, : self.shared.dense_count, None] * self.shared.dense_penalties

    @cached_property
    def block_penalties(self) -> np.ndarray:
        """(channel, penalty, function) weighted."""
        return self.smoothing[:, self.shared.dense_count :, None] * self.shared.block_penalties

    @cached_property
    def own_fit(self) -> list[np.ndarray]:
        """A^-1 c of each cluster, (channel, pattern, function)."""
        return [
            (self.block_inverse[:, cluster.grid] @ response[..., None])[..., 0]
            for cluster, response in zip(self.shared.clusters, self.responses.clusters, strict=True)
        ]

    @cached_property
    def eliminated_fit(self) -> list[np.ndarray]:
        """W b of each cluster, (channel, pattern, function)."""
        return [
            (weights @ self.coefficients[:, cluster.columns][:, None, :, None])[..., 0]
            for cluster, weights in zip(self.shared.clusters, self.elimination, strict=True)
        ]

    @cached_property
    def block_square(self) -> np.ndarray:
        """(channel, grid, function, function) the sum of g g' over the levels of a grid."""
        square = self.block_inverse @ self.responses.block_square @ self.block_inverse
        for cluster, own, eliminated in zip(self.shared.clusters, self.own_fit, self.eliminated_fit, strict=True):
            cross = own[..., :, None] * eliminated[..., None, :]
            change = eliminated[..., :, None] * eliminated[..., None, :] - cross - cross.swapaxes(-1, -2)
            cluster.add_by_grid(square, change)
        return square

    def spread(self, matrices: np.ndarray) -> np.ndarray:
        """Return the sum over the levels of a grid of W M W', (channel, grid, function, function)."""
        total = np.zeros(self.block_inverse.shape)
        for cluster, weights in zip(self.shared.clusters, self.elimination, strict=True):
            inner = matrices[:, cluster.block[0], cluster.block[1]][:, None]
            cluster.add_by_grid(total, weights @ inner @ weights.swapaxes(-1, -2))
        return total

    def gather(self, diagonals: np.ndarray) -> np.ndarray:
        """Return the sum over all levels of W'DW, (channel, column, column), D (channel, function) diagonals."""
        total = np.zeros(self.inverse.shape)
        for cluster, weights in zip(self.shared.clusters, self.elimination, strict=True):
            flat = weights.reshape(weights.shape[0], -1, weights.shape[-1])
            scaled = (weights * diagonals[:, None, :, None]).reshape(flat.shape)
            total[:, cluster.block[0], cluster.block[1]] += scaled.swapaxes(-1, -2) @ flat
        return total


def solve(shared: Shared, responses: Responses, log_smoothing: np.ndarray) -> Solutions:
    """Solve the penalised least squares problem of each channel; NaN where it is singular."""
    smoothing = exp(log_smoothing)
    first = shared.dense_count
    block_sum = weighted(smoothing[:, first:], shared.block_penalties)
    block = shared.block_gram + diagonal(block_sum)[:, None]
    factors = cholesky(block)
    block_inverse = inverse(block, factors)
    log_determinant = 2 * (log(_diagonals(factors)).sum(-1) * shared.block_count).sum(-1)
    dense = shared.dense_gram + diagonal(weighted(smoothing[:, :first], shared.dense_penalties))
    response = responses.dense + 0.0
    elimination = []
    for cluster, own in zip(shared.clusters, responses.clusters, strict=True):
        weights = block_inverse[:, cluster.grid] @ cluster.mixed
        flat = weights.reshape(weights.shape[0], -1, weights.shape[-1])
        mixed = cluster.mixed.reshape(-1, weights.shape[-1])
        dense[:, cluster.block[0], cluster.block[1]] -= mixed.swapaxes(-1, -2) @ flat
        response[:, cluster.columns] -= (own.reshape(own.shape[0], 1, -1) @ flat)[:, 0]
        elimination.append(weights)
    dense_inverse, coefficients, dense_determinant = _solve_dense(dense, response)
    own_square = (block_inverse * responses.block_square).sum(-1).sum(-1).sum(-1)
    return Solutions(
        shared=shared,
        responses=responses,
        smoothing=smoothing,
        block_inverse=block_inverse,
        elimination=tuple(elimination),
        inverse=dense_inverse,
        coefficients=coefficients,
        penalised_square=responses.square - own_square - (coefficients * response).sum(-1),
        log_determinant=log_determinant + dense_determinant + shared.design.penalties.restricted_offset,
    )


def weighted(smoothing: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Return the weighted sums of diagonal penalties, (channel, coefficient).

    Not a matrix product: how that rounds depends on how many channels there are.
    """
    return (smoothing[:, :, None] * penalties).sum(1)


def _solve_dense(matrices: np.ndarray, responses: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return inverses, solutions and log determinants of positive definite systems."""
    scale = exp(-0.5 * log(_diagonals(matrices)))
    scaled = matrices * scale[:, :, None] * scale[:, None, :]
    factors = cholesky(scaled)
    inverses = inverse(scaled, factors) * scale[:, :, None] * scale[:, None, :]
    inverses = (inverses + inverses.swapaxes(-1, -2)) / 2
    solution = (inverses @ responses[..., None])[..., 0]
    # One step of refinement takes the error of the solution to that of the data.
    left = responses - (matrices @ solution[..., None])[..., 0]
    solution = solution + (inverses @ left[..., None])[..., 0]
    determinant = 2 * (log(_diagonals(factors)) - log(scale)).sum(-1)
    return inverses, solution, determinant


def diagonal(entries: np.ndarray) -> np.ndarray:
    """Return (..., n, n) diagonal matrices."""
    return entries[..., None] * np.eye(entries.shape[-1])


def _diagonals(matrices: np.ndarray) -> np.ndarray:
    """Return the diagonals of (..., n, n)."""
    places = np.arange(matrices.shape[-1])
    return matrices[..., places, places]
