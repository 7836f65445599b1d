"""A quadratic form in normal variables by the eigenvalues that its distribution depends on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.inference.quadratic_form import Correction, QuadraticForm, f_like_form
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest

# As mgcv has it.
_NEGLIGIBLE = np.finfo(float).eps ** 0.8


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

    def test(self, statistic: float, residual: float, negligible: float = _NEGLIGIBLE) -> TermTest:
        """Return the test of `statistic` against the weighted sum of chi-square variables with this spectrum.

        Eigenvalues below `negligible` times the largest do not count.
        """
        values = np.maximum(self.values, 0)
        kept = (values > values.max() * negligible) & (self.counts > 0)
        rank = float(self.counts[kept].sum()) - self.lost
        if rank == 0:
            return TermTest(0.0, 0.0, 1.0)
        form = QuadraticForm.of(values[kept], self.counts[kept], self.correction)
        tail = f_like_form(statistic, form, residual).tail(0.0)
        return TermTest(statistic / rank, rank, tail)
