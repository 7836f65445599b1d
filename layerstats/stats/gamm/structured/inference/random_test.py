"""Is the variance of a random term zero? The test of Wood (2013, Biometrika 100, 1005-1010).

With P the corner of K^-1 for the term, g its coefficients and V their sampling covariance, the statistic is
g'P^-1 g / phi; without the term it is a weighted sum of chi-square variables, its weights the eigenvalues of P^-1 V / phi.
Effects of random levels other than the tested ones (``bs="re"``) are noise: their penalties do not bias, they describe a
distribution, and are left out of V = phi (P - K^-1 S K^-1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from layerstats.stats.gamm.structured.inference.freedom import Freedom
from layerstats.stats.gamm.structured.inference.quadratic_form import f_like_tail
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest
from layerstats.stats.gamm.structured.model import Model

_NEGLIGIBLE = np.finfo(float).eps ** 0.8


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues with multiplicities.

    Attributes
    ----------
    values, counts
        (value,)
    """

    values: np.ndarray
    counts: np.ndarray

    def test(self, statistic: float, residual: float) -> TermTest:
        """Return the test of `statistic` against the weighted sum of chi-square variables with this spectrum."""
        values = np.maximum(self.values, 0)
        kept = values > values.max() * _NEGLIGIBLE
        rank = float(self.counts[kept].sum())
        if rank == 0:
            return TermTest(0.0, 0.0, 1.0)
        tail = f_like_tail(statistic, values[kept], self.counts[kept], residual)
        return TermTest(statistic / rank, rank, tail)


def dense_random_test(model: Model, freedom: Freedom, label: str, residual: float) -> TermTest:
    """Test a random term of the dense corner."""
    optimum = freedom.optimum
    solution = optimum.solution
    span = model.dense_spans[label]
    # X'X after elimination of the blocks, with their penalties if these are noise.
    kept = solution.information - solution.penalties.dense_sum(solution.smoothing)
    kept = kept - solution.gather(fixed_block_penalty(model, freedom, label))
    noise = noise_penalty(model, freedom, label)
    across = solution.inverse[:, span]
    sampling = across.T @ (kept + noise) @ across
    posterior = solution.inverse[span, span]
    values = eigh((sampling + sampling.T) / 2, posterior, eigvals_only=True)
    coefficients = solution.coefficients[span]
    statistic = float(coefficients @ np.linalg.solve(posterior, coefficients)) / optimum.scale
    return Spectrum(values, np.ones(len(values))).test(statistic, residual)


def noise_penalty(model: Model, freedom: Freedom, label: str) -> np.ndarray:
    """Return the weighted penalties of the random levels of the dense corner, without those of `label`."""
    solution = freedom.optimum.solution
    random = {term.label for term in model.dense if term.random and term.label != label}
    weights = [
        weight if owner in random else 0.0
        for weight, owner in zip(solution.smoothing, solution.penalties.labels, strict=True)
    ]
    return solution.penalties.dense_sum(np.array(weights))


def fixed_block_penalty(model: Model, freedom: Freedom, label: str) -> np.ndarray:
    """Return the weighted penalties of a random block, without those of random levels other than `label`."""
    solution = freedom.optimum.solution
    random = {term.label for term in model.blocks if term.random and term.label != label}
    weights = [
        0.0 if owner in random else weight
        for weight, owner in zip(solution.smoothing, solution.penalties.labels, strict=True)
    ]
    return solution.penalties.block_sum(np.array(weights))
