"""P-splines: B-splines on even knots with differences of coefficients penalised (Eilers & Marx 1996)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline

from layerstats.stats.gamm.structured.bases.basis import Values


@dataclass(frozen=True, eq=False)
class PSplineBasis:
    """B-splines on even knots; linear beyond the range of the data.

    Attributes
    ----------
    knots
        (knot,) with those outside the range of the data.
    degree
        Of the polynomial pieces.
    difference
        Order of the differences that are penalised.
    penalty
        (coefficient, coefficient)
    """

    knots: np.ndarray
    degree: int
    difference: int
    penalty: np.ndarray

    @classmethod
    def build(cls, values: Values, dimension: int, order: int = 2, difference: int = 2) -> PSplineBasis:
        """Build `dimension` B-splines of degree `order` + 1, as mgcv's ``m = c(order, difference)`` means.

        Examples
        --------
        >>> basis = PSplineBasis.build(Values.of(np.arange(9.0)), 6)
        >>> float(basis.rows(np.array([2.5])).sum().round(12))
        1.0
        """
        low, high = values.unique[0], values.unique[-1]
        margin = 0.001 * (high - low)
        low, high = low - margin, high + margin
        inner = dimension - order
        step = (high - low) / (inner - 1)
        knots = np.linspace(low - step * (order + 1), high + step * (order + 1), inner + 2 * order + 2)
        differences = np.diff(np.eye(dimension), n=difference, axis=0)
        return cls(knots, order + 1, difference, differences.T @ differences)

    @property
    def null_dimension(self) -> int:
        """Dimension of the polynomials that the differences do not see."""
        return self.difference

    def rows(self, values: np.ndarray) -> np.ndarray:
        """Return the basis functions at `values`, (value, coefficient)."""
        values = np.asarray(values, dtype=float)
        low, high = self.knots[self.degree], self.knots[-self.degree - 1]
        inside = np.clip(values, low, high)
        splines = BSpline(self.knots, np.eye(len(self.penalty)), self.degree)
        rows = splines(inside)
        beyond = (values - inside)[:, None]
        if np.any(beyond):
            rows = rows + beyond * splines.derivative()(inside)
        return rows
