"""Maximum of the Laplace likelihood: quasi-Newton steps, then Newton's with differences of the analytic gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.errors import FitError
from layerstats.stats.ratings.mixed_models.joint_curvature import joint_curvature
from layerstats.stats.ratings.mixed_models.laplace_likelihood import Effects, LaplaceLikelihood, LaplaceMode

_MOST_STEPS = 300
_MOST_HALVINGS = 25
# Of the decrement, what a further step would add to the log likelihood.
_NEAR = 1e-9
_THERE = 1e-12
_MOST_POLISHES = 10
# Of a parameter's standard error, the distance of differences.
_DISTANCE = 1e-2
# The most that a parameter is changed by a step, and the distance of differences where nothing is known yet.
_LONGEST = 5.0
_FIRST_DISTANCE = 1e-3
# Of the largest eigenvalue, what counts as no curvature.
_FLAT = 1e-10
# How far to go where the likelihood curves upwards.
_ESCAPES = (0.5, 0.1)
_MOST_ESCAPES = 4
# Of the log likelihood, what does not matter any more: along ridges of random effects that the data do not determine
# differences cannot tell more.
_CLOSE = 1e-6


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
    optimum = _climb(likelihood, _Point(likelihood, start))
    for _ in range(_MOST_ESCAPES):
        higher = _higher(likelihood, optimum)
        if higher is None:
            return optimum
        optimum = _climb(likelihood, higher)
    raise FitError("The model did not converge: its likelihood has no maximum, but a saddle.")


def _higher(likelihood: LaplaceLikelihood, optimum: ClmmOptimum) -> _Point | None:
    """Return a higher point where the likelihood curves upwards, None where there is none.

    A standard deviation of zero is flat whatever the data say: from there the likelihood may rise either way.
    """
    size = np.sqrt(np.maximum(np.abs(np.diag(optimum.information)), 1e-300))
    values, vectors = np.linalg.eigh(optimum.information / np.outer(size, size))
    if values[0] > -_FLAT:
        return None
    direction = vectors[:, 0] / size / np.abs(vectors[:, 0] / size).max()
    for distance in (*_ESCAPES, *(-distance for distance in _ESCAPES)):
        try:
            found = _Point(likelihood, optimum.parameters + distance * direction, optimum.mode.effects)
        except FitError:
            continue
        if found.value > optimum.mode.log_likelihood + _CLOSE:
            return found
    return None


def _climb(likelihood: LaplaceLikelihood, point: _Point) -> ClmmOptimum:
    """Return where the likelihood is flat, from `point` on."""
    point, inverse, steps = _quasi_newton(likelihood, point, _first_inverse(likelihood, point))
    decrement = np.inf
    for _ in range(_MOST_POLISHES):
        information = _information(likelihood, point, _DISTANCE * np.sqrt(np.diag(inverse)))
        inverse = _inverse(information)
        # Differences are as good a step away, so that one set of them is enough near the maximum.
        for _ in range(_MOST_POLISHES):
            direction = inverse @ point.gradient
            decrement = float(direction @ point.gradient)
            if decrement < _THERE:
                return ClmmOptimum(point.parameters, point.mode, point.gradient, information, steps)
            moved = _line_search(likelihood, point, direction)
            if moved is None or decrement > _NEAR * 1e3:
                break
            point = moved
        if moved is None:
            break
        point = moved
    if decrement < _CLOSE:
        return ClmmOptimum(point.parameters, point.mode, point.gradient, information, steps)
    raise FitError(
        f"The model did not converge: the log likelihood is {point.value:.4f}, and a further step would add "
        f"{decrement:.2g}. Do terms depend on each other, does one have almost no data, or does a column with random "
        "slopes lie far from zero (take its mean off)?"
    )


class _Point:
    """Parameters, with the likelihood and its gradient there."""

    def __init__(self, likelihood: LaplaceLikelihood, parameters: np.ndarray, effects: Effects | None = None) -> None:
        self.parameters = parameters
        self.mode = likelihood.mode(parameters, effects)
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
    step = min(1.0, _LONGEST / max(float(np.abs(direction).max()), 1e-300))
    for _ in range(_MOST_HALVINGS):
        try:
            moved = _Point(likelihood, point.parameters + step * direction, point.mode.effects)
        except FitError:
            step /= 2
            continue
        if moved.value >= point.value + 1e-4 * step * slope - 1e-11 * (1 + abs(point.value)):
            return moved
        step /= 2
    return None


def _first_inverse(likelihood: LaplaceLikelihood, point: _Point) -> np.ndarray:
    """Return a rough covariance: of the joint curvature, and of differences where that says nothing."""
    known = joint_curvature(likelihood, point.parameters, point.mode).information
    information = np.zeros((likelihood.size, likelihood.size))
    distances = np.full(likelihood.size, _FIRST_DISTANCE)
    others = np.arange(len(known), likelihood.size)
    information[:, others] = _differences(likelihood, point, distances, others)
    information[others] = information[:, others].T
    information[: len(known), : len(known)] = known
    return _inverse((information + information.T) / 2)


def _inverse(information: np.ndarray) -> np.ndarray:
    """Return the inverse; where the likelihood is not concave yet, its steepness is taken for it."""
    size = np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    values = np.maximum(np.abs(values), _FLAT * np.abs(values).max())
    return (vectors / values) @ vectors.T / np.outer(size, size)


def _information(likelihood: LaplaceLikelihood, point: _Point, distances: np.ndarray) -> np.ndarray:
    """Return the negative second derivatives by central differences of the gradient."""
    matrix = _differences(likelihood, point, np.minimum(distances, _LONGEST / 10), np.arange(likelihood.size))
    return (matrix + matrix.T) / 2


def _differences(likelihood: LaplaceLikelihood, point: _Point, distances: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the derivatives of the negative gradient in the parameters at `places`, (parameter, place)."""
    moves = joint_curvature(likelihood, point.parameters, point.mode).moves
    columns = np.empty((likelihood.size, len(places)))
    for column, place in enumerate(places):
        gradients = []
        for distance in (distances[place], -distances[place]):
            parameters, effects = point.parameters.copy(), point.mode.effects
            parameters[place] += distance
            if place < len(moves):
                effects = effects[0] + distance * moves[place][0], effects[1] + distance * moves[place][1]
            gradients.append(_Point(likelihood, parameters, effects).gradient)
        columns[:, column] = (gradients[1] - gradients[0]) / (2 * distances[place])
    return columns
