"""How smoothing parameters are found: one policy of where to start and when to stop, for one fit and for many at once.

Every fit has a criterion (minus a log restricted or full likelihood) of its log smoothing parameters and, last, its log
scale. Newton's method goes down it with exact gradient and Hessian; many fits go side by side, each by its own steps,
and one fit is a batch of one. What differs between designs is only how criterion and derivatives are computed.

**Starts.** The first start weighs each penalty about as much as the data weigh its coefficients (`starting_point`).
Where penalties compete (`penalties_compete`), the criterion may have two minima, and a second start has smooths that
are much wigglier; the first minimum stays unless the second is lower. Without competition there is one start.

**Steps** (Wood 2011, J. R. Statist. Soc. B 73, 3-36) have the absolute eigenvalues of the Hessian and a limited length,
and are halved until the criterion is lower. Directions in which it is flat (a smoothing parameter on its way to
infinity) are left alone. A step that promises less than the rounding errors of the criterion is taken if it halves the
gradient.

**Stopping.** A fit has arrived where the elements of its gradient sum to less than 1e-10 of the criterion, ends where
no step leads on, and has converged if the largest element is then below 1e-5 of the criterion.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

LONGEST_STEP = 5.0
MOST_ITERATIONS = 200
MOST_HALVINGS = 30
# Of the second start, in log smoothing parameters: much wigglier smooths than those of the first.
SECOND_START = -8.0
# How far from the first start one from the smoothing parameters of other data may be: from beyond, where the criterion
# is flat, Newton's method would not come back.
FARTHEST_START = 8.0
# Of the sum of the gradient, relative to the size of the criterion. Newton's steps square the error, so that what is
# left is far below this; smoothing parameters that grow without bound stop here, where together they change nothing.
TOLERANCE = 1e-10
# Of the largest element of the gradient where rounding errors end the descent: far below what changes a result.
CONVERGED = 1e-5
# Of the criterion, relative to its size.
ROUNDING = 1e-13
# Of two minima: how near in a log smoothing parameter; what is no curvature, and no difference of criteria.
NEAR, FLAT = 0.1, 1e-2
# How much lower a second minimum has to be.
LOWER = 1e-6


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The criteria of some fits.

    Attributes
    ----------
    value
        (fit,) NaN where the model is singular.
    log_scale
        (fit,)
    details
        What derivatives are computed from, as the criteria that made it know.
    """

    value: np.ndarray
    log_scale: np.ndarray
    details: Any


class Criteria(Protocol):
    """The criteria of many fits."""

    def evaluate(self, fits: np.ndarray, log_smoothing: np.ndarray, log_scale: np.ndarray | None) -> Evaluation:
        """Evaluate the criteria of some fits.

        Parameters
        ----------
        fits
            (fit,) which, in increasing order.
        log_smoothing
            (fit, penalty)
        log_scale
            (fit,); None for the one that minimises the criterion at these smoothing parameters.
        """
        ...

    def derivatives(self, evaluation: Evaluation, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return gradient and Hessian, (fit, parameter) and (fit, parameter, parameter), of those that are `kept`."""
        ...

    def move(self, evaluation: Evaluation, moved: np.ndarray) -> None:
        """Take note that those of the last derivatives that `moved` are where they were evaluated."""
        ...


@dataclass(frozen=True, eq=False)
class Minima:
    """Where the criteria of some fits are smallest.

    Attributes
    ----------
    log_smoothing
        (fit, penalty)
    log_scale, value, iterations, converged
        (fit,)
    gradient, hessian
        (fit, parameter) and (fit, parameter, parameter)
    """

    log_smoothing: np.ndarray
    log_scale: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    iterations: np.ndarray
    converged: np.ndarray

    @property
    def gradient_norm(self) -> np.ndarray:
        """(fit,) the largest element of the gradient."""
        return np.abs(self.gradient).max(axis=1)

    def attract(self, fits: np.ndarray, point: np.ndarray, value: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Return whether Newton's method leads here from `point`, (fit, parameter), for each of `fits`.

        It is near in every parameter but those that grow without bound, and they grow.
        """
        here = np.column_stack([self.log_smoothing[fits], self.log_scale[fits]])
        curvature = np.diagonal(self.hessian[fits], axis1=1, axis2=2)
        unbounded = (np.abs(curvature) < FLAT) & (gradient <= 0)
        same = np.all((np.abs(point - here) < NEAR) | unbounded, axis=1)
        return same & self.converged[fits] & (np.abs(value - self.value[fits]) < FLAT)

    def or_lower(self, other: Minima) -> tuple[Minima, np.ndarray]:
        """Return the lower minimum of each fit, its own where both are about the same, and which are of `other`."""
        lower = other.value < self.value - LOWER
        if not lower.any():
            return self, lower
        chosen = {}
        for name, own in vars(self).items():
            wider = lower.reshape(-1, *[1] * (own.ndim - 1))
            chosen[name] = np.where(wider, getattr(other, name), own)
        return Minima(**chosen), lower


def starting_point(weights: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return log smoothing parameters that weigh penalties about as much as data, (penalty,).

    Parameters
    ----------
    weights
        For each penalty what the data say of the coefficients, (coefficient,), and its diagonal.

    Examples
    --------
    >>> starting_point([(np.array([5.0, 4.0, 2.0]), np.array([0.0, 3.0, 3.0]))])
    array([0.])
    """
    ratios = [data[penalty > 0].mean() / penalty[penalty > 0].mean() for data, penalty in weights]
    return np.log(np.maximum(ratios, 1e-10))


def warm_start(other: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return a start from the smoothing parameters of `other` data, not too far from the `first` start; (penalty,)."""
    return np.clip(other, first - FARTHEST_START, first + FARTHEST_START)


def penalties_compete(penalties: np.ndarray) -> bool:
    """Return whether several penalties are on one coefficient, so that they can take each other's place.

    Parameters
    ----------
    penalties
        (penalty, coefficient) diagonals.
    """
    return bool(np.any(np.sum(penalties > 0, axis=0) > 1))


def minimise_from_starts(criteria: Criteria, start: np.ndarray, compete: bool) -> tuple[Minima, np.ndarray]:
    """Minimise all criteria by the policy of this module.

    Parameters
    ----------
    criteria
        Of all fits.
    start
        (fit, penalty) the first start.
    compete
        Whether penalties compete, so that there is a second start.

    Returns
    -------
    minima
        The lower of the two, where there are two.
    second
        (fit,) whether it is that of the second start.
    """
    first = minimise(criteria, start)
    if not compete:
        return first, np.zeros(len(start), dtype=bool)
    return first.or_lower(minimise(criteria, start + SECOND_START, first))


def minimise(criteria: Criteria, start: np.ndarray, known: Minima | None = None) -> Minima:
    """Minimise all criteria from one start.

    Parameters
    ----------
    criteria, start
        See `minimise_from_starts`.
    known
        Minima that are known. A fit whose steps come near its own stops there.
    """
    descent = _Descent.begin(criteria, start)
    active = descent.still_on(np.arange(len(start)), known)
    while len(active):
        active = descent.still_on(active[descent.step(active)], known)
    return Minima(
        log_smoothing=descent.point[:, :-1],
        log_scale=descent.point[:, -1],
        value=descent.value,
        gradient=descent.gradient,
        hessian=descent.hessian,
        iterations=descent.iterations,
        converged=np.abs(descent.gradient).max(axis=1) < CONVERGED * (1 + np.abs(descent.value)),
    )


@dataclass(eq=False)
class _Descent:
    """Where each fit stands, and its next step."""

    criteria: Criteria
    point: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    next: np.ndarray
    unseen: np.ndarray
    moved: np.ndarray
    halvings: np.ndarray
    iterations: np.ndarray

    @classmethod
    def begin(cls, criteria: Criteria, start: np.ndarray) -> _Descent:
        count = len(start)
        found = criteria.evaluate(np.arange(count), start, None)
        every = np.ones(count, dtype=bool)
        gradient, hessian = criteria.derivatives(found, every)
        criteria.move(found, every)
        return cls(
            criteria=criteria,
            point=np.column_stack([start, found.log_scale]),
            value=found.value.copy(),
            gradient=gradient,
            hessian=hessian,
            next=np.zeros_like(gradient),
            unseen=np.zeros(count, dtype=bool),
            moved=every,
            halvings=np.zeros(count, dtype=np.int64),
            iterations=np.zeros(count, dtype=np.int64),
        )

    def still_on(self, fits: np.ndarray, known: Minima | None) -> np.ndarray:
        """Return those of `fits` that have not arrived, and plan the next step of those that moved."""
        moved = self.moved[fits]
        everywhere = bool(moved.all())
        new = fits if everywhere else fits[moved]
        if not len(new):
            return fits
        value, gradient = self.value[new], self.gradient[new]
        tolerance = TOLERANCE * (1 + np.abs(value))
        # False for NaN, of a model that is singular where it starts.
        on = (np.abs(gradient).sum(axis=1) >= tolerance) & (self.iterations[new] < MOST_ITERATIONS)
        if known is not None:
            on &= ~known.attract(new, self.point[new], value, gradient)
        new = new[on]
        if len(new):
            self.next[new] = newton_steps(gradient[on], self.hessian[new], tolerance[on])
            self.halvings[new] = 0
            self._see(new)
        if everywhere:
            return new
        return np.sort(np.concatenate([fits[~moved], new]))

    def _see(self, fits: np.ndarray) -> None:
        """Note whether what the next step promises is lost in the rounding errors of the criterion."""
        promised = -np.sum(self.gradient[fits] * self.next[fits], axis=1)
        self.unseen[fits] = promised < ROUNDING * (1 + np.abs(self.value[fits]))

    def step(self, fits: np.ndarray) -> np.ndarray:
        """Take the next step of each of `fits`, or halve it; return which of them may go on."""
        candidate = self.point[fits] + self.next[fits]
        found = self.criteria.evaluate(fits, candidate[:, :-1], candidate[:, -1])
        unseen = self.unseen[fits]
        # Where the criterion cannot tell whether a step leads on, the gradient does. False for NaN.
        lower = np.isfinite(found.value) & (unseen | (found.value < self.value[fits]))
        if lower.any():
            lower = self._move(fits, found, candidate, lower, unseen)
        self.moved[fits] = lower
        if lower.all():
            return lower
        missed = fits[~lower]
        self.next[missed] /= 2
        self.halvings[missed] += 1
        self._see(missed)
        return lower | (~unseen & (self.halvings[fits] <= MOST_HALVINGS))

    def _move(
        self, fits: np.ndarray, found: Evaluation, candidate: np.ndarray, lower: np.ndarray, unseen: np.ndarray
    ) -> np.ndarray:
        """Move the fits that are `lower`; return which have moved."""
        gradient, hessian = self.criteria.derivatives(found, lower)
        size, before = np.abs(gradient).max(axis=1), np.abs(self.gradient[fits[lower]]).max(axis=1)
        kept = ~unseen[lower] | (size <= before / 2)
        self.criteria.move(found, kept)
        if not kept.all():
            lower = lower.copy()
            lower[lower] = kept
            gradient, hessian = gradient[kept], hessian[kept]
        moved = fits[lower]
        self.point[moved], self.value[moved] = candidate[lower], found.value[lower]
        self.gradient[moved], self.hessian[moved] = gradient, hessian
        self.iterations[moved] += 1
        return lower


def newton_steps(gradient: np.ndarray, hessian: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """Return Newton steps with absolute eigenvalues, zero in flat directions, of limited length.

    Parameters
    ----------
    gradient, hessian
        (fit, parameter) and (fit, parameter, parameter).
    tolerance
        (fit,) Directions are flat where gradient and curvature are below its share of one parameter.

    Examples
    --------
    >>> steps = newton_steps(np.array([[2.0, 0.0]]), np.array([[[4.0, 0.0], [0.0, 0.0]]]), np.array([1e-9]))
    >>> bool((steps == [[-0.5, 0.0]]).all())
    True
    """
    least = tolerance[:, None] / gradient.shape[1]
    curvature = np.abs(np.diagonal(hessian, axis1=1, axis2=2))
    used = (np.abs(gradient) > least) | (curvature > least)
    if not used.all():
        # Flat directions become an identity of their own, which their zero gradient then leaves alone.
        hessian = np.where(used[:, :, None] & used[:, None, :], hessian, 0.0)
        largest = curvature.max(axis=1)
        own = np.where(used, 0.0, np.where(largest > 0, largest, 1.0)[:, None])
        hessian += own[:, :, None] * np.eye(gradient.shape[1])
        gradient = np.where(used, gradient, 0.0)
    eigenvalues, vectors = np.linalg.eigh(hessian)
    size = np.abs(eigenvalues)
    size = np.maximum(size, size.max(axis=1, keepdims=True) * 1e-12)
    along = (gradient[:, None, :] @ vectors)[:, 0] / size
    step = -(vectors @ along[:, :, None])[:, :, 0]
    longest = np.abs(step).max(axis=1, keepdims=True)
    return step * np.minimum(1.0, LONGEST_STEP / np.maximum(longest, LONGEST_STEP))
