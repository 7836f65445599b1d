"""The test of the random term of the blocks, where blocks are nested in groups: by determinants.

As in `inference.block_determinant`; but the other columns are those of dense corner and groups. After elimination of
the blocks J = S + zG has an arrow left, and so has the minor of K J^-1 K: two copies of the functions of a group, and
two of the dense corner.
"""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.structured.inference.block_determinant import UNSEEN, log_pivots, shared_directions
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest
from layerstats.stats.gamm.structured.inference.spectrum import Spectrum
from layerstats.stats.gamm.structured.nested.arrow import Arrow, gram
from layerstats.stats.gamm.structured.nested.nested_edf import NestedEffectiveDf
from layerstats.stats.gamm.structured.nested.nested_solution import NestedSolution, back

# Kinds of groups that are worked on at once.
_PIECE = 64


def nested_block_test(edf: NestedEffectiveDf, residual: float) -> TermTest:
    """Test the term of the blocks."""
    solution = edf.solution
    return _spectrum(solution).test(_statistic(solution) / edf.scale, residual)


def _whole(solution: NestedSolution) -> tuple[Arrow, np.ndarray, np.ndarray]:
    """Return K over dense corner and groups without elimination of anything, what of it is left, and V."""
    system = solution.system
    block = system.group_gram + np.diag(solution.outer_penalties.sum(axis=0))
    elimination = np.linalg.solve(block, system.group_mixed)
    corner = system.dense_gram + solution.dense_penalty
    left = corner - gram(system.kind_count[:, None, None] * system.group_mixed, elimination)
    return Arrow(corner, system.group_mixed, block), left, elimination


def _statistic(solution: NestedSolution) -> float:
    """Return g'Mg over all blocks."""
    system, values = solution.system, solution.block_coefficients
    own = 0.0
    for cluster in system.clusters:
        grid = cluster.grid[cluster.place]
        for number in np.unique(grid):
            chosen = values[cluster.levels[grid == number]]
            penalised = system.block_gram[number] + np.diag(solution.block_penalties.sum(axis=0))
            own += float(np.sum(chosen @ penalised * chosen))
    dense, groups = back(system, [cluster.mixed for cluster in system.clusters], values)
    whole, left, elimination = _whole(solution)
    kind = system.group_kind[system.used]
    groups = groups[system.used]
    own -= float(np.sum(np.linalg.solve(whole.block[kind], groups[:, :, None])[:, :, 0] * groups))
    by_kind = np.zeros(elimination.shape[:2])
    np.add.at(by_kind, kind, groups)
    dense = dense - np.tensordot(elimination, by_kind, axes=([0, 1], [0, 1]))
    return own - float(dense @ np.linalg.solve(left, dense))


def _spectrum(solution: NestedSolution) -> Spectrum:
    """Return the eigenvalues of the product of covariance and weights over all blocks."""
    system = solution.system
    root = 1 / np.sqrt(solution.block_penalties.sum(axis=0))
    values, vectors = np.linalg.eigh(system.block_gram * np.outer(root, root))
    values, turn = np.maximum(values, 0), (root[:, None] * vectors).transpose(0, 2, 1)
    rows = [turn[cluster.grid] @ cluster.mixed for cluster in system.clusters]
    penalty = solution.outer_penalties.sum(axis=0)
    dense_penalty = solution.dense_penalty
    whole, left, _ = _whole(solution)
    count, size = system.kind_count, len(left)
    constant = np.linalg.slogdet(left)[1] + np.linalg.slogdet(solution.information)[1]
    constant += float(count @ (np.linalg.slogdet(whole.block)[1] + np.linalg.slogdet(solution.group_information)[1]))

    def correction(point: complex) -> tuple[np.ndarray, np.ndarray]:
        along = 1 - 2 * point
        taken = _eliminated(solution, rows, values, along)
        other = 1j * (1 - along)
        both = np.zeros((2 * size, 2 * size), dtype=complex)
        both[:size, :size] = along * system.dense_gram + dense_penalty - taken.corner
        both[:size, size:] = both[size:, :size] = other / along * dense_penalty
        both[size:, size:] = (along * system.dense_gram + (2 * along - 1) * dense_penalty) / along**2
        parts, counts = [], []
        for begin in range(0, len(count), _PIECE):
            piece = slice(begin, begin + _PIECE)
            weight = count[piece, None, None]
            first = along * system.group_gram[piece] + np.diag(penalty) - taken.block[piece]
            border = along * system.group_mixed[piece] - taken.border[piece]
            inverse = np.linalg.inv(first)
            through = inverse @ border
            both[:size, :size] -= gram(weight * border, through)
            second = along * system.group_gram[piece] + np.diag((2 * along - 1) * penalty)
            second = (second + (1 - along) ** 2 * (penalty[:, None] * inverse * penalty)) / along**2
            across = np.concatenate([-other * penalty[:, None] * through, system.group_mixed[piece]], axis=2)
            # The second copy is divided by z throughout.
            across[:, :, :size] /= along
            across[:, :, size:] /= along
            both -= gram(weight * across, np.linalg.solve(second, across))
            parts += [log_pivots(matrix).ravel() for matrix in (first, second)]
            counts += [np.repeat(weight.ravel(), len(penalty))] * 2
        return np.concatenate([*parts, log_pivots(both), [-constant]]), np.concatenate([*counts, np.ones(2 * size + 1)])

    shares = values / (1 + values)
    counts = np.repeat(system.block_count, values.shape[1])
    return Spectrum(shares.ravel(), counts, correction, _shared(solution, rows, values))


def _shared(solution: NestedSolution, rows: list[np.ndarray], values: np.ndarray) -> int:
    system, free = solution.system, ~solution.penalties.penalised
    explained = np.zeros_like(system.dense_gram)
    for cluster, row in zip(system.clusters, rows, strict=True):
        own = values[cluster.grid]
        seen = own > values.max() * UNSEEN
        weights = np.where(seen, cluster.count[:, None] / np.where(seen, own, 1.0), 0.0).ravel()
        flat = row[:, :, : len(cluster.columns)].reshape(len(weights), -1)
        explained[np.ix_(cluster.columns, cluster.columns)] += (flat.T * weights) @ flat
    return shared_directions(system.dense_gram[np.ix_(free, free)], explained[np.ix_(free, free)])


def _eliminated(solution: NestedSolution, rows: list[np.ndarray], values: np.ndarray, along: complex) -> Arrow:
    """Return what elimination of the blocks takes from S + zG at z = `along`."""
    clusters = solution.system.clusters
    weights = [along**2 / (1 + along * values[cluster.grid])[:, :, None] for cluster in clusters]
    real = solution.system.collect([one * weight.real for one, weight in zip(rows, weights, strict=True)], rows)
    imaginary = solution.system.collect([one * weight.imag for one, weight in zip(rows, weights, strict=True)], rows)
    return Arrow(
        real.corner + 1j * imaginary.corner,
        real.border + 1j * imaginary.border,
        real.block + 1j * imaginary.block,
    )
