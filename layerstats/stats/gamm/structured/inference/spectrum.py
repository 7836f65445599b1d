"""A quadratic form in normal variables by the eigenvalues that its distribution depends on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.inference.quadratic_form import Correction, QuadraticForm, tail_of_test
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest

# Relative to the largest. The first is mgcv's. Where eigenvalues are not computed from the whole matrix, rounding
# errors leave zero ones up to the second, in the dense corner more; cross-products of many rows have errors of rows
# times eps.
_EPSILON = float(np.finfo(float).eps)
_NEGLIGIBLE = _EPSILON**0.8
_NEGLIGIBLE_BY_PARTS = 2e-12


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues with multiplicities.

    Attributes
    ----------
    values, counts
        (value,)
    correction
        Where the matrix differs from one with these eigenvalues by a part of low rank: takes s to the difference in
        log det(I - 2sE).
    lost
        How much the part of low rank takes from the rank.
    """

    values: np.ndarray
    counts: np.ndarray
    correction: Correction | None = None
    lost: int = 0

    def test(self, statistic: float, residual: float, negligible: float | None = None) -> TermTest:
        """Return the test of `statistic` against the weighted sum of chi-square variables with this spectrum.

        Eigenvalues below `negligible` times the largest do not count.
        """
        if negligible is None:
            negligible = self._negligible(residual)
        values = np.maximum(self.values, 0)
        kept = (values > values.max() * negligible) & (self.counts > 0)
        rank = float(self.counts[kept].sum()) - self.lost
        if rank == 0:
            return TermTest(0.0, 0.0, 1.0)
        form = QuadraticForm.of(values[kept], self.counts[kept], self.correction)
        tail = tail_of_test(statistic, form, residual)
        return TermTest(statistic / rank, rank, tail)

    def _negligible(self, residual: float) -> float:
        least = _NEGLIGIBLE if self.correction is None else _NEGLIGIBLE_BY_PARTS
        return max(least, residual * _EPSILON) if np.isfinite(residual) else least
