"""The integral of a tail probability along a path through the saddlepoint of its integrand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike

# The trapezoidal rule converges faster than any power of its step: it is halved until nothing changes.
_FIRST_NODES = 16
_MOST_NODES = 512
_AGREEMENT = 1e-9
# A correction to the exponent varies slowly along the path: it is evaluated here, and interpolated.
_CORRECTION_NODES = (5, 15, 45)
_SMOOTH = 1e-5
_STRONGEST_BEND = 0.5


@dataclass(frozen=True, eq=False)
class Path:
    """The upper half of a path of integration: through the saddlepoint, then bent to where the integrand falls off.

    Attributes
    ----------
    value
        The threshold.
    weights, df
        (part,) of the quadratic form.
    saddle
        Where the path crosses the real axis.
    width
        How fast the integrand falls off there.
    bend
        How far the path turns, to the right where it is positive.
    """

    value: float
    weights: np.ndarray
    df: np.ndarray
    saddle: float
    width: float
    bend: float

    def log_integral(self, correction: Callable[[complex], tuple[np.ndarray, np.ndarray]] | None = None) -> float:
        """Return the log of the integral of exp(K(s) - s value) / s over both halves, divided by 2 pi i."""
        top = float(self._exponent(np.array([complex(self.saddle)]))[0].real)
        reach = self._reach(top)
        addition: Callable[[np.ndarray], np.ndarray] | None = None
        if correction is not None:
            addition = _interpolated(lambda at: correction(complex(self._points(at))), reach)

        def integrand(place: np.ndarray) -> float:
            power = self._exponent(self._points(place)) - top
            if addition is not None:
                power = power - 0.5 * addition(place)
            # Steps grow exponentially: fine where the integrand is large, far where it falls off slowly.
            direction = self.width * (1j * np.cosh(place) + self.bend * np.sinh(place))
            return float((np.exp(power) * direction).imag.sum())

        nodes, step = _FIRST_NODES, reach / _FIRST_NODES
        total = step * (integrand(np.zeros(1)) / 2 + integrand(step * np.arange(1, nodes + 1)))
        while nodes < _MOST_NODES:
            finer = total / 2 + step / 2 * integrand(step * (np.arange(nodes) + 0.5))
            nodes, step = 2 * nodes, step / 2
            agree = abs(finer - total) <= _AGREEMENT * abs(finer)
            total = finer
            if agree:
                break
        return min(0.0, top + float(np.log(max(total / np.pi, np.finfo(float).tiny))))

    def _points(self, place: ArrayLike) -> np.ndarray:
        return self.saddle + self.width * (1j * np.sinh(place) + self.bend * (np.cosh(place) - 1))

    def _exponent(self, point: np.ndarray) -> np.ndarray:
        factors = np.log(1 - 2 * self.weights * point[:, None])
        return -0.5 * (factors @ self.df) - point * self.value - np.log(point)

    def _reach(self, top: float) -> float:
        """Return where the integrand has fallen to nothing."""
        for place in np.arange(0.5, 60.5, 0.5):
            point = self._points(np.array([place]))
            if float(self._exponent(point)[0].real) + np.log(np.cosh(place)) - top < -40:
                break
        return float(place)


def saddlepoint_path(value: float, weights: np.ndarray, df: np.ndarray) -> Path:
    """Return the path for a threshold beyond the mean."""
    saddle = _saddlepoint(value, weights, df)
    ratios = weights / (1 - 2 * weights * saddle)
    curvature = float(2 * df @ ratios**2 + 1 / saddle**2)
    width = 1 / np.sqrt(curvature)
    # The path of steepest descent to second order, as far as exp(-s value) falls off in its direction.
    bend = width * float(8 * df @ ratios**3 - 2 / saddle**3) / (3 * curvature)
    lowest = 0.0 if value > 0 else -_STRONGEST_BEND
    highest = 0.0 if value < 0 else _STRONGEST_BEND
    return Path(value, weights, df, saddle, width, float(np.clip(bend, lowest, highest)))


def _saddlepoint(value: float, weights: np.ndarray, df: np.ndarray) -> float:
    """Return the minimum over 0 < s < 1 / (2 max w) of K(s) - s value - log s, a convex function."""

    def slope(point: float) -> float:
        return float(np.sum(df * weights / (1 - 2 * weights * point)) - value - 1 / point)

    low, high = 0.0, 1.0
    if weights.max() > 0:
        high = 0.5 / weights.max()
    else:
        while slope(high) < 0:
            low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return (low + high) / 2


def _interpolated(
    function: Callable[[float], tuple[np.ndarray, np.ndarray]], reach: float
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a polynomial that is the sum of smooth parts between 0 and `reach`, from a few evaluations."""
    known: dict[float, np.ndarray] = {}
    counts = np.zeros(0)
    for count in _CORRECTION_NODES:
        # The nodes of a third of the number are among these.
        for node in chebyshev.chebpts1(count):
            if not any(abs(node - other) < 1e-9 for other in known):
                known[node], counts = function(reach * (node + 1) / 2)
        parts = np.stack([known[node] for node in sorted(known)])
        # Logarithms come without multiples of 2 pi i; where the path begins they sum up to a real number.
        phase = np.unwrap(np.imag(parts), axis=0) @ counts
        values = np.real(parts) @ counts + 1j * (phase - 2 * np.pi * np.round(phase[0] / (2 * np.pi)))
        series = chebyshev.chebfit(np.array(sorted(known)), values, count - 1)
        if np.abs(series[-2:]).max() < _SMOOTH:
            break
    return lambda place: chebyshev.chebval(2 * place / reach - 1, series)
