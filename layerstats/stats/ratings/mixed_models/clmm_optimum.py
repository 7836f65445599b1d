"""Maximum of the Laplace likelihood: quasi-Newton steps, then Newton's with differences of the analytic gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.errors import FitError
from layerstats.stats.ratings.mixed_models.laplace_likelihood import LaplaceLikelihood, LaplaceMode

_MOST_STEPS = 500
_MOST_HALVINGS = 25
# Of the decrement, what a further step would add to the log likelihood.
_NEAR = 1e-7
_THERE = 1e-12
_MOST_POLISHES = 10
# Of a parameter's standard error, the distance of differences.
_DISTANCE = 1e-3
# What a maximum may leave of the gradient, in standard errors.
_MOST_GRADIENT = 1e-3


@dataclass(frozen=True, eq=False)
class ClmmOptimum:
    """The best parameters, and how sure it is that they are.

    Attributes
    ----------
    parameters
        As `LaplaceLikelihood` takes them.
    mode
        There.
    gradient
        There.
    information
        (parameter, parameter) the negative second derivatives.
    steps
        How many quasi-Newton steps led there.
    """

    parameters: np.ndarray
    mode: LaplaceMode
    gradient: np.ndarray
    information: np.ndarray
    steps: int


def find_optimum(likelihood: LaplaceLikelihood, start: np.ndarray) -> ClmmOptimum:
    """Maximise a likelihood from `start`.

    Raises
    ------
    FitError
        No maximum was found.
    """
    point = _Point(likelihood, start)
    inverse = np.linalg.pinv(_starting_information(likelihood, point))
    point, inverse, steps = _quasi_newton(likelihood, point, inverse)
    for _ in range(_MOST_POLISHES):
        spread = np.sqrt(np.clip(np.diag(inverse), 1e-12, None))
        information = _information(likelihood, point, _DISTANCE * np.minimum(spread, 1.0))
        values, vectors = np.linalg.eigh(information)
        # Where the likelihood is not concave yet, its steepness is taken for it.
        inverse = (vectors / np.maximum(np.abs(values), 1e-8)) @ vectors.T
        direction = inverse @ point.gradient
        decrement = float(direction @ point.gradient)
        if decrement < _THERE:
            return ClmmOptimum(point.parameters, point.mode, point.gradient, information, steps)
        moved = _line_search(likelihood, point, direction)
        if moved is None:
            break
        point = moved
    raise FitError(
        f"The model did not converge: the log likelihood is {point.value:.4f}, and a further step would add "
        f"{decrement:.2g}. Do terms depend on each other, or does one have almost no data?"
    )


class _Point:
    """Parameters, with the likelihood and its gradient there."""

    def __init__(self, likelihood: LaplaceLikelihood, parameters: np.ndarray) -> None:
        self.parameters = parameters
        self.mode = likelihood.mode(parameters)
        self.value = self.mode.log_likelihood
        self.gradient = likelihood.gradient(parameters, self.mode)
        if not np.isfinite(self.value) or not np.all(np.isfinite(self.gradient)):
            raise FitError("The likelihood of the model is not finite: is a rating certain somewhere?")


def _quasi_newton(likelihood: LaplaceLikelihood, point: _Point, inverse: np.ndarray) -> tuple[_Point, np.ndarray, int]:
    """Climb by the method of Broyden, Fletcher, Goldfarb and Shanno."""
    identity = np.eye(len(point.parameters))
    for step in range(_MOST_STEPS):
        direction = inverse @ point.gradient
        if float(direction @ point.gradient) < _NEAR:
            return point, inverse, step
        moved = _line_search(likelihood, point, direction)
        if moved is None:
            return point, inverse, step
        distance, change = moved.parameters - point.parameters, point.gradient - moved.gradient
        product = float(distance @ change)
        if product > 1e-10 * np.linalg.norm(distance) * np.linalg.norm(change):
            left = identity - np.outer(distance, change) / product
            inverse = left @ inverse @ left.T + np.outer(distance, distance) / product
        point = moved
    return point, inverse, _MOST_STEPS


def _line_search(likelihood: LaplaceLikelihood, point: _Point, direction: np.ndarray) -> _Point | None:
    """Return the first point along a direction that is better by enough, halving the step; None where there is none."""
    slope = float(direction @ point.gradient)
    step = min(1.0, 5.0 / max(float(np.abs(direction).max()), 1e-300))
    for _ in range(_MOST_HALVINGS):
        try:
            moved = _Point(likelihood, point.parameters + step * direction)
        except FitError:
            step /= 2
            continue
        if moved.value >= point.value + 1e-4 * step * slope - 1e-11 * (1 + abs(point.value)):
            return moved
        step /= 2
    return None


def _starting_information(likelihood: LaplaceLikelihood, point: _Point) -> np.ndarray:
    """Return a rough curvature: differences of the gradient in each parameter alone, its diagonal."""
    size = len(point.parameters)
    information = _information(likelihood, point, np.full(size, 1e-4))
    values, vectors = np.linalg.eigh(information)
    return (vectors * np.maximum(np.abs(values), 1e-6 * np.abs(values).max())) @ vectors.T


def _information(likelihood: LaplaceLikelihood, point: _Point, distances: np.ndarray) -> np.ndarray:
    """Return the negative second derivatives by central differences of the gradient."""
    columns = []
    for place, distance in enumerate(distances):
        step = np.zeros(len(distances))
        step[place] = distance
        ahead = _Point(likelihood, point.parameters + step).gradient
        behind = _Point(likelihood, point.parameters - step).gradient
        columns.append((behind - ahead) / (2 * distance))
    matrix = np.column_stack(columns)
    return (matrix + matrix.T) / 2
