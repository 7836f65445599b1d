"""Newton's method for smoothing parameters and scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.criterion import Criterion, Derivatives
from layerstats.stats.gamm.structured.solution import Solution

_LONGEST_STEP = 5.0
_MOST_ITERATIONS = 200
_MOST_HALVINGS = 30
# Much wigglier smooths than those of the first start.
_SECOND_START = -8.0
# Of the sum of the gradient, relative to the magnitude of the criterion. Newton's steps square the error, so that what
# is left is far below this; smoothing parameters that grow without bound stop here, where together they change nothing.
_TOLERANCE = 1e-10


# Of an optimum: how near in a log smoothing parameter; and what is no curvature, and no difference of criteria.
_NEAR, _FLAT = 0.1, 1e-2


# Where a step leads, the estimates there, and the criterion.
Moved = tuple[np.ndarray, Solution, float]


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where the criterion is smallest.

    Attributes
    ----------
    solution
        The estimates there.
    log_scale
        Log of the residual variance.
    value
        The criterion.
    derivatives
        There.
    iterations
        Newton steps taken.
    converged
        Whether the gradient vanishes.
    """

    solution: Solution
    log_scale: float
    value: float
    derivatives: Derivatives
    iterations: int
    converged: bool

    def attracts(self, point: np.ndarray, value: float, gradient: np.ndarray) -> bool:
        """Return whether Newton's method leads here from `point`, log smoothing parameters and log scale.

        It is near in every parameter but those that grow without bound, and they grow.
        """
        here = np.append(self.solution.log_smoothing, self.log_scale)
        near = np.abs(point - here) < _NEAR
        unbounded = (np.abs(np.diag(self.derivatives.hessian)) < _FLAT) & (gradient <= 0)
        return self.converged and abs(value - self.value) < _FLAT and bool(np.all(near | unbounded))


def minimise(
    criterion: Criterion,
    start: np.ndarray | None = None,
    known: Optimum | None = None,
    evaluated: Callable[[], None] = lambda: None,
) -> Optimum:
    """Minimise `criterion` from `start`, log smoothing parameters.

    Smoothing parameters that grow without bound make the criterion flat; the step leaves such directions alone. Where
    the steps come near an optimum that is `known`, it is that one. `evaluated` is called after each step.

    Raises
    ------
    numpy.linalg.LinAlgError
        The model is singular at the start.
    """
    point = starting_point(criterion) if start is None else np.asarray(start, dtype=float)
    solution = criterion.solve(point)
    point = np.append(point, criterion.best_log_scale(solution))
    value = criterion.value(solution, point[-1])
    derivatives = criterion.derivatives(solution, point[-1])
    evaluated()
    for iteration in range(_MOST_ITERATIONS):
        tolerance = _TOLERANCE * (1 + abs(value))
        if np.abs(derivatives.gradient).sum() < tolerance:
            return Optimum(solution, point[-1], value, derivatives, iteration, True)
        if known is not None and known.attracts(point, value, derivatives.gradient):
            return known
        step = _step(derivatives, tolerance)
        unseen = -float(derivatives.gradient @ step) < np.finfo(float).eps * (1 + abs(value))
        moved = _whole(criterion, point, step) if unseen else _shortened(criterion, point, step, value)
        if moved is None:
            break
        moved_derivatives = criterion.derivatives(moved[1], moved[0][-1])
        evaluated()
        if unseen and np.abs(moved_derivatives.gradient).max() > np.abs(derivatives.gradient).max() / 2:
            break
        (point, solution, value), derivatives = moved, moved_derivatives
    # What is left of the gradient where rounding errors end the descent is far below what changes a result.
    converged = bool(np.abs(derivatives.gradient).max() < 1e-5 * (1 + abs(value)))
    return Optimum(solution, point[-1], value, derivatives, iteration + 1, converged)


def minimise_from_several(criterion: Criterion, evaluated: Callable[[], None] = lambda: None) -> Optimum:
    """Minimise `criterion`, which may have several minima where penalties compete: then from a second start too.

    `evaluated` is called after each step.

    Raises
    ------
    numpy.linalg.LinAlgError
        As `minimise`.
    """
    best = minimise(criterion, evaluated=evaluated)
    if criterion.penalties.compete:
        second = minimise(criterion, starting_point(criterion) + _SECOND_START, best, evaluated)
        # The first stays where both are the same but for rounding errors.
        if second.value < best.value - 1e-6:
            best = second
    return best


def starting_point(criterion: Criterion) -> np.ndarray:
    """Return log smoothing parameters that weigh penalties about as much as data."""
    ratios = [
        information[diagonal > 0].mean() / diagonal[diagonal > 0].mean()
        for information, diagonal in criterion.starting_pieces()
    ]
    return np.log(np.maximum(ratios, 1e-10))


def _step(derivatives: Derivatives, tolerance: float) -> np.ndarray:
    """Return the Newton step with absolute eigenvalues, zero in flat directions, of limited length."""
    gradient, hessian = derivatives.gradient, derivatives.hessian
    least = tolerance / len(gradient)
    used = (np.abs(gradient) > least) | (np.abs(np.diag(hessian)) > least)
    eigenvalues, vectors = np.linalg.eigh(hessian[np.ix_(used, used)])
    size = np.maximum(np.abs(eigenvalues), np.abs(eigenvalues).max() * 1e-12)
    step = np.zeros(len(gradient))
    step[used] = -vectors @ ((vectors.T @ gradient[used]) / size)
    longest = np.abs(step).max()
    return step * min(1.0, _LONGEST_STEP / longest) if longest > 0 else step


def _whole(criterion: Criterion, point: np.ndarray, step: np.ndarray) -> Moved | None:
    """Take a step that changes the criterion by less than its rounding errors: the gradient says what it is worth."""
    try:
        solution = criterion.solve((point + step)[:-1])
    except np.linalg.LinAlgError:
        return None
    return point + step, solution, criterion.value(solution, (point + step)[-1])


def _shortened(criterion: Criterion, point: np.ndarray, step: np.ndarray, value: float) -> Moved | None:
    """Halve `step` until the criterion is lower; None where it never is."""
    for _ in range(_MOST_HALVINGS):
        candidate = point + step
        try:
            solution = criterion.solve(candidate[:-1])
        except np.linalg.LinAlgError:
            step = step / 2
            continue
        new_value = criterion.value(solution, candidate[-1])
        if new_value < value:
            return candidate, solution, new_value
        step = step / 2
    return None
