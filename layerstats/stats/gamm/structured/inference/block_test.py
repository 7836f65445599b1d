"""The test of a random term that is solved level by level, without a matrix over all its coefficients.

Over the levels of the term, weights and covariance are both small blocks on the diagonal plus a part of low rank:
M = blockdiag(A) - B K^-1 B', and Cov(g) / phi = blockdiag(D) + L C L'. Levels of one pattern differ only in directions where
the parts of low rank are zero, so that their blocks count by themselves; what is left has the size of the number of
patterns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag, cholesky

from layerstats.stats.gamm.structured.inference.freedom import Freedom
from layerstats.stats.gamm.structured.inference.random_part import Noise, Weights, statistic_weights
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest
from layerstats.stats.gamm.structured.inference.spectrum import Spectrum
from layerstats.stats.gamm.structured.model import Model


@dataclass(frozen=True, eq=False)
class _Covariance:
    """The sampling covariance of a term over its levels, over the scale.

    Attributes
    ----------
    block
        (grid, function, function) D.
    left
        L for each cluster, (pattern, function, 2 column), times the root of the number of levels.
    core
        (2 column, 2 column) C.
    """

    block: np.ndarray
    left: list[np.ndarray]
    core: np.ndarray


def block_random_test(model: Model, freedom: Freedom, label: str, residual: float) -> TermTest:
    """Test a random term that is solved level by level."""
    solution = freedom.optimum.solution
    span = model.block_spans[label]
    noise = Noise.of(model, solution, label)
    weights = statistic_weights(solution, noise)
    inside = (weights.functions >= span.start) & (weights.functions < span.stop)
    weights = weights.eliminated(solution, np.flatnonzero(~inside))
    statistic = _statistic(freedom, weights, span) / freedom.scale
    return _spectrum(freedom, weights, _covariance(freedom, noise, span)).test(statistic, residual)


def _statistic(freedom: Freedom, weights: Weights, span: slice) -> float:
    """Return g'Mg over all levels."""
    solution = freedom.optimum.solution
    own = float(np.sum(weights.block * solution.block_square[:, span, span]))
    through = np.zeros(len(weights.dense))
    pieces = zip(solution.system.clusters, weights.mixed, solution.own_fit, solution.eliminated_fit, strict=True)
    for cluster, mixed, fit, eliminated in pieces:
        total = (fit - eliminated)[:, span]
        through[cluster.columns] += np.tensordot(mixed, total, axes=([0, 1], [0, 1]))
    return own - float(through @ np.linalg.solve(weights.dense, through))


def _covariance(freedom: Freedom, noise: Noise, span: slice) -> _Covariance:
    solution = freedom.optimum.solution
    inverse = solution.inverse
    fixed = np.where(noise.block, 0.0, solution.penalties.block_sum(solution.smoothing))
    noisy = solution.penalties.block_sum(solution.smoothing) - fixed
    rows = solution.block_inverse[:, span]
    block = rows @ (solution.system.block_gram + np.diag(noisy)) @ rows.transpose(0, 2, 1)
    dense_fixed = np.where(noise.dense, 0.0, solution.penalties.dense_sum(solution.smoothing))
    first = inverse - inverse @ (np.diag(dense_fixed) + solution.gather(fixed)) @ inverse
    left = []
    for cluster, elimination in zip(solution.system.clusters, solution.elimination, strict=True):
        both = np.zeros((len(elimination), span.stop - span.start, 2 * len(inverse)))
        both[:, :, cluster.columns] = elimination[:, span]
        both[:, :, len(inverse) + cluster.columns] = (rows * fixed)[cluster.grid] @ elimination
        left.append(both)
    return _Covariance(block, left, np.block([[first, -inverse], [-inverse, np.zeros_like(inverse)]]))


def _spectrum(freedom: Freedom, weights: Weights, covariance: _Covariance) -> Spectrum:
    solution = freedom.optimum.solution
    functions, columns = weights.block.shape[1], len(weights.dense)
    factor = np.linalg.cholesky(weights.block)
    alone = np.linalg.eigvalsh(factor.transpose(0, 2, 1) @ covariance.block @ factor)
    grids = np.concatenate([cluster.grid for cluster in solution.system.clusters])
    mixed = np.zeros((len(grids) * functions, columns))
    begin = 0
    for cluster, own in zip(solution.system.clusters, weights.mixed, strict=True):
        end = begin + len(own) * functions
        mixed[begin:end, cluster.columns] = own.reshape(end - begin, -1)
        begin = end
    left = np.concatenate(covariance.left).reshape(len(mixed), -1)
    matrix = block_diag(*weights.block[grids]) - mixed @ np.linalg.solve(weights.dense, mixed.T)
    root = cholesky((matrix + matrix.T) / 2, lower=True)
    # R'(D + L C L')R by its parts.
    low = root.T @ left
    together = root.T @ block_diag(*covariance.block[grids]) @ root + low @ covariance.core @ low.T
    values = [alone[grids].ravel(), np.linalg.eigvalsh((together + together.T) / 2)]
    repeats = np.concatenate(_levels_of_patterns(freedom)) - 1.0
    return Spectrum(np.concatenate(values), np.concatenate([np.repeat(repeats, functions), np.ones(len(matrix))]))


def _levels_of_patterns(freedom: Freedom) -> list[np.ndarray]:
    """Return the number of levels of each pattern, by cluster."""
    system = freedom.optimum.solution.system
    cluster_of, position = system.level_pattern.T
    return [
        np.bincount(position[cluster_of == number], minlength=len(cluster.grid)).astype(float)
        for number, cluster in enumerate(system.clusters)
    ]
