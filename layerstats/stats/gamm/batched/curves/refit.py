"""Fit many replicates of one model at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from layerstats.stats.gamm.batched.curves.curve_criterion import (
    Estimates,
    estimate,
    restricted_freedom,
    slopes,
    value,
)
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.random_levels import CELL, SPEAKER
from layerstats.stats.gamm.batched.curves.reduction import without_rest
from layerstats.stats.gamm.batched.curves.row_refits import RowData, check_no_noise, fit_rows
from layerstats.stats.gamm.batched.curves.summaries import Summaries

Smoothing = Literal["refit", "held"]
SMOOTHING = ("refit", "held")
_LONGEST_STEP = 5.0
_MOST_SWEEPS = 300
_MOST_HALVINGS = 30
# Relative to the magnitude of the criterion, as in the structured engine.
_TOLERANCE = 1e-10
_ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class Refits:
    """Fitted replicates.

    Attributes
    ----------
    design
        The model.
    log_smoothing
        (replicate, penalty)
    scale
        (replicate,) residual variance.
    coefficients
        (replicate, column) of the fixed part, less the offset of the design.
    covariance
        (replicate, column, column) Bayesian.
    penalised
        (replicate, column) the weighted penalty of each column.
    leverage
        See `Slopes.leverage`.
    residual_freedom
        (replicate,) rows less effective degrees of freedom.
    score
        (replicate,) the criterion.
    row_freedom, token_variance
        Where tokens differ in their times: `alternative_freedom`, and (replicate,) the variance of tokens about their
        label's curve.
    gradient_norm, iterations, converged
        (replicate,) the largest element of the gradient, the steps that were taken, whether they arrived.
    """

    design: CurveDesign
    log_smoothing: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray
    covariance: np.ndarray
    penalised: np.ndarray
    leverage: np.ndarray
    residual_freedom: np.ndarray
    score: np.ndarray
    gradient_norm: np.ndarray
    iterations: np.ndarray
    converged: np.ndarray
    row_freedom: np.ndarray | None = None
    token_variance: np.ndarray | None = None

    @cached_property
    def freedom(self) -> np.ndarray:
        """(replicate, column) effective degrees of freedom of the fixed columns."""
        inverse = np.diagonal(self.covariance, axis1=1, axis2=2) / self.scale[:, None]
        return 1 - inverse * self.penalised

    @cached_property
    def alternative_freedom(self) -> np.ndarray:
        """(replicate, column) what mgcv calls edf1."""
        if self.row_freedom is not None:
            return self.row_freedom
        inverse = self.covariance / self.scale[:, None, None]
        kept = np.eye(inverse.shape[1]) - inverse * self.penalised[:, None, :]
        twice = (kept * kept.swapaxes(1, 2)).sum(axis=2)
        taken = inverse @ self.leverage @ inverse
        twice += np.diagonal(taken, axis1=1, axis2=2) * self.penalised
        return 2 * self.freedom - twice


def refit(
    design: CurveDesign,
    summaries: Summaries | RowData,
    held: np.ndarray | None = None,
    noise: np.ndarray | None = None,
) -> Refits:
    """Fit replicates.

    Parameters
    ----------
    design, summaries
        The model and the data of each replicate.
    held
        (penalty,) log smoothing parameters to hold: then only coefficients and scale are estimated, which takes a tenth
        of the time. None estimates them by REML, from the start of the structured engine: the criterion can have two
        minima, and from the estimates of other data one may end in the other.
    noise
        (replicate, time, time) where replicates differ in their AR(1) parameter.
    """
    if isinstance(summaries, RowData):
        return _refit_rows(summaries, held, noise)
    whole, replicates = design, summaries.replicates
    point = np.tile(starting_point(design) if held is None else held, (replicates, 1))
    if noise is None:
        design, summaries = without_rest(design, summaries)
    estimates = estimate(design, summaries, point, noise)
    scale = np.log(estimates.penalised_square / restricted_freedom(design, summaries))
    converged, iterations = np.ones(replicates, dtype=bool), np.zeros(replicates, dtype=np.int64)
    if held is None:
        point, scale, converged, iterations = _minimise(design, summaries, point, scale, noise)
        estimates = estimate(design, summaries, point, noise)
    return replace(_refits(design, summaries, estimates, scale, converged, iterations), design=whole)


def _refit_rows(data: RowData, held: np.ndarray | None, noise: np.ndarray | None) -> Refits:
    check_no_noise(noise)
    design = data.design
    own = slice(0, len(design.names))
    found: dict[str, list] = {}
    for number in range(data.replicates):
        row = fit_rows(data, number, held)
        fit, optimum = row.fit, row.fit.optimum
        smoothing = row.log_smoothing
        numbers = {
            "log_smoothing": smoothing,
            "scale": fit.freedom.scale,
            "coefficients": fit.coefficients[own],
            "covariance": fit.freedom.bayesian[own, own],
            "penalised": np.exp(smoothing[: len(design.penalties)]) @ design.penalties,
            "residual_freedom": fit.residual_freedom,
            "score": optimum.value,
            "gradient_norm": np.abs(optimum.derivatives.gradient).max(),
            "iterations": optimum.iterations,
            "converged": optimum.converged,
            "row_freedom": fit.freedom.dense_alternative[own],
            "token_variance": row.token_variance(),
        }
        for name, value_of in numbers.items():
            found.setdefault(name, []).append(value_of)
    return Refits(design=design, leverage=np.zeros(0), **{name: np.array(one) for name, one in found.items()})


def _refits(
    design: CurveDesign,
    summaries: Summaries,
    estimates: Estimates,
    log_scale: np.ndarray,
    converged: np.ndarray,
    iterations: np.ndarray,
) -> Refits:
    found = slopes(design, summaries, estimates, log_scale)
    fixed = len(design.penalties)
    penalised = (np.exp(estimates.log_smoothing[:, :fixed, None]) * design.penalties).sum(axis=1)
    inverse, scale = estimates.inverse, np.exp(log_scale)
    kept = 1 - np.diagonal(inverse, axis1=1, axis2=2) * penalised
    return Refits(
        design=design,
        log_smoothing=estimates.log_smoothing,
        scale=scale,
        coefficients=estimates.coefficients,
        covariance=inverse * scale[:, None, None],
        penalised=penalised,
        leverage=found.leverage,
        residual_freedom=summaries.observations - kept.sum(axis=1) - found.random_freedom.sum(axis=1),
        score=value(design, summaries, estimates, log_scale),
        gradient_norm=np.abs(found.gradient).max(axis=1),
        iterations=iterations,
        converged=converged,
    )


def _minimise(
    design: CurveDesign, summaries: Summaries, point: np.ndarray, scale: np.ndarray, noise: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Newton's method in all replicates side by side; each goes its own way, whatever the others do."""
    place = np.column_stack([point, scale])
    step = np.zeros_like(place)
    current, slope = np.full(len(place), np.inf), np.full(len(place), np.inf)
    halvings, iterations = np.zeros(len(place), dtype=int), np.full(len(place), -1)
    converged, lost = np.zeros((2, len(place)), dtype=bool)
    active = np.arange(len(place))
    for _ in range(_MOST_SWEEPS):
        data = summaries.take(active)
        candidate = place[active] + step[active]
        estimates = estimate(design, data, candidate[:, :-1], None if noise is None else noise[active])
        new = value(design, data, estimates, candidate[:, -1])
        # A step within rounding errors of the criterion is still a step of Newton's method towards a zero gradient.
        lower = ~(new > current[active] + _ROUNDING * (1 + np.abs(new)))
        step[active[~lower]] /= 2
        halvings[active[~lower]] += 1
        halvings[active[~lower & lost[active]]] = _MOST_HALVINGS
        moved = active[lower]
        if len(moved):
            iterations[moved] += 1
            place[moved], current[moved], halvings[moved] = candidate[lower], new[lower], 0
            found = slopes(design, data.take(lower), estimates.take(lower), place[moved, -1])
            tolerance = _TOLERANCE * (1 + np.abs(current[moved]))
            size = np.abs(found.gradient).max(axis=1)
            # What is left where rounding errors end the descent is far below what changes a result.
            converged[moved] = size < 1e-5 * (1 + np.abs(current[moved]))
            # Where the gain of the next step is lost in them, only the gradient can tell whether the last led on.
            ended = lost[moved] & (size > slope[moved] / 2)
            step[moved] = _steps(found.gradient, found.hessian, tolerance)
            lost[moved] = -(found.gradient * step[moved]).sum(axis=1) < _ROUNDING * (1 + np.abs(current[moved]))
            slope[moved] = size
            halvings[moved[ended | (size < tolerance)]] = _MOST_HALVINGS
        active = active[halvings[active] < _MOST_HALVINGS]
        if not len(active):
            break
    return place[:, :-1], place[:, -1], converged, iterations


def _steps(gradient: np.ndarray, hessian: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """Return Newton steps with absolute eigenvalues, zero in flat directions, of limited length."""
    diagonal = np.diagonal(hessian, axis1=1, axis2=2)
    used = (np.abs(gradient) > tolerance[:, None]) | (np.abs(diagonal) > tolerance[:, None])
    both = used[:, :, None] & used[:, None, :]
    values, vectors = np.linalg.eigh(np.where(both, hessian, 0.0))
    size = np.abs(values)
    size = np.maximum(size, size.max(axis=1, keepdims=True) * 1e-12)
    masked = np.where(used, gradient, 0.0)
    along = (vectors.swapaxes(1, 2) @ masked[:, :, None])[:, :, 0]
    step = np.where(used, -(vectors @ (along / size)[:, :, None])[:, :, 0], 0.0)
    longest = np.abs(step).max(axis=1, keepdims=True)
    return step * np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-300))


def starting_point(design: CurveDesign) -> np.ndarray:
    """Return log smoothing parameters that weigh penalties about as much as data, (penalty,)."""
    counts = np.bincount(design.label_of, minlength=len(design.labels))
    pieces = zip(counts, design.columns, strict=True)
    gram = np.sum([n * part.T @ np.linalg.solve(design.noise, part) for n, part in pieces], axis=0)
    information = np.diag(gram)
    fixed = [information[diagonal > 0].mean() / diagonal[diagonal > 0].mean() for diagonal in design.penalties]
    cells = design.speaker_of * len(design.labels) + design.label_of
    levels = {SPEAKER: len(np.unique(design.speaker_of)), CELL: len(np.unique(cells))}
    random = []
    for part in design.components:
        tokens = len(cells) / levels.get(part.level, len(cells))
        random.append(tokens * float(np.trace(np.linalg.solve(design.noise, part.covariance))) / part.rank)
    return np.log(np.maximum(np.array([*fixed, *random]), 1e-10))


__all__ = ["SMOOTHING", "Refits", "Smoothing", "refit", "starting_point"]
