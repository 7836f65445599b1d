"""Curvature in thresholds and fixed effects once random effects follow them, and how these move with them.

It leaves out what the determinant of Laplace's approximation adds, which is little: enough for first steps and to
foresee where random effects have their mode.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.ratings.mixed_models.laplace_likelihood import Effects, LaplaceLikelihood, LaplaceMode
from layerstats.stats.ratings.mixed_models.link_derivatives import IntervalDerivatives, interval_derivatives


@dataclass(frozen=True, eq=False)
class JointCurvature:
    """What the joint likelihood of ratings and random effects says near a mode.

    Attributes
    ----------
    information
        (parameter, parameter) of the free threshold parameters and the fixed effects.
    moves
        For each of these, how far the mode of the standardised effects moves with it.
    """

    information: np.ndarray
    moves: tuple[Effects, ...]


def joint_curvature(likelihood: LaplaceLikelihood, parameters: np.ndarray, mode: LaplaceMode) -> JointCurvature:
    """Return the joint curvature at the mode of `parameters`."""
    inverse_scale = likelihood.inverse_scale(parameters)
    upper, lower = (inverse_scale * (end - mode.predictor) for end in likelihood.ends(parameters))
    row = interval_derivatives(likelihood.link, upper, lower)
    square = inverse_scale**2 * np.ones(len(likelihood.codes))
    above, below = square * row.upper_both, square * row.lower_both
    thresholds = likelihood.thresholds
    chain = thresholds.jacobian() @ thresholds.reported_jacobian(parameters[likelihood.spans[0]])
    fixed, count = likelihood.fixed, chain.shape[1]
    information = np.empty((count + fixed.shape[1],) * 2)
    information[:count, :count] = -chain.T @ _between_thresholds(likelihood, row, square) @ chain
    shared = _by_threshold(likelihood, above, below)
    across = np.column_stack([shared(fixed[:, place]) for place in range(fixed.shape[1])]) if fixed.size else None
    if across is not None:
        information[:count, count:] = chain.T @ across
        information[count:, :count] = information[:count, count:].T
        information[count:, count:] = fixed.T @ (mode.curvature.weights[:, None] * fixed)
    moves = []
    gained = []
    for place in range(count + fixed.shape[1]):
        if place < count:
            ends = np.r_[0.0, chain[:, place], 0.0]
            values = -(ends[likelihood.codes + 1] * above + ends[likelihood.codes] * below)
        else:
            values = -mode.curvature.weights * fixed[:, place - count]
        pulled = likelihood.pattern.collect(mode.curvature.scaled, values)
        moves.append(mode.curvature.solve(*pulled))
        gained.append(np.r_[pulled[0].ravel(), pulled[1]])
    if gained:
        moved = np.array([np.r_[blocks.ravel(), corner] for blocks, corner in moves])
        information -= np.array(gained) @ moved.T
    return JointCurvature((information + information.T) / 2, tuple(moves))


def _between_thresholds(likelihood: LaplaceLikelihood, row: IntervalDerivatives, square: np.ndarray) -> np.ndarray:
    """Return the second derivatives in the thresholds, (threshold, threshold)."""
    categories = len(likelihood.thresholds.categories)
    sums = [
        np.bincount(likelihood.codes, square * values, categories)
        for values in (row.upper_both - row.across, row.lower_both - row.across, row.across)
    ]
    found = np.diag(sums[0][:-1] + sums[1][1:])
    inner = np.arange(categories - 2)
    found[inner, inner + 1] = found[inner + 1, inner] = sums[2][1:-1]
    return found


def _by_threshold(likelihood: LaplaceLikelihood, above: np.ndarray, below: np.ndarray):
    """Return what sums the effect of a column beside each threshold, (threshold,)."""
    categories = len(likelihood.thresholds.categories)

    def total(column: np.ndarray) -> np.ndarray:
        ends = (np.bincount(likelihood.codes, values * column, categories) for values in (above, below))
        return next(ends)[:-1] + next(ends)[1:]

    return total
