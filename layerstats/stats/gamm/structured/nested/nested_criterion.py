"""Derivatives of the criterion where blocks are nested in groups.

After elimination of the blocks a penalty of theirs is an arrow G = sum W'DW over dense corner and groups, and that of a
group is its own diagonal. With N = [1, -V'] and R = N'GN, Y = (GN)_u, E = G_uu, traces over all coefficients are

    tr K^-1 S_i = tr P R_i + sum_s tr T^-1 E_i + (blocks) sum tr A^-1 D_i,
    tr K^-1 S_i K^-1 S_j = tr P R_i P R_j + sum_s (2 tr P Y_i'T^-1 Y_j + tr T^-1 E_i T^-1 E_j)
                           + (blocks, as without groups).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.criterion import Criterion
from layerstats.stats.gamm.structured.nested.arrow import gram
from layerstats.stats.gamm.structured.nested.nested_solution import NestedSolution, solve_nested
from layerstats.stats.gamm.structured.nested.nested_system import NestedSystem


@dataclass(frozen=True, eq=False)
class Directions:
    """What each weighted penalty makes of the coefficients, S_j b, after elimination of the blocks.

    Attributes
    ----------
    dense
        (penalty, column) after elimination of the groups too.
    groups
        (penalty, group, function)
    blocks
        (penalty, level, function) D_j g, before elimination.
    """

    dense: np.ndarray
    groups: np.ndarray
    blocks: np.ndarray


@dataclass(frozen=True, eq=False)
class NestedCriterion(Criterion):
    """The function that smoothing parameters and scale minimise, for nested blocks."""

    system: NestedSystem

    def solve(self, log_smoothing: np.ndarray) -> NestedSolution:
        """Return the estimates at `log_smoothing`."""
        return solve_nested(self.system, self.penalties, log_smoothing, self.method)

    def starting_weights(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return what the data say of the coefficients of each penalty, and its diagonal."""
        groups = np.einsum("kii,k->i", self.system.group_gram, self.system.kind_count) / self.system.kind_count.sum()
        return [*super().starting_weights(), *((groups, diagonal) for diagonal in self.penalties.outer)]

    def fit_terms(self, solution: NestedSolution) -> tuple[np.ndarray, np.ndarray]:
        """Return b'S_j b for each penalty, and b'S_i K^-1 S_j b for each pair, all penalties weighted."""
        return nested_fit_terms(solution, directions(solution))

    def determinant_terms(self, solution: NestedSolution) -> tuple[np.ndarray, np.ndarray]:
        """Return tr(K^-1 S_j) for each penalty, and tr(K^-1 S_i K^-1 S_j) for each pair, all penalties weighted."""
        return _determinant_terms(solution)


def directions(solution: NestedSolution) -> Directions:
    """Return what each weighted penalty makes of the coefficients."""
    penalties, system = solution.penalties, solution.system
    dense = np.zeros((penalties.count, penalties.columns))
    groups = np.zeros((penalties.count, *solution.group_coefficients.shape))
    blocks = np.zeros((penalties.count, *solution.block_coefficients.shape))
    dense[: penalties.dense_count] = penalties.from_axes(solution.dense_penalties * solution.axis_coefficients)
    for number, diagonal in enumerate(solution.block_penalties, penalties.dense_count):
        blocks[number] = solution.block_coefficients * diagonal
        own, group = solution.back(blocks[number])
        dense[number], groups[number] = -own, -group
    groups[penalties.inner_count :] = solution.outer_penalties[:, None, :] * solution.group_coefficients
    by_kind = np.zeros((len(system.kind_count), penalties.count, solution.group_coefficients.shape[1]))
    np.add.at(by_kind, system.group_kind[system.used], groups[:, system.used].transpose(1, 0, 2))
    dense -= np.einsum("kjf,kfc->jc", by_kind, solution.elimination)
    return Directions(dense, groups, blocks)


def nested_fit_terms(solution: NestedSolution, found: Directions) -> tuple[np.ndarray, np.ndarray]:
    """Return b'S_j b for each penalty, and b'S_i K^-1 S_j b for each pair, all penalties weighted."""
    penalties, system = solution.penalties, solution.system
    first, last = penalties.dense_count, penalties.inner_count
    fit = np.empty(penalties.count)
    fit[:first] = solution.dense_penalties @ solution.axis_coefficients**2
    fit[first:last] = solution.block_penalties @ np.sum(solution.block_coefficients**2, axis=0)
    fit[last:] = solution.outer_penalties @ np.sum(solution.group_coefficients**2, axis=0)
    cross = found.dense @ solution.inverse @ found.dense.T
    inverse = solution.group_inverse[system.group_kind[system.used]]
    groups = found.groups[:, system.used]
    through = (inverse @ groups.transpose(1, 2, 0)).transpose(2, 0, 1)
    cross += np.tensordot(groups, through, axes=([1, 2], [1, 2]))
    own = found.blocks[first:last]
    solved = np.stack([solution.inverse_times_block(one) for one in own])
    cross[first:last, first:last] += np.tensordot(own, solved, axes=([1, 2], [1, 2]))
    return fit, cross


def _determinant_terms(solution: NestedSolution) -> tuple[np.ndarray, np.ndarray]:
    penalties, system = solution.penalties, solution.system
    first, last = penalties.dense_count, penalties.inner_count
    inverse, count = solution.inverse_in_range, system.kind_count[:, None, None]
    trace, cross = np.zeros(penalties.count), np.zeros((penalties.count, penalties.count))
    dense, outer = solution.dense_penalties, solution.outer_penalties
    arrows = [solution.gathered(diagonal) for diagonal in solution.block_penalties]
    corners = [inverse @ arrow.corner for arrow in arrows]
    corners += [inverse @ solution.group_gathered(diagonal) for diagonal in outer]
    trace[:first] = dense @ np.diag(solution.axis_inverse_in_range)
    cross[:first, :first] = dense @ solution.axis_inverse_in_range**2 @ dense.T
    along = penalties.along_axes(inverse)
    for number, corner in enumerate(corners, first):
        trace[number] = np.trace(corner)
        cross[number, :first] = cross[:first, number] = dense @ np.sum(penalties.along_axes(corner) * along, axis=1)
    flat = np.stack([corner.ravel() for corner in corners])
    cross[first:, first:] = flat @ np.stack([corner.T.ravel() for corner in corners]).T
    # Of the groups: all pairs of their own penalties at once, since those are diagonal.
    group, across = solution.group_inverse, solution.elimination @ inverse
    own = np.sum(count * group * (group + 2 * across @ solution.elimination.transpose(0, 2, 1)), axis=0)
    trace[last:] += outer @ np.diag(np.sum(count * group, axis=0))
    cross[last:, last:] += outer @ own @ outer.T
    blocks = [group @ arrow.block for arrow in arrows]
    borders = [group @ arrow.border for arrow in arrows]
    for number, (arrow, block, border) in enumerate(zip(arrows, blocks, borders, strict=True), first):
        trace[number] += np.einsum("k,kii->", count[:, 0, 0], block)
        for other in range(first, number + 1):
            both = 2 * np.sum(inverse * gram(count * arrow.border, borders[other - first]))
            both += np.sum(count * block * blocks[other - first].transpose(0, 2, 1))
            cross[number, other] += both
            if other != number:
                cross[other, number] += both
        mixed = np.sum(block * group.transpose(0, 2, 1), axis=2) - 2 * np.sum(border * across, axis=2)
        both = outer @ (count[:, 0, 0] @ mixed)
        cross[number, last:] += both
        cross[last:, number] += both
    spread = system.spread(solution.weights, solution.covariance(inverse))
    inner = system.block_count[:, None, None] * solution.block_inverse
    trace[first:last] += solution.block_penalties @ np.diagonal(inner, axis1=1, axis2=2).sum(axis=0)
    middle = np.sum(solution.block_inverse * (inner + 2 * spread), axis=0)
    cross[first:last, first:last] += solution.block_penalties @ middle @ solution.block_penalties.T
    return trace, cross
