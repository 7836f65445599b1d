"""The test of a random term that is solved level by level, without a matrix over all its coefficients.

Over the levels of the term, weights and covariance are both small blocks on the diagonal plus a part of low rank: M =
blockdiag(A) - B K^-1 B', and Cov(g) / phi = blockdiag(D) + L C L'. Levels of one pattern differ only in directions
where the parts of low rank are zero, so that their blocks count by themselves.
"""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.structured.edf import EffectiveDf
from layerstats.stats.gamm.structured.inference import block_spectrum
from layerstats.stats.gamm.structured.inference.block_determinant import BlockPencil
from layerstats.stats.gamm.structured.inference.block_spectrum import BlockProduct, LowRankRows
from layerstats.stats.gamm.structured.inference.overlap import block_overlap
from layerstats.stats.gamm.structured.inference.random_part import Noise, Weights, statistic_weights
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest
from layerstats.stats.gamm.structured.inference.spectrum import Spectrum
from layerstats.stats.gamm.structured.model import Model


def block_random_test(model: Model, edf: EffectiveDf, label: str, residual: float) -> TermTest:
    """Test a random term that is solved level by level."""
    solution = edf.optimum.solution
    span = model.block_spans[label]
    noise = Noise.of(model, solution, label)
    weights = statistic_weights(solution, noise)
    inside = (weights.functions >= span.start) & (weights.functions < span.stop)
    weights = weights.eliminated(solution, np.flatnonzero(~inside))
    statistic = _statistic(edf, weights, span) / edf.scale
    return _spectrum(model, edf, noise, weights, span).test(statistic, residual)


def _spectrum(model: Model, edf: EffectiveDf, noise: Noise, weights: Weights, span: slice) -> Spectrum:
    """Return the eigenvalues of the product of weights and sampling covariance."""
    solution = edf.optimum.solution
    patterns = sum(len(cluster.grid) for cluster in solution.system.clusters)
    alone = span == slice(0, solution.system.functions) and not noise.any
    rows, columns = patterns * solution.system.functions, len(solution.inverse)
    if alone and not block_spectrum.by_eigenvalues(rows, columns):
        return BlockPencil.of(solution).spectrum()
    return _product(edf, noise, weights, span).spectrum(block_overlap(model, solution, span))


def _statistic(edf: EffectiveDf, weights: Weights, span: slice) -> float:
    """Return g'Mg over all levels."""
    solution = edf.optimum.solution
    own = float(np.sum(weights.block * solution.block_square[:, span, span]))
    through = np.zeros(len(weights.dense))
    pieces = zip(solution.system.clusters, weights.mixed, solution.own_fit, solution.eliminated_fit, strict=True)
    for cluster, mixed, fit, eliminated in pieces:
        total = (fit - eliminated)[:, span]
        through[cluster.columns] += np.tensordot(mixed, total, axes=([0, 1], [0, 1]))
    return own - float(through @ np.linalg.solve(weights.dense, through))


def _product(edf: EffectiveDf, noise: Noise, weights: Weights, span: slice) -> BlockProduct:
    """Return the product of weights and sampling covariance of a term over its levels."""
    solution = edf.optimum.solution
    inverse = solution.inverse
    penalty = solution.penalties.block_sum(solution.smoothing)
    fixed = np.where(noise.block, 0.0, penalty)
    rows = solution.block_inverse[:, span]
    covariance = rows @ (solution.system.block_gram + np.diag(penalty - fixed)) @ rows.transpose(0, 2, 1)
    inside = ~noise.dense
    dense_fixed = solution.dense_penalty * np.outer(inside, inside)
    first = inverse - inverse @ (dense_fixed + solution.gather(fixed)) @ inverse
    levels = _levels_of_patterns(edf)
    pieces = []
    for number, (cluster, elimination) in enumerate(zip(solution.system.clusters, solution.elimination, strict=True)):
        through = (rows * fixed)[cluster.grid] @ elimination
        piece = LowRankRows(
            grid=cluster.grid,
            levels=levels[number],
            mixed=weights.mixed[number],
            mixed_columns=cluster.columns,
            left=np.concatenate([elimination[:, span], through], axis=2),
            left_columns=np.concatenate([cluster.columns, len(inverse) + cluster.columns]),
        )
        pieces.append(piece)
    outliers = int(noise.dense.sum()) + int(noise.block.sum()) * len(solution.system.level_response)
    core = np.block([[first, -inverse], [-inverse, np.zeros_like(inverse)]])
    return BlockProduct(weights.block, covariance, pieces, np.linalg.inv(weights.dense), core, outliers)


def _levels_of_patterns(edf: EffectiveDf) -> list[np.ndarray]:
    """Return the number of levels of each pattern, by cluster."""
    system = edf.optimum.solution.system
    cluster_of, position = system.level_pattern.T
    return [
        np.bincount(position[cluster_of == number], minlength=len(cluster.grid)).astype(float)
        for number, cluster in enumerate(system.clusters)
    ]
