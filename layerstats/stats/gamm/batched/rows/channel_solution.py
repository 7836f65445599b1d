"""The penalised estimates of a block of channels, at smoothing parameters of their own.

The formulas are those of `structured.solution`; every array has channels in front.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from layerstats.stats.gamm.batched.backend import Array, Backend
from layerstats.stats.gamm.batched.rows.channel_design import ChannelDesign
from layerstats.stats.gamm.batched.rows.channel_responses import Responses


@dataclass(frozen=True, eq=False)
class SharedCluster:
    """A cluster of patterns on the backend; see `structured.system.Cluster`."""

    columns: Array
    block: tuple[Array, Array]
    grid: Array
    grids: int
    mixed: Array
    spread_over: Array | None

    def add_by_grid(self, total: Array, parts: Array) -> None:
        """Add parts, (channel, pattern, ...), to the totals of their grids."""
        if self.spread_over is None:
            total[:, self.grid] += parts
        else:
            flat = self.spread_over @ parts.reshape(parts.shape[0], parts.shape[1], -1)
            total += flat.reshape(total.shape)


@dataclass(frozen=True, eq=False)
class Shared:
    """The design on the backend: what all channels have in common."""

    backend: Backend
    design: ChannelDesign
    dense_gram: Array
    block_gram: Array
    block_count: Array
    dense_penalties: Array
    block_penalties: Array
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

    def diagonal(self, entries: Array) -> Array:
        """Return (..., n, n) diagonal matrices."""
        return entries[..., None] * self.backend.array(np.eye(entries.shape[-1]))


def share(backend: Backend, design: ChannelDesign) -> Shared:
    """Bring what channels share to the backend."""
    system, penalties = design.system, design.penalties
    clusters = []
    for cluster in system.clusters:
        grids = len(system.block_gram)
        distinct = len(set(cluster.grid)) == len(cluster.grid)
        membership = (np.arange(grids)[:, None] == cluster.grid).astype(float)
        columns = backend.array(cluster.columns)
        clusters.append(
            SharedCluster(
                columns=columns,
                block=(columns[:, None], columns[None, :]),
                grid=backend.array(cluster.grid),
                grids=grids,
                mixed=backend.array(cluster.mixed),
                spread_over=None if distinct else backend.array(membership),
            )
        )
    return Shared(
        backend=backend,
        design=design,
        dense_gram=backend.array(system.dense_gram),
        block_gram=backend.array(system.block_gram),
        block_count=backend.array(system.block_count),
        dense_penalties=backend.array(penalties.dense),
        block_penalties=backend.array(penalties.block),
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
    smoothing: Array
    block_inverse: Array
    elimination: tuple[Array, ...]
    inverse: Array
    coefficients: Array
    penalised_square: Array
    log_determinant: Array

    @cached_property
    def dense_penalties(self) -> Array:
        """(channel, penalty, column) weighted."""
        return self.smoothing[:, : self.shared.dense_count, None] * self.shared.dense_penalties

    @cached_property
    def block_penalties(self) -> Array:
        """(channel, penalty, function) weighted."""
        return self.smoothing[:, self.shared.dense_count :, None] * self.shared.block_penalties

    @cached_property
    def own_fit(self) -> list[Array]:
        """A^-1 c of each cluster, (channel, pattern, function)."""
        return [
            (self.block_inverse[:, cluster.grid] @ response[..., None])[..., 0]
            for cluster, response in zip(self.shared.clusters, self.responses.clusters, strict=True)
        ]

    @cached_property
    def eliminated_fit(self) -> list[Array]:
        """W b of each cluster, (channel, pattern, function)."""
        return [
            (weights @ self.coefficients[:, cluster.columns][:, None, :, None])[..., 0]
            for cluster, weights in zip(self.shared.clusters, self.elimination, strict=True)
        ]

    @cached_property
    def block_square(self) -> Array:
        """(channel, grid, function, function) the sum of g g' over the levels of a grid."""
        square = self.block_inverse @ self.responses.block_square @ self.block_inverse
        for cluster, own, eliminated in zip(self.shared.clusters, self.own_fit, self.eliminated_fit, strict=True):
            cross = own[..., :, None] * eliminated[..., None, :]
            change = eliminated[..., :, None] * eliminated[..., None, :] - cross - cross.swapaxes(-1, -2)
            cluster.add_by_grid(square, change)
        return square

    def spread(self, matrices: Array) -> Array:
        """Return the sum over the levels of a grid of W M W', (channel, grid, function, function)."""
        total = self.shared.backend.zeros(*self.block_inverse.shape)
        for cluster, weights in zip(self.shared.clusters, self.elimination, strict=True):
            inner = matrices[:, cluster.block[0], cluster.block[1]][:, None]
            cluster.add_by_grid(total, weights @ inner @ weights.swapaxes(-1, -2))
        return total

    def gather(self, diagonals: Array) -> Array:
        """Return the sum over all levels of W'DW, (channel, column, column), D (channel, function) diagonals."""
        total = self.shared.backend.zeros(*self.inverse.shape)
        for cluster, weights in zip(self.shared.clusters, self.elimination, strict=True):
            flat = weights.reshape(weights.shape[0], -1, weights.shape[-1])
            scaled = (weights * diagonals[:, None, :, None]).reshape(flat.shape)
            total[:, cluster.block[0], cluster.block[1]] += scaled.swapaxes(-1, -2) @ flat
        return total


def solve(shared: Shared, responses: Responses, log_smoothing: Array) -> Solutions:
    """Solve the penalised least squares problem of each channel; NaN where it is singular."""
    backend = shared.backend
    smoothing = backend.exp(log_smoothing)
    first = shared.dense_count
    block_sum = weighted(smoothing[:, first:], shared.block_penalties)
    block = shared.block_gram + shared.diagonal(block_sum)[:, None]
    factors = backend.cholesky(block)
    block_inverse = backend.inverse(block, factors)
    log_determinant = 2 * (backend.log(_diagonals(factors)).sum(-1) * shared.block_count).sum(-1)
    dense = shared.dense_gram + shared.diagonal(weighted(smoothing[:, :first], shared.dense_penalties))
    response = responses.dense + 0.0
    elimination = []
    for cluster, own in zip(shared.clusters, responses.clusters, strict=True):
        weights = block_inverse[:, cluster.grid] @ cluster.mixed
        flat = weights.reshape(weights.shape[0], -1, weights.shape[-1])
        mixed = cluster.mixed.reshape(-1, weights.shape[-1])
        dense[:, cluster.block[0], cluster.block[1]] -= mixed.swapaxes(-1, -2) @ flat
        response[:, cluster.columns] -= (own.reshape(own.shape[0], 1, -1) @ flat)[:, 0]
        elimination.append(weights)
    inverse, coefficients, dense_determinant = _solve_dense(backend, dense, response)
    own_square = (block_inverse * responses.block_square).sum(-1).sum(-1).sum(-1)
    return Solutions(
        shared=shared,
        responses=responses,
        smoothing=smoothing,
        block_inverse=block_inverse,
        elimination=tuple(elimination),
        inverse=inverse,
        coefficients=coefficients,
        penalised_square=responses.square - own_square - (coefficients * response).sum(-1),
        log_determinant=log_determinant + dense_determinant + shared.design.penalties.restricted_offset,
    )


def weighted(smoothing: Array, penalties: Array) -> Array:
    """Return the weighted sums of diagonal penalties, (channel, coefficient).

    Not a matrix product: how that rounds depends on how many channels there are.
    """
    return (smoothing[:, :, None] * penalties).sum(1)


def _solve_dense(backend: Backend, matrices: Array, responses: Array) -> tuple[Array, Array, Array]:
    """Return inverses, solutions and log determinants of positive definite systems."""
    scale = backend.exp(-0.5 * backend.log(_diagonals(matrices)))
    scaled = matrices * scale[:, :, None] * scale[:, None, :]
    factors = backend.cholesky(scaled)
    inverse = backend.inverse(scaled, factors) * scale[:, :, None] * scale[:, None, :]
    inverse = (inverse + inverse.swapaxes(-1, -2)) / 2
    solution = (inverse @ responses[..., None])[..., 0]
    # One step of refinement takes the error of the solution to that of the data.
    left = responses - (matrices @ solution[..., None])[..., 0]
    solution = solution + (inverse @ left[..., None])[..., 0]
    determinant = 2 * (backend.log(_diagonals(factors)) - backend.log(scale)).sum(-1)
    return inverse, solution, determinant


def _diagonals(matrices: Array) -> Array:
    """Return the diagonals of (..., n, n)."""
    places = np.arange(matrices.shape[-1])
    return matrices[..., places, places]
