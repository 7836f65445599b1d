"""Effective degrees of freedom and covariances where blocks are nested in groups; see `inference.edf`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from scipy.linalg import block_diag

from layerstats.stats.gamm.structured.edf import EffectiveDf
from layerstats.stats.gamm.structured.full_crossproduct import coefficient_count
from layerstats.stats.gamm.structured.nested.arrow import Arrow
from layerstats.stats.gamm.structured.nested.nested_criterion import Directions, directions, nested_fit_terms
from layerstats.stats.gamm.structured.nested.nested_solution import NestedSolution


@dataclass(frozen=True, eq=False)
class NestedEffectiveDf(EffectiveDf):
    """Degrees of freedom at an optimum of a model with nested blocks."""

    @property
    def solution(self) -> NestedSolution:
        """The estimates."""
        return cast(NestedSolution, self.optimum.solution)

    @cached_property
    def _directions(self) -> Directions:
        return directions(self.solution)

    def _fit_terms(self) -> tuple[np.ndarray, np.ndarray]:
        return nested_fit_terms(self.solution, self._directions)

    def _penalised_directions(self) -> np.ndarray:
        return self._directions.dense

    @cached_property
    def penalty(self) -> Arrow:
        """The weighted penalties of blocks and groups along the dense directions after elimination of both."""
        found = self.raw_penalty
        elimination, count = self.solution.elimination, self.solution.system.kind_count
        return Arrow(found.corner - self._dense_penalty, found.border, found.block).reduced(elimination, count)

    @cached_property
    def raw_penalty(self) -> Arrow:
        """All weighted penalties after elimination of the blocks alone."""
        solution = self.solution
        root = np.sqrt(self._block_penalty)[:, None]
        scaled = [weights * root for weights in solution.weights]
        found = solution.system.collect(scaled, scaled)
        return Arrow(found.corner + self._dense_penalty, found.border, found.block + np.diag(self._outer_penalty))

    @cached_property
    def _gathered(self) -> np.ndarray:
        return self.penalty.corner

    @cached_property
    def _outer_penalty(self) -> np.ndarray:
        return self.solution.penalties.outer_sum(self.solution.smoothing)

    @cached_property
    def _sandwich(self) -> Arrow:
        """The blocks of K^-1 S K^-1 for dense corner and groups."""
        solution = self.solution
        inverse, elimination = solution.inverse, solution.elimination
        middle = inverse @ (self._dense_penalty + self._gathered) @ inverse
        half = solution.group_inverse @ self.penalty.border @ inverse
        border = half - elimination @ middle
        mixed = half @ elimination.transpose(0, 2, 1)
        block = solution.group_inverse @ self.penalty.block @ solution.group_inverse
        block = block - mixed - mixed.transpose(0, 2, 1) + elimination @ middle @ elimination.transpose(0, 2, 1)
        return Arrow(middle, border, block)

    @cached_property
    def _spread(self) -> np.ndarray:
        solution = self.solution
        return solution.system.spread(solution.weights, solution.covariance(solution.inverse))

    @cached_property
    def block(self) -> np.ndarray:
        """(function,) the diagonal of F summed over the blocks."""
        solution = self.solution
        count = solution.system.block_count
        variance = count[:, None, None] * solution.block_inverse + self._spread
        return count.sum() - np.diagonal(variance, axis1=1, axis2=2).sum(axis=0) * self._block_penalty

    @cached_property
    def block_edf1(self) -> np.ndarray:
        """(function,) the diagonal of 2F - FF summed over the blocks: 1 - S K^-1 S K^-1."""
        solution, weight = self.solution, self._block_penalty
        count = solution.system.block_count[:, None, None]
        weighted = solution.block_inverse * weight
        twice = count * (weighted @ solution.block_inverse) + solution.system.spread(solution.weights, self._sandwich)
        diagonal = np.einsum("gii->i", twice) + 2 * np.einsum("gij,gji->i", weighted, self._spread)
        return count.sum() - weight * diagonal

    @cached_property
    def outer(self) -> np.ndarray:
        """(function,) the diagonal of F summed over the groups."""
        return self._over_groups(self.solution.covariance(self.solution.inverse).block)

    @cached_property
    def outer_edf1(self) -> np.ndarray:
        """(function,) the diagonal of 2F - FF summed over the groups."""
        return self._over_groups(self._sandwich.block)

    def _over_groups(self, block: np.ndarray) -> np.ndarray:
        count = self.solution.system.kind_count
        return count.sum() - self._outer_penalty * (count @ np.diagonal(block, axis1=1, axis2=2))

    @cached_property
    def total(self) -> float:
        """Effective degrees of freedom of the model."""
        return float(self.dense.sum() + self.block.sum() + self.outer.sum())

    @cached_property
    def total_edf1(self) -> float:
        """The sum of edf1."""
        return float(self.dense_edf1.sum() + self.block_edf1.sum() + self.outer_edf1.sum())

    @cached_property
    def total_edf2(self) -> float:
        """Degrees of freedom with the uncertainty of the smoothing parameters (edf2); see `EffectiveDf`."""
        solution, found = self.solution, self._directions
        system, first = solution.system, solution.penalties.dense_count
        kind = system.group_kind[system.used]
        dense = found.dense @ solution.inverse
        groups = np.zeros_like(found.groups)
        own = (solution.group_inverse[kind] @ found.groups[:, system.used].transpose(1, 2, 0)).transpose(2, 0, 1)
        groups[:, system.used] = own - np.einsum("sfc,jc->jsf", solution.elimination[kind], dense)
        cross = self._fit_terms()[1]
        cross = cross - dense @ self._dense_penalty @ dense.T
        cross -= np.tensordot(groups * self._outer_penalty, groups, axes=([1, 2], [1, 2]))
        blocks = np.stack([-solution.across(*one) for one in zip(dense, groups, strict=True)])
        for number in range(first, solution.penalties.inner_count):
            blocks[number] += solution.inverse_times_block(found.blocks[number])
        cross -= np.tensordot(blocks * self._block_penalty, blocks, axes=([1, 2], [1, 2]))
        extra = float(np.sum(self.smoothing_covariance * cross)) / self.scale
        if self.second_order is not None:
            extra += self.second_order.edf
        return min(self.total + extra, self.total_edf1)

    def _whole_penalties(self) -> np.ndarray:
        outer = np.tile(self.solution.outer_penalties, (1, self.model.group_count))
        return block_diag(super()._whole_penalties(), outer)

    def _whole_information(self) -> np.ndarray:
        system, size = self.solution.system, coefficient_count(self.model)
        dense, functions = len(system.dense_gram), system.block_gram.shape[1]
        wide = system.group_gram.shape[1]
        groups = dense + self.model.level_count * functions + np.arange(self.model.group_count * wide).reshape(-1, wide)
        matrix = np.zeros((size, size))
        matrix[:dense, :dense] = system.dense_gram
        for group in system.used:
            own, kind = groups[group], system.group_kind[group]
            matrix[np.ix_(own, own)] = system.group_gram[kind]
            matrix[own, :dense] = system.group_mixed[kind]
        for cluster in system.clusters:
            for level, place in zip(cluster.levels, cluster.place, strict=True):
                own = dense + level * functions + np.arange(functions)
                columns = np.concatenate([cluster.columns, groups[system.level_group[level], cluster.functions]])
                matrix[np.ix_(own, own)] = system.block_gram[cluster.grid[place]]
                matrix[np.ix_(columns, own)] = cluster.mixed[place].T
                matrix[np.ix_(own, columns)] = cluster.mixed[place]
        matrix[:dense, groups.ravel()] = matrix[groups.ravel(), :dense].T
        return matrix
