"""The test of a random term that is solved level by level, without a matrix over all its coefficients.

For the term's columns t of a block let A~ be the inverse of (A^-1)_tt and W~ the rows t of W. With B~ = A~ W~ and
K~ = P^-1 + sum W~'A~ W~ for the dense corner, the corner of K^-1 for the term has the inverse
blockdiag(A~) - B~ K~^-1 B~', and the matrix whose spectrum is wanted is

    blockdiag((A~ - L) A~^-1) - (B~ K~^-1 S + L W~) P W~'

with L the penalties of the term and S those of the dense corner: one small block a grid, and a part of low rank. Levels of
one pattern differ only in directions where the part of low rank is zero, so that their blocks count by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag

from layerstats.stats.gamm.structured.inference.freedom import Freedom
from layerstats.stats.gamm.structured.inference.random_test import (
    Spectrum,
    fixed_block_penalty,
    noise_penalty,
)
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest
from layerstats.stats.gamm.structured.model import Model


@dataclass(frozen=True, eq=False)
class _Reduced:
    """The system with all but one random term eliminated from the blocks.

    Attributes
    ----------
    block
        (grid, function, function) A~.
    elimination
        W~ of each cluster, (pattern, function, column), times the root of the number of levels.
    mixed
        B~ of each cluster, likewise.
    dense
        (column, column) K~.
    """

    block: np.ndarray
    elimination: list[np.ndarray]
    mixed: list[np.ndarray]
    dense: np.ndarray


def block_random_test(model: Model, freedom: Freedom, label: str, residual: float) -> TermTest:
    """Test a random term that is solved level by level."""
    optimum = freedom.optimum
    span = model.block_spans[label]
    reduced = _reduce(freedom, span)
    statistic = _statistic(freedom, reduced, span) / optimum.scale
    return _spectrum(model, freedom, label, reduced).test(statistic, residual)


def _reduce(freedom: Freedom, span: slice) -> _Reduced:
    solution = freedom.optimum.solution
    block = np.linalg.inv(solution.block_inverse[:, span, span])
    elimination = [weights[:, span] for weights in solution.elimination]
    mixed = [block[cluster.grid] @ own for cluster, own in zip(solution.system.clusters, elimination, strict=True)]
    dense = solution.information.copy()
    for cluster, own, cross in zip(solution.system.clusters, elimination, mixed, strict=True):
        width = len(cluster.columns)
        dense[cluster.block] += own.reshape(-1, width).T @ cross.reshape(-1, width)
    return _Reduced(block, elimination, mixed, dense)


def _statistic(freedom: Freedom, reduced: _Reduced, span: slice) -> float:
    """Return g'P^-1 g over all levels."""
    solution = freedom.optimum.solution
    own = float(np.sum(reduced.block * solution.block_square[:, span, span]))
    through = np.zeros(len(reduced.dense))
    pieces = zip(solution.system.clusters, reduced.mixed, solution.own_fit, solution.eliminated_fit, strict=True)
    for cluster, mixed, fit, eliminated in pieces:
        total = (fit - eliminated)[:, span]
        through[cluster.columns] += np.tensordot(mixed, total, axes=([0, 1], [0, 1]))
    return own - float(through @ np.linalg.solve(reduced.dense, through))


def _spectrum(model: Model, freedom: Freedom, label: str, reduced: _Reduced) -> Spectrum:
    solution = freedom.optimum.solution
    span = model.block_spans[label]
    penalty = fixed_block_penalty(model, freedom, label)[span]
    information = reduced.block - np.diag(penalty)
    if len(model.blocks) == 1:
        # Without rounding errors where the penalty is much larger than the information.
        information = solution.system.block_gram
    kept = information @ np.linalg.inv(reduced.block)
    fixed = solution.penalties.dense_sum(solution.smoothing) - noise_penalty(model, freedom, label)
    through = np.linalg.solve(reduced.dense, fixed)
    left, right, blocks, values, counts = [], [], [], [], []
    alone = np.linalg.eigvals(kept).real
    pieces = zip(solution.system.clusters, reduced.elimination, reduced.mixed, strict=True)
    levels = _levels_of_patterns(freedom)
    for (cluster, own, mixed), number in zip(pieces, levels, strict=True):
        flat = (-1, len(cluster.columns))
        low = mixed.reshape(flat) @ through[cluster.columns]
        low[:, cluster.columns] += (penalty[:, None] * own).reshape(flat)
        left.append(low)
        right.append(own.reshape(flat) @ solution.inverse[cluster.columns])
        blocks += list(kept[cluster.grid])
        values.append(alone[cluster.grid].ravel())
        counts.append(np.repeat(number - 1.0, kept.shape[1]))
    together = block_diag(*blocks) - np.vstack(left) @ np.vstack(right).T
    values.append(np.linalg.eigvals(together).real)
    counts.append(np.ones(len(together)))
    return Spectrum(np.concatenate(values), np.concatenate(counts))


def _levels_of_patterns(freedom: Freedom) -> list[np.ndarray]:
    """Return the number of levels of each pattern, by cluster."""
    system = freedom.optimum.solution.system
    cluster_of, position = system.level_pattern.T
    return [
        np.bincount(position[cluster_of == number], minlength=len(cluster.grid)).astype(float)
        for number, cluster in enumerate(system.clusters)
    ]
