"""Sums of radial functions, which are the penalised functions of thin plate bases, at many points.

Of one covariate such a sum is a natural spline with a knot at every centre: a cubic where second derivatives are
penalised, a line where first ones are. Its values and second derivatives at the knots give it everywhere, in time that
does not grow with the product of points and knots.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import factorial, gamma, pi

import numpy as np

# Products of points and knots that are held at once, 16 MB; up to as many of them, nothing is gained by splines.
_MOST = 2_000_000


@dataclass(frozen=True, eq=False)
class RadialSum:
    """Sums of Green's functions of a penalty, whose weights are orthogonal to all polynomials below its order.

    Attributes
    ----------
    knots
        (knot, covariate)
    order
        The derivatives that are penalised.
    weights
        (knot, function)
    """

    knots: np.ndarray
    order: int
    weights: np.ndarray

    def at(self, points: np.ndarray) -> np.ndarray:
        """Return the sums at `points`, (point, function), for (point, covariate).

        Examples
        --------
        >>> RadialSum(np.array([[0.0], [1.0], [2.0]]), 1, np.array([[1.0], [-2.0], [1.0]])).at(np.array([[1.0], [5.0]]))
        array([[-1.],
               [ 0.]])
        """
        if len(points) * len(self.knots) <= _MOST:
            return radial(points, self.knots, self.order) @ self.weights
        if self.knots.shape[1] > 1 or self.order > 2:
            return self._by_definition(points)
        return self._spline(points[:, 0])

    def _by_definition(self, points: np.ndarray) -> np.ndarray:
        step = max(_MOST // len(self.knots), 1)
        pieces = [
            radial(points[begin : begin + step], self.knots, self.order) @ self.weights
            for begin in range(0, len(points), step)
        ]
        return np.concatenate(pieces) if pieces else np.zeros((0, self.weights.shape[1]))

    def _spline(self, points: np.ndarray) -> np.ndarray:
        knots, values, bend = self._at_knots
        found = np.empty((len(points), values.shape[1]))
        outside = (points < knots[0]) | (points > knots[-1])
        found[outside] = self._by_definition(points[outside, None])
        points = points[~outside]
        left = np.clip(np.searchsorted(knots, points, side="right") - 1, 0, len(knots) - 2)
        width = (knots[left + 1] - knots[left])[:, None]
        second = (points - knots[left])[:, None] / width
        first = 1 - second
        inside = first * values[left] + second * values[left + 1]
        if self.order == 2:
            curve = (first**3 - first) * bend[left] + (second**3 - second) * bend[left + 1]
            inside += curve * width**2 / 6
        found[~outside] = inside
        return found

    @cached_property
    def _at_knots(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The knots in ascending order, (knot,), and values and second derivatives there, (knot, function)."""
        order = np.argsort(self.knots[:, 0])
        values = self._by_definition(self.knots[order])
        # The second derivative of the Green's function of order 2 is minus that of order 1.
        lower = RadialSum(self.knots, self.order - 1, -self.weights)
        bend = lower._by_definition(self.knots[order]) if self.order == 2 else np.zeros_like(values)
        return self.knots[order, 0], values, bend


def radial(points: np.ndarray, knots: np.ndarray, order: int) -> np.ndarray:
    """Return the Green's function of the penalty at the distances of points and knots, (point, knot)."""
    covariates = points.shape[1]
    power = 2 * order - covariates
    if covariates == 1:
        distance = np.abs(points - knots.T)
    else:
        distance = np.sqrt(np.sum((points[:, None, :] - knots[None, :, :]) ** 2, axis=2))
    if covariates % 2:
        constant = gamma(covariates / 2 - order) / (2 ** (2 * order) * pi ** (covariates / 2) * factorial(order - 1))
        return constant * distance**power
    constant = (-1) ** (order + 1 + covariates // 2) / (
        2 ** (2 * order - 1) * pi ** (covariates / 2) * factorial(order - 1) * factorial(order - covariates // 2)
    )
    return constant * distance**power * np.log(np.where(distance > 0, distance, 1.0))
