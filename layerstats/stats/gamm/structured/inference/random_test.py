"""Is the variance of a random term of the dense corner zero? See `random_part` for the test."""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.structured.edf import EffectiveDf
from layerstats.stats.gamm.structured.inference.overlap import dense_overlap
from layerstats.stats.gamm.structured.inference.random_part import Noise, statistic_weights
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest
from layerstats.stats.gamm.structured.inference.spectrum import Spectrum
from layerstats.stats.gamm.structured.model import Model

# Elimination of the blocks leaves zero eigenvalues with errors of this size, relative to the largest.
ROUNDING = 5e-11


def dense_random_test(model: Model, edf: EffectiveDf, label: str, residual: float) -> TermTest:
    """Test a random term of the dense corner."""
    solution = edf.optimum.solution
    span = model.dense_spans[label]
    noise = Noise.of(model, solution, label)
    coefficients = solution.coefficients[span]
    weights = statistic_weights(solution, noise)
    corner = weights.eliminated(solution, np.arange(len(weights.functions))).dense
    others = np.delete(np.arange(len(corner)), np.arange(len(corner))[span])
    matrix = corner[span, span]
    if len(others):
        across = corner[span][:, others]
        matrix = matrix - across @ np.linalg.solve(corner[np.ix_(others, others)], across.T)
    root = np.linalg.cholesky((matrix + matrix.T) / 2)
    values = np.linalg.eigvalsh(root.T @ _covariance(edf, noise, span) @ root)
    values[np.argsort(np.abs(values))[: dense_overlap(model, solution, span)]] = 0.0
    statistic = float(coefficients @ matrix @ coefficients) / edf.scale
    return Spectrum(values, np.ones(len(values))).test(statistic, residual, ROUNDING)


def _covariance(edf: EffectiveDf, noise: Noise, span: slice) -> np.ndarray:
    """Return the sampling covariance of a dense term over the scale: rows of P times X'X, plus the noise, times P."""
    solution = edf.optimum.solution
    inside = ~noise.dense
    fixed = solution.dense_penalty * np.outer(inside, inside)
    fixed_block = np.where(noise.block, 0.0, solution.penalties.block_sum(solution.smoothing))
    kept = solution.information - fixed - solution.gather(fixed_block)
    across = solution.inverse[:, span]
    covariance = across.T @ kept @ across
    return (covariance + covariance.T) / 2
