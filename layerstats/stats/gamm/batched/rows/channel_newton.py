"""Newton's method for many channels at once: each takes its own steps, and those that have arrived drop out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.batched.rows.channel_criterion import Derivatives, best_log_scale, criterion, derivatives
from layerstats.stats.gamm.batched.rows.channel_responses import Responses
from layerstats.stats.gamm.batched.rows.channel_solution import Shared, solve

_LONGEST_STEP = 5.0
_MOST_ITERATIONS = 200
_MOST_HALVINGS = 30
# Relative to the magnitude of the criterion, as in the structured engine.
_TOLERANCE = 1e-10
_CLOSE_ENOUGH = 1e-5
# Much wigglier smooths than those of the first start.
SECOND_START = -4.0
_ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class Optima:
    """Where the criteria are smallest.

    Attributes
    ----------
    log_smoothing
        (channel, penalty)
    log_scale, value, gradient_norm, iterations, converged
        (channel,); the norm is the largest element of the gradient.
    """

    log_smoothing: np.ndarray
    log_scale: np.ndarray
    value: np.ndarray
    gradient_norm: np.ndarray
    iterations: np.ndarray
    converged: np.ndarray

    def lower(self, other: Optima) -> Optima:
        """Return for each channel the lower of two minima, these where they are the same but for rounding errors."""
        better = other.value < self.value - 1e-6
        chosen = {}
        for name, own in vars(self).items():
            wider = better[:, None] if own.ndim == 2 else better
            chosen[name] = np.where(wider, getattr(other, name), own)
        return Optima(**chosen)


def minimise(shared: Shared, responses: Responses, start: np.ndarray) -> Optima:
    """Minimise the criterion of each channel.

    Parameters
    ----------
    shared, responses
        The design and the channels.
    start
        (penalty,) log smoothing parameters to start from.
    """
    channels = len(responses.square)
    state = _State.begin(shared, responses, np.tile(start, (channels, 1)))
    iterations = np.zeros(channels, dtype=np.int64)
    active = np.arange(channels)
    for _ in range(_MOST_ITERATIONS):
        moving = state.largest_gradient(active) >= _TOLERANCE * (1 + np.abs(state.value[active]))
        active = active[moving]
        if not len(active):
            break
        iterations[active] += 1
        active = active[state.move(active)]
    largest = state.largest_gradient(np.arange(channels))
    return Optima(
        log_smoothing=state.point[:, :-1],
        log_scale=state.point[:, -1],
        value=state.value,
        gradient_norm=largest,
        iterations=iterations,
        converged=np.nan_to_num(largest, nan=np.inf) < _CLOSE_ENOUGH * (1 + np.abs(state.value)),
    )


@dataclass(eq=False)
class _State:
    """Where each channel stands. Everything but the evaluations is small and stays in numpy."""

    shared: Shared
    responses: Responses
    point: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray

    @classmethod
    def begin(cls, shared: Shared, responses: Responses, log_smoothing: np.ndarray) -> _State:
        backend = shared.backend
        solutions = solve(shared, responses, backend.array(log_smoothing))
        log_scale = best_log_scale(solutions)
        slopes = derivatives(solutions, log_scale)
        return cls(
            shared,
            responses,
            np.column_stack([log_smoothing, backend.numpy(log_scale)]),
            backend.numpy(criterion(solutions, log_scale)),
            backend.numpy(slopes.gradient),
            backend.numpy(slopes.hessian),
        )

    def largest_gradient(self, channels: np.ndarray) -> np.ndarray:
        return np.abs(self.gradient[channels]).max(axis=1)

    def move(self, channels: np.ndarray) -> np.ndarray:
        """Take a step in each of `channels`; return for each whether it led on."""
        size = 1 + np.abs(self.value[channels])
        steps = newton_steps(self.gradient[channels], self.hessian[channels], _TOLERANCE * size)
        # Where the gain is lost in rounding errors, only the gradient can tell whether a step led on.
        lost = -np.sum(self.gradient[channels] * steps, axis=1) < _ROUNDING * size
        waiting, arrived = np.arange(len(channels)), np.zeros(len(channels), dtype=bool)
        for _ in range(_MOST_HALVINGS):
            on = self._try(channels[waiting], self.point[channels[waiting]] + steps[waiting], lost[waiting])
            arrived[waiting[on]] = True
            waiting = waiting[~on & ~lost[waiting]]
            if not len(waiting):
                break
            steps[waiting] /= 2
        return arrived

    def _try(self, channels: np.ndarray, points: np.ndarray, lost: np.ndarray) -> np.ndarray:
        backend = self.shared.backend
        responses = self.responses.take(backend.array(channels))
        log_scale = backend.array(points[:, -1])
        solutions = solve(self.shared, responses, backend.array(points[:, :-1]))
        value, old = backend.numpy(criterion(solutions, log_scale)), self.value[channels]
        # False for NaN, where the step led to a singular problem.
        on = (value < old) | (lost & (value <= old + _ROUNDING * (1 + np.abs(old))))
        if not on.any():
            return on
        slopes: Derivatives = derivatives(solutions, log_scale)
        gradient, hessian = backend.numpy(slopes.gradient), backend.numpy(slopes.hessian)
        on &= ~lost | (np.abs(gradient).max(axis=1) < self.largest_gradient(channels))
        accepted = channels[on]
        self.point[accepted], self.value[accepted] = points[on], value[on]
        self.gradient[accepted], self.hessian[accepted] = gradient[on], hessian[on]
        return on


def newton_steps(gradient: np.ndarray, hessian: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """Return Newton steps with absolute eigenvalues, zero in flat directions, of limited length.

    Parameters
    ----------
    gradient, hessian
        (channel, parameter) and (channel, parameter, parameter).
    tolerance
        (channel,) below which a direction is flat.

    Examples
    --------
    >>> steps = newton_steps(np.array([[2.0, 0.0]]), np.array([[[4.0, 0.0], [0.0, 0.0]]]), np.array([1e-9]))
    >>> bool((steps == [[-0.5, 0.0]]).all())
    True
    """
    curvature = np.diagonal(hessian, axis1=1, axis2=2)
    used = (np.abs(gradient) > tolerance[:, None]) | (np.abs(curvature) > tolerance[:, None])
    # Flat directions become an identity of their own, which their zero gradient then leaves alone.
    square = np.where(used[:, :, None] & used[:, None, :], hessian, 0.0)
    largest = np.abs(curvature).max(axis=1, initial=0.0)
    square += np.eye(gradient.shape[1]) * np.where(used, 0.0, np.where(largest > 0, largest, 1.0)[:, None])[:, :, None]
    bad = ~np.isfinite(square).all(axis=(1, 2))
    square[bad] = np.eye(gradient.shape[1])
    eigenvalues, vectors = np.linalg.eigh(square)
    size = np.maximum(np.abs(eigenvalues), np.abs(eigenvalues).max(axis=1, keepdims=True) * 1e-12)
    slope = np.where(used, np.nan_to_num(gradient), 0.0)[:, None, :] @ vectors
    step = -(vectors @ (slope[:, 0] / size)[:, :, None])[:, :, 0]
    longest = np.abs(step).max(axis=1, keepdims=True)
    return step * np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, _LONGEST_STEP))
