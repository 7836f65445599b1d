"""Tail probabilities of weighted sums of chi-square variables, to full relative accuracy however small they are.

P(Q > q) is an integral of exp(K(s) - sq) / s along a line upwards in the complex plane, K the cumulant generating
function. Through the saddlepoint the integrand falls off fast and does not cancel (Helstrom 1996, IEEE Trans. Inf.
Theory 42), where Davies' integral along the imaginary axis is lost in rounding errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.inference.saddlepoint import saddlepoint_path

# Takes a complex s to what the log determinant of I - 2sE has in addition to that of the weights: a sum of
# parts, (part,), times their counts, (part,). Each part is known but for multiples of 2 pi i, and turns slowly along a
# path.
Correction = Callable[[complex], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class QuadraticForm:
    """A weighted sum of independent chi-square variables.

    Attributes
    ----------
    weights, df
        (part,) weights, of any sign, and degrees of freedom.
    correction
        Where the weights are the eigenvalues of a matrix E but for a part of low rank; see `Correction`.

    Examples
    --------
    >>> form = QuadraticForm.of(np.array([1.0]), np.array([2.0]))
    >>> bool(abs(form.log_tail(2000.0) / -1000 - 1) < 1e-12)
    True
    """

    weights: np.ndarray
    df: np.ndarray
    correction: Correction | None = None

    @classmethod
    def of(cls, weights: np.ndarray, df: np.ndarray, correction: Correction | None = None) -> QuadraticForm:
        """Build a form from its parts; those without weight or freedom are left out."""
        used = (weights != 0) & (df > 0)
        weights = np.asarray(weights, dtype=float)[used]
        return cls(weights, np.asarray(df, dtype=float)[used], correction)

    @property
    def mean(self) -> float:
        """Its expectation, without the correction."""
        return float(self.weights @ self.df)

    def negative(self) -> QuadraticForm:
        """Return the form with the signs of all weights changed."""
        correction = self.correction
        flipped = None if correction is None else (lambda point: correction(-point))
        return QuadraticForm.of(-self.weights, self.df, flipped)

    def tail(self, value: float) -> float:
        """Return the probability that it is above `value`."""
        return float(np.exp(self.log_tail(value)))

    def log_tail(self, value: float) -> float:
        """Return the logarithm of `tail`, which is finite where the probability underflows."""
        if not len(self.weights):
            return 0.0 if value < 0 else -np.inf
        if value >= 0 and self.weights.max() <= 0:
            return -np.inf
        if value <= 0 and self.weights.min() >= 0:
            return 0.0
        if value < self.mean:
            # The smaller tail is integrated: the other is one minus it.
            return float(np.log1p(-min(np.exp(self.negative()._integral(-value)), 1.0 - 1e-16)))
        return self._integral(value)

    def _integral(self, value: float) -> float:
        """Return the log of the tail beyond the mean by integration along the path."""
        scale = float(np.abs(self.weights).max())
        correction = self.correction
        scaled = None if correction is None else (lambda point: correction(point / scale))
        return saddlepoint_path(value / scale, self.weights / scale, self.df).log_integral(scaled)


def f_like_form(statistic: float, form: QuadraticForm, residual: float) -> QuadraticForm:
    """Return the form that is above zero where ``form / (Y / residual)`` is above `statistic`.

    Y is chi-square with `residual` degrees of freedom, taken to a whole number.
    """
    whole = max(1, round(residual))
    return QuadraticForm.of(
        np.append(form.weights, -statistic / whole),
        np.append(form.df, float(whole)),
        form.correction,
    )


def tail_of_test(statistic: float, form: QuadraticForm, residual: float) -> float:
    """Return the probability that a test statistic with the distribution of `form` exceeds `statistic`.

    Where the scale is estimated, on `residual` degrees of freedom; a known scale is one on infinitely many.
    """
    if np.isinf(residual):
        return form.tail(statistic)
    return f_like_form(statistic, form, residual).tail(0.0)
