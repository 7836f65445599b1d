"""Natural cubic regression splines (Wood 2017, Generalized Additive Models, section 5.3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.bases.basis import Values


@dataclass(frozen=True, eq=False)
class CubicBasis:
    """A natural cubic spline whose coefficients are its values at the knots; linear beyond them.

    Attributes
    ----------
    knots
        (coefficient,) ascending.
    curvature
        (coefficient, coefficient) takes values at the knots to second derivatives at the knots.
    penalty
        (coefficient, coefficient) the integrated squared second derivative.
    """

    knots: np.ndarray
    curvature: np.ndarray
    penalty: np.ndarray

    @classmethod
    def build(cls, values: Values, dimension: int) -> CubicBasis:
        """Build the basis with knots at even quantiles of the different values.

        Examples
        --------
        >>> basis = CubicBasis.build(Values.of(np.arange(9.0)), 5)
        >>> basis.knots
        array([0., 2., 4., 6., 8.])
        >>> basis.rows(np.array([2.0])).round(12) + 0
        array([[0., 1., 0., 0., 0.]])
        """
        knots = np.quantile(values.unique, np.linspace(0, 1, dimension))
        width = np.diff(knots)
        inner = np.arange(dimension - 2)
        second_difference = np.zeros((dimension - 2, dimension))
        second_difference[inner, inner] = 1 / width[:-1]
        second_difference[inner, inner + 1] = -1 / width[:-1] - 1 / width[1:]
        second_difference[inner, inner + 2] = 1 / width[1:]
        band = np.zeros((dimension - 2, dimension - 2))
        band[inner, inner] = (width[:-1] + width[1:]) / 3
        band[inner[:-1], inner[1:]] = band[inner[1:], inner[:-1]] = width[1:-1] / 6
        interior = np.linalg.solve(band, second_difference)
        penalty = second_difference.T @ interior
        edge = np.zeros((1, dimension))
        return cls(knots, np.vstack([edge, interior, edge]), (penalty + penalty.T) / 2)

    @property
    def null_dimension(self) -> int:
        """Dimension of the straight lines, which are not penalised."""
        return 2

    def rows(self, values: np.ndarray) -> np.ndarray:
        """Return the basis functions at `values`, (value, coefficient)."""
        values = np.asarray(values, dtype=float)
        inside = np.clip(values, self.knots[0], self.knots[-1])
        left = np.clip(np.searchsorted(self.knots, inside, side="right") - 1, 0, len(self.knots) - 2)
        width = (self.knots[left + 1] - self.knots[left])[:, None]
        to_right = self.knots[left + 1][:, None] - inside[:, None]
        from_left = inside[:, None] - self.knots[left][:, None]
        eye = np.eye(len(self.knots))
        rows = (to_right * eye[left] + from_left * eye[left + 1]) / width
        rows += (to_right**3 / width - width * to_right) / 6 * self.curvature[left]
        rows += (from_left**3 / width - width * from_left) / 6 * self.curvature[left + 1]
        beyond = (values - inside)[:, None]
        if np.any(beyond):
            slope = (eye[left + 1] - eye[left]) / width
            slope -= (3 * to_right**2 / width - width) / 6 * self.curvature[left]
            slope += (3 * from_left**2 / width - width) / 6 * self.curvature[left + 1]
            rows += beyond * slope
        return rows
