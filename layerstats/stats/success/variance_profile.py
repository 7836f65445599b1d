"""Variances of a mixed logistic model, and what its restricted likelihood says of their shares.

Intervals are profiles: the shares that, with all other variances at their best, the likelihood does not reject (Venzon
and Moolgavkar 1988, Appl. Statist. 37, 87-94). They lie within 0 and 1, and begin at 0 where no variance is possible.
Tests of no variance refer twice the log likelihood ratio to half a point mass at zero and half a chi-square of one
degree of freedom, since a variance cannot be negative (Self and Liang 1987, J. Am. Statist. Ass. 82, 605-610).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from layerstats.errors import FitError
from layerstats.stats.success.crossed_logistic import CrossedLogistic

# The variance of the standard logistic distribution: what a single attempt varies by on the scale of the logit.
LOGISTIC_VARIANCE = np.pi**2 / 3
# Searches move in log(variance + this), which has a zero and is as wide above it as deviations are in proportion.
_SHIFT = 0.01
_LARGEST = 400.0
_BOUNDS = (float(np.log(_SHIFT)), float(np.log(_LARGEST)))
_STARTS = (0.25, 2.0, 0.01)
# Elements of the gradient along the search where one has ended, on the scale of minus twice the log likelihood.
_FLAT = 1e-2
_LARGEST_SHARE = 0.9999
# Where an end of an interval is found: in the share, and in the root of the profile.
_SHARE_TOLERANCE, _ROOT_TOLERANCE = 2e-5, 1e-4
# Likelihood ratios and variances that are zero but for where a search has stopped.
_NOTHING = 1e-6
# How far a search goes before it looks around anew.
_BOX = 2.0
_MOST_BOXES = 10


@dataclass(frozen=True, eq=False)
class VarianceFit:
    """Where the restricted likelihood is largest.

    Attributes
    ----------
    variances
        (component,)
    value
        Minus twice the log restricted likelihood.
    intercept, predictor
        As in `LaplaceValue`.
    """

    variances: np.ndarray
    value: float
    intercept: float
    predictor: np.ndarray

    @property
    def total(self) -> float:
        """The variance of the latent response: of all components, and of a single attempt."""
        return float(self.variances.sum() + LOGISTIC_VARIANCE)

    @property
    def shares(self) -> np.ndarray:
        """(component,) variances divided by the total."""
        return self.variances / self.total


def fit_variances(model: CrossedLogistic) -> VarianceFit:
    """Maximise the restricted likelihood, from several starts where the first does not convince.

    Raises
    ------
    FitError
        No search ended where the gradient vanishes and the curvature is positive.
    """
    reason = ""
    for start in _STARTS:
        search = _minimise(_of_variances(model), np.full(len(model.counts), np.log(start + _SHIFT)))
        reason = _doubt(model, search)
        if not reason:
            variances = without_rounding(_variances(search.x))
            value = model.evaluate(variances)
            return VarianceFit(variances, value.value, value.intercept, value.predictor)
    raise FitError(
        f"The mixed logistic model did not converge from any of {len(_STARTS)} starts: {reason}. Leave out a "
        "component, or give more starts a cell."
    )


def without_rounding(variances: np.ndarray) -> np.ndarray:
    """Return variances of which those that a search has left just above zero are zero."""
    return np.where(variances < _NOTHING, 0.0, variances)


def share_interval(
    model: CrossedLogistic, fit: VarianceFit, component: int | None, conf_level: float
) -> tuple[float, float]:
    """Return the profile interval of a component's share, or of that of a single attempt (None)."""
    profile = _Profile(model, fit, component)
    limit = float(stats.chi2.ppf(conf_level, 1))
    estimate = LOGISTIC_VARIANCE / fit.total if component is None else float(fit.shares[component])
    smallest, largest = (1 - _LARGEST_SHARE, 1.0) if component is None else (0.0, _LARGEST_SHARE)
    return profile.end(estimate, smallest, limit), profile.end(estimate, largest, limit)


def zero_test(model: CrossedLogistic, fit: VarianceFit, component: int) -> tuple[float, float]:
    """Return the likelihood-ratio statistic and p-value of a component that has no variance."""
    statistic = _Profile(model, fit, component).height(0.0)
    if statistic < _NOTHING:
        return 0.0, 1.0
    return statistic, float(stats.chi2.sf(statistic, 1) / 2)


class _Profile:
    """How far minus twice the log likelihood rises above its smallest value where one share is held."""

    def __init__(self, model: CrossedLogistic, fit: VarianceFit, component: int | None) -> None:
        self._model, self._fit, self._component = model, fit, component
        self._others = np.flatnonzero(np.arange(len(model.counts)) != component)
        self._begin = np.log(fit.variances[self._others] + _SHIFT)
        self._last = self._begin

    def end(self, estimate: float, farthest: float, limit: float) -> float:
        """Return the share between `estimate` and `farthest` where the profile reaches `limit`; else `farthest`."""
        self._last = self._begin
        inner, outer, below, above = estimate, estimate, -np.sqrt(limit), -np.sqrt(limit)
        while above < 0:
            if outer == farthest:
                return farthest
            inner, below, outer = outer, above, self._further(outer, farthest)
            above = self._excess(outer, limit)
        kept = 0
        while abs(outer - inner) > _SHARE_TOLERANCE:
            # False position, which halves the value of an end that stays (Illinois).
            place = (inner * above - outer * below) / (above - below)
            excess = self._excess(place, limit)
            if abs(excess) < _ROOT_TOLERANCE:
                return place
            if excess < 0:
                inner, below, above, kept = place, excess, above / (2 if kept < 0 else 1), -1
            else:
                outer, above, below, kept = place, excess, below / (2 if kept > 0 else 1), 1
        return (inner + outer) / 2

    @staticmethod
    def _further(share: float, farthest: float) -> float:
        """Return a share on the way to `farthest`, some twice the odds or half of them away."""
        if farthest < share:
            return max(share / 2, farthest) if share > 2e-3 else farthest
        if share > _LARGEST_SHARE:
            return farthest
        odds = 2 * max(share / (1 - share), _SHIFT)
        return min(odds / (1 + odds), farthest)

    def _excess(self, share: float, limit: float) -> float:
        # Its root is nearly a straight line where the profile is nearly a parabola.
        return float(np.sqrt(max(self.height(share), 0.0)) - np.sqrt(limit))

    def height(self, share: float) -> float:
        """Return the height of the profile at a share."""
        if len(self._others) == 0 or (self._component is None and len(self._others) == 1):
            return self._model.evaluate(self._alone(share)).value - self._fit.value
        function = self._of_residual(share) if self._component is None else self._of_component(share)
        search = _minimise(function, self._last, precision=1e-9)
        self._last = search.x
        return float(search.fun - self._fit.value)

    def _alone(self, share: float) -> np.ndarray:
        """Return the variance of the only component at its share, or where the single attempt has that share."""
        own = 1 - share if self._component is None else share
        return np.array([LOGISTIC_VARIANCE * own / (1 - own)])

    def _of_component(self, share: float) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
        odds, component, others = share / (1 - share), self._component, self._others

        def evaluate(place: np.ndarray) -> tuple[float, np.ndarray]:
            variances = np.empty(len(others) + 1)
            variances[others] = _variances(place)
            variances[component] = odds * (variances[others].sum() + LOGISTIC_VARIANCE)
            found = self._model.evaluate(variances)
            gradient = found.gradient[others] + odds * found.gradient[component]
            return found.value, gradient * np.exp(place)

        return evaluate

    def _of_residual(self, share: float) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
        total = LOGISTIC_VARIANCE * (1 - share) / share

        def evaluate(place: np.ndarray) -> tuple[float, np.ndarray]:
            # Only their proportions count; all at zero at once have none.
            weights = _variances(place) + 1e-9
            proportions = weights / weights.sum()
            found = self._model.evaluate(total * proportions)
            gradient = total / weights.sum() * (found.gradient - found.gradient @ proportions)
            return found.value, gradient * np.exp(place)

        return evaluate


def _variances(place: np.ndarray) -> np.ndarray:
    return np.where(place <= _BOUNDS[0], 0.0, np.maximum(np.exp(place) - _SHIFT, 0.0))


def _of_variances(model: CrossedLogistic) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    def evaluate(place: np.ndarray) -> tuple[float, np.ndarray]:
        found = model.evaluate(_variances(place))
        return found.value, found.gradient * np.exp(place)

    return evaluate


def _minimise(
    function: Callable[[np.ndarray], tuple[float, np.ndarray]], start: np.ndarray, precision: float = 1e-13
) -> optimize.OptimizeResult:
    """Minimise in a box about the start, anew until the minimum is inside: long steps may end elsewhere."""
    place = np.clip(start, *_BOUNDS)
    for _ in range(_MOST_BOXES):
        low, high = np.maximum(place - _BOX, _BOUNDS[0]), np.minimum(place + _BOX, _BOUNDS[1])
        search = optimize.minimize(
            function,
            place,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(low, high, strict=True)),
            options={"ftol": precision, "gtol": 1e-4, "maxiter": 500},
        )
        place = search.x
        inside = (place > low + 1e-9) | (low == _BOUNDS[0])
        if np.all(inside & ((place < high - 1e-9) | (high == _BOUNDS[1]))):
            break
    return search


def _doubt(model: CrossedLogistic, search: optimize.OptimizeResult) -> str:
    """Return why a search is not believed, or nothing: its gradient, its curvature, variances at their largest."""
    inside = search.x > _BOUNDS[0] + 1e-6
    slope = np.where(inside, search.jac, np.minimum(search.jac, 0.0))
    if np.abs(slope).max() > _FLAT:
        return f"the largest element of the gradient is {np.abs(slope).max():.2g}"
    if np.any(search.x > _BOUNDS[1] - 1e-6):
        return f"a variance grows beyond {_LARGEST:g}"
    free = np.flatnonzero(inside)
    hessian = np.empty((len(free), len(free)))
    for number, place in enumerate(free):
        step = np.zeros(len(search.x))
        step[place] = 1e-4
        ahead, behind = (_of_variances(model)(search.x + sign * step)[1] for sign in (1, -1))
        hessian[number] = (ahead - behind)[free] / 2e-4
    curvatures = np.linalg.eigvalsh((hessian + hessian.T) / 2) if len(free) else np.ones(1)
    if curvatures[0] <= 1e-6 * max(curvatures[-1], 1.0):
        return f"the curvature at its end is {curvatures[0]:.2g} in one direction: two components are one to the data"
    return ""
