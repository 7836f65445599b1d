"""The Laplace log likelihood of a cumulative link mixed model, and its gradient.

    P(rating_i <= k) = F((threshold_k - x_i'b - z_i'u) / exp(s_i'g)),    u ~ N(0, I),    z_i: columns times a root

(McCullagh 1980; Christensen 2019, the R package ordinal). The standardised effects u are integrated out about their
mode: log L = h(mode) - log|H| / 2, with h the log likelihood less |u|^2 / 2 and -H its second derivatives. The gradient
takes account of how the mode moves with the parameters, by the implicit function theorem (Bates et al. 2015 have the
model, Skaug and Fournier 2006 the gradient).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from layerstats.errors import FitError
from layerstats.stats.ratings.mixed_models.arrow_curvature import ArrowCurvature, ArrowPattern
from layerstats.stats.ratings.mixed_models.category_thresholds import Thresholds
from layerstats.stats.ratings.mixed_models.link_derivatives import OPEN_END, interval_derivatives, interval_slopes
from layerstats.stats.ratings.mixed_models.random_factors import RandomFactor

_MOST_STEPS = 100
_MOST_HALVINGS = 30
# Of Newton's decrement: the step that is still taken squares it.
_TOLERANCE = 1e-9

Effects = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class LaplaceMode:
    """The likelihood at given parameters, with where the random effects have their mode.

    Attributes
    ----------
    log_likelihood
        By Laplace's approximation.
    effects
        Standardised effects at the mode: (level, effect) of the blocks, (column,) of the corner.
    curvature
        At the mode.
    predictor
        (row,) the linear predictor at the mode, random effects included.
    """

    log_likelihood: float
    effects: Effects
    curvature: ArrowCurvature
    predictor: np.ndarray


class LaplaceLikelihood:
    """A data set and a model of it, with what every evaluation of the likelihood needs.

    Parameters are one vector: those of `Thresholds.free`, coefficients of `fixed`, coefficients of `scale`, and the
    free elements of each factor's root.

    Parameters
    ----------
    codes : numpy.ndarray
        (row,) the category of each row, from 0.
    thresholds : Thresholds
        Of the categories.
    fixed, scale : numpy.ndarray
        (row, column) the columns of the fixed part, without an intercept, and of the logarithm of the scale.
    factors : sequence of RandomFactor
        The one with most levels first.
    link : str
        ``"logit"`` or ``"probit"``.
    """

    def __init__(
        self,
        codes: np.ndarray,
        thresholds: Thresholds,
        fixed: np.ndarray,
        scale: np.ndarray,
        factors: Sequence[RandomFactor],
        link: str,
    ) -> None:
        self.codes, self.thresholds, self.fixed, self.scale = codes, thresholds, fixed, scale
        self.factors, self.link = tuple(factors), link
        self.pattern = ArrowPattern(factors, len(codes))
        ends = np.cumsum([0, thresholds.count, fixed.shape[1], scale.shape[1], *(len(own.free) for own in factors)])
        self.spans = [slice(start, end) for start, end in pairwise(ends)]
        self.size = int(ends[-1])

    def roots(self, parameters: np.ndarray) -> list[np.ndarray]:
        """Return the root of each factor's covariance."""
        spans = self.spans[3:]
        return [factor.root(parameters[span]) for factor, span in zip(self.factors, spans, strict=True)]

    def mode(self, parameters: np.ndarray, start: Effects | None = None) -> LaplaceMode:
        """Find the mode by Newton's method, from `start`, and from nothing where that leads nowhere.

        Parameters
        ----------
        parameters : numpy.ndarray
            (parameter,)
        start : tuple of numpy.ndarray, optional
            Effects near the mode.

        Raises
        ------
        FitError
            It was not found.
        """
        scaled = self.pattern.scaled(self.roots(parameters))
        ends = self.ends(parameters)
        base = self.fixed @ parameters[self.spans[1]]
        inverse_scale = self.inverse_scale(parameters)
        for begin in [self._nothing()] if start is None else [start, self._nothing()]:
            found = self._newton(begin, scaled, ends, base, inverse_scale)
            if found is not None:
                return found
        raise FitError("The random effects of the model did not converge: is a rating nearly certain everywhere?")

    def gradient(self, parameters: np.ndarray, mode: LaplaceMode) -> np.ndarray:
        """Return the derivatives of the log likelihood in the parameters."""
        inverse_scale = self.inverse_scale(parameters)
        upper, lower = (inverse_scale * (end - mode.predictor) for end in self.ends(parameters))
        row = interval_derivatives(self.link, upper, lower)
        first = -inverse_scale * (row.upper + row.lower)
        third = -(inverse_scale**3) * (row.upper_thrice + row.lower_thrice)
        inverse_rows = mode.curvature.inverse_rows()
        leverage = self._leverage(mode.curvature, inverse_rows)
        # How the determinant changes as the mode moves, and with it the mode's way of moving.
        adjoint = mode.curvature.solve(*self.pattern.collect(mode.curvature.scaled, 0.5 * third * leverage))
        moved = self.pattern.predictor(mode.curvature.scaled, adjoint)

        def total(direct: np.ndarray, mixed: np.ndarray, twice: np.ndarray) -> np.ndarray:
            return direct + mixed * moved + 0.5 * twice * leverage

        by_predictor = total(first, -mode.curvature.weights, third)
        found = np.empty(self.size)
        found[self.spans[0]] = self._threshold_gradient(parameters, row, inverse_scale, total)
        found[self.spans[1]] = by_predictor @ self.fixed
        if self.scale.shape[1]:
            found[self.spans[2]] = self._scale_gradient(row, upper, lower, inverse_scale, total) @ self.scale
        rest = inverse_rows, adjoint, first, by_predictor
        for number, span in enumerate(self.spans[3:]):
            found[span] = self._root_gradient(number, mode, *rest)
        return found

    def _threshold_gradient(self, parameters: np.ndarray, row, inverse_scale: np.ndarray, total) -> np.ndarray:
        above = total(
            inverse_scale * row.upper, -(inverse_scale**2) * row.upper_both, inverse_scale**3 * row.upper_thrice
        )
        below = total(
            inverse_scale * row.lower, -(inverse_scale**2) * row.lower_both, inverse_scale**3 * row.lower_thrice
        )
        count = len(self.thresholds.categories)
        by_threshold = np.bincount(self.codes, above, count)[:-1] + np.bincount(self.codes, below, count)[1:]
        by_reported = by_threshold @ self.thresholds.jacobian()
        return by_reported @ self.thresholds.reported_jacobian(parameters[self.spans[0]])

    @staticmethod
    def _scale_gradient(row, upper: np.ndarray, lower: np.ndarray, inverse_scale: np.ndarray, total) -> np.ndarray:
        """Return the derivative in the logarithm of each row's scale."""
        moved, bent = row.upper + row.lower, row.upper_both + row.lower_both
        drawn = upper * row.upper + lower * row.lower
        drawn_both = upper * row.upper_both + lower * row.lower_both
        drawn_thrice = upper * row.upper_thrice + lower * row.lower_thrice
        return total(
            -drawn,
            inverse_scale * (moved + drawn_both),
            -(inverse_scale**2) * (2 * bent + drawn_thrice),
        )

    def _root_gradient(
        self,
        number: int,
        mode: LaplaceMode,
        inverse_rows: np.ndarray,
        adjoint: Effects,
        first: np.ndarray,
        by_predictor: np.ndarray,
    ) -> np.ndarray:
        factor = self.factors[number]
        start = sum(other.width for other in self.factors[:number])
        effects, moves = (self.by_level(values)[number] for values in (mode.effects, adjoint))
        found = []
        for row, column in factor.free:
            values = by_predictor * effects[factor.codes, column] + first * moves[factor.codes, column]
            values = values - mode.curvature.weights * inverse_rows[:, start + column]
            found.append(factor.columns[:, row] @ values)
        return np.array(found)

    def by_level(self, effects: Effects) -> list[np.ndarray]:
        """Return standardised effects by factor, each (level, effect)."""
        found = [effects[0]] if self.factors else []
        start = 0
        for factor in self.factors[1:]:
            end = start + len(factor.levels) * factor.width
            found.append(effects[1][start:end].reshape(len(factor.levels), factor.width))
            start = end
        return found

    def _leverage(self, curvature: ArrowCurvature, inverse_rows: np.ndarray) -> np.ndarray:
        return np.einsum("ij,ij->i", np.column_stack(curvature.scaled), inverse_rows)

    def _nothing(self) -> Effects:
        return np.zeros((self.pattern.block_levels, self.pattern.block_width)), np.zeros(self.pattern.corner)

    def ends(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the thresholds above and below each row's category, (row,)."""
        reported = self.thresholds.reported(parameters[self.spans[0]])
        ends = np.r_[-OPEN_END, self.thresholds.jacobian() @ reported, OPEN_END]
        return ends[self.codes + 1], ends[self.codes]

    def inverse_scale(self, parameters: np.ndarray) -> np.ndarray:
        """Return what the latent variable of each row is divided by, inverted: (row,), or one 1 for all."""
        if not self.scale.shape[1]:
            return np.ones(1)
        return np.exp(-self.scale @ parameters[self.spans[2]])

    def _newton(
        self, start: Effects, scaled: Effects, ends: Effects, base: np.ndarray, inverse_scale: np.ndarray
    ) -> LaplaceMode | None:
        effects, last = start, False
        predictor = base + self.pattern.predictor(scaled, effects)
        value, first, second = self._slopes(predictor, ends, inverse_scale)
        objective = value - _square(effects) / 2
        for _ in range(_MOST_STEPS):
            curvature = ArrowCurvature(self.pattern, scaled, -second)
            if last:
                return LaplaceMode(objective - curvature.log_determinant / 2, effects, curvature, predictor)
            collected = self.pattern.collect(scaled, first)
            score = collected[0] - effects[0], collected[1] - effects[1]
            step = curvature.solve(*score)
            decrement = float(np.vdot(step[0], score[0]) + np.vdot(step[1], score[1]))
            if not np.isfinite(decrement):
                return None
            for halving in range(_MOST_HALVINGS):
                moved = effects[0] + step[0] * 0.5**halving, effects[1] + step[1] * 0.5**halving
                predictor = base + self.pattern.predictor(scaled, moved)
                value, first, second = self._slopes(predictor, ends, inverse_scale)
                reached = value - _square(moved) / 2
                if reached >= objective - 1e-10 * (1 + abs(objective)):
                    break
            else:
                return None
            effects, objective = moved, reached
            last = decrement < _TOLERANCE
        return None

    def _slopes(
        self, predictor: np.ndarray, ends: Effects, inverse_scale: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray]:
        upper, lower = (inverse_scale * (end - predictor) for end in ends)
        value, first, second = interval_slopes(self.link, upper, lower)
        return float(value.sum()), -inverse_scale * first, inverse_scale**2 * second


def _square(effects: Effects) -> float:
    return float(np.vdot(effects[0], effects[0]) + np.vdot(effects[1], effects[1]))
