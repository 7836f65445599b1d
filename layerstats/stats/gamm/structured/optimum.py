"""Where the criterion of one model is smallest: a batch of one for `layerstats.stats.gamm.smoothing_selection`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm import smoothing_selection
from layerstats.stats.gamm.restricted_likelihood import Derivatives
from layerstats.stats.gamm.smoothing_selection import Evaluation, Minima
from layerstats.stats.gamm.structured.criterion import Criterion
from layerstats.stats.gamm.structured.solution import Solution


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
        Gradient and Hessian of the criterion there.
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


def minimise(
    criterion: Criterion, start: np.ndarray | None = None, evaluated: Callable[[], None] = lambda: None
) -> Optimum:
    """Minimise `criterion` from `start`, log smoothing parameters, by default the first of the policy.

    `evaluated` is called after each step.

    Raises
    ------
    numpy.linalg.LinAlgError
        The model is singular at the start.
    """
    one = OneCriterion(criterion, evaluated)
    start = starting_point(criterion) if start is None else np.asarray(start, dtype=float)
    return one.optimum(smoothing_selection.minimise(one, start[None]), 0)


def minimise_from_starts(criterion: Criterion, evaluated: Callable[[], None] = lambda: None) -> Optimum:
    """Minimise `criterion` from all starts of the policy.

    `evaluated` is called after each step.

    Raises
    ------
    numpy.linalg.LinAlgError
        The model is singular at the first start.
    """
    one = OneCriterion(criterion, evaluated)
    start, compete = starting_point(criterion)[None], criterion.penalties.compete
    minima, second = smoothing_selection.minimise_from_starts(one, start, compete)
    return one.optimum(minima, int(second[0]))


def starting_point(criterion: Criterion) -> np.ndarray:
    """Return the first start, log smoothing parameters."""
    return smoothing_selection.starting_point(criterion.starting_weights())


class OneCriterion:
    """One criterion as `smoothing_selection.Criteria`, which keeps the estimates where it ended."""

    def __init__(self, criterion: Criterion, evaluated: Callable[[], None] = lambda: None) -> None:
        self._criterion, self._evaluated = criterion, evaluated
        self._error: np.linalg.LinAlgError | None = None
        self._last: Derivatives | None = None
        # By start, where it has come to.
        self._reached: list[tuple[Solution, Derivatives] | None] = []

    def evaluate(self, fits: np.ndarray, log_smoothing: np.ndarray, log_scale: np.ndarray | None) -> Evaluation:
        """Evaluate the criterion."""
        if log_scale is None:
            self._reached.append(None)
        try:
            solution = self._criterion.solve(log_smoothing[0])
        except np.linalg.LinAlgError as error:
            self._error = error
            nothing = np.full(1, np.nan)
            return Evaluation(nothing, nothing, None)
        scale = self._criterion.best_log_scale(solution) if log_scale is None else float(log_scale[0])
        return Evaluation(np.array([self._criterion.value(solution, scale)]), np.array([scale]), solution)

    def derivatives(self, evaluation: Evaluation, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the derivatives."""
        if evaluation.details is None:
            size = self._criterion.penalties.count + 1
            return np.full((1, size), np.nan), np.full((1, size, size), np.nan)
        self._last = self._criterion.derivatives(evaluation.details, float(evaluation.log_scale[0]))
        self._evaluated()
        return self._last.gradient[None], self._last.hessian[None]

    def move(self, evaluation: Evaluation, moved: np.ndarray) -> None:
        """Keep the estimates."""
        if moved[0] and evaluation.details is not None and self._last is not None:
            self._reached[-1] = evaluation.details, self._last

    def optimum(self, minima: Minima, start: int) -> Optimum:
        """Return the optimum, that of the start with this number."""
        reached = self._reached[start]
        if reached is None:
            raise self._error or np.linalg.LinAlgError("The model is singular at the start.")
        solution, derivatives = reached
        return Optimum(
            solution=solution,
            log_scale=float(minima.log_scale[0]),
            value=float(minima.value[0]),
            derivatives=derivatives,
            iterations=int(minima.iterations[0]),
            converged=bool(minima.converged[0]),
        )
