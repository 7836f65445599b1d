"""A quadratic form in normal variables by the eigenvalues that its distribution depends on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.inference.quadratic_form import f_like_tail
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest

# Relative to the largest; what is below counts neither for the rank nor for the distribution.
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
        kept = (values > values.max() * _NEGLIGIBLE) & (self.counts > 0)
        rank = float(self.counts[kept].sum())
        if rank == 0:
            return TermTest(0.0, 0.0, 1.0)
        tail = f_like_tail(statistic, values[kept], self.counts[kept], residual)
        return TermTest(statistic / rank, rank, tail)
