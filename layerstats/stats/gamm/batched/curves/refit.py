"""Fit many replicates of one model at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from layerstats.stats.gamm.batched.curves.curve_criterion import (
    Estimates,
    best_log_scale,
    estimate,
    slopes,
    value,
)
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.curve_optima import minimise_replicates, starting_point
from layerstats.stats.gamm.batched.curves.reduction import without_rest
from layerstats.stats.gamm.batched.curves.row_refits import RowData, check_no_noise, fit_rows
from layerstats.stats.gamm.batched.curves.summaries import Summaries

Smoothing = Literal["refit", "held"]
SMOOTHING = ("refit", "held")


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
    row_edf1, token_variance
        Where tokens differ in their times: `edf1`, and (replicate,) the variance of tokens about their
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
    row_edf1: np.ndarray | None = None
    token_variance: np.ndarray | None = None

    @cached_property
    def edf(self) -> np.ndarray:
        """(replicate, column) effective degrees of freedom of the fixed columns."""
        inverse = np.diagonal(self.covariance, axis1=1, axis2=2) / self.scale[:, None]
        return 1 - inverse * self.penalised

    @cached_property
    def edf1(self) -> np.ndarray:
        """(replicate, column) what mgcv calls edf1."""
        if self.row_edf1 is not None:
            return self.row_edf1
        inverse = self.covariance / self.scale[:, None, None]
        kept = np.eye(inverse.shape[1]) - inverse * self.penalised[:, None, :]
        twice = (kept * kept.swapaxes(1, 2)).sum(axis=2)
        taken = inverse @ self.leverage @ inverse
        twice += np.diagonal(taken, axis1=1, axis2=2) * self.penalised
        return 2 * self.edf - twice


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
    start = starting_point(design) if held is None else held
    if noise is None:
        design, summaries = without_rest(design, summaries)
    if held is None:
        minima = minimise_replicates(design, summaries, start, noise)
        estimates = estimate(design, summaries, minima.log_smoothing, noise)
        refits = _refits(design, summaries, estimates, minima.log_scale, minima.converged, minima.iterations)
    else:
        estimates = estimate(design, summaries, np.tile(held, (replicates, 1)), noise)
        scale = best_log_scale(design, summaries, estimates)
        fixed = np.ones(replicates, dtype=bool), np.zeros(replicates, dtype=np.int64)
        refits = _refits(design, summaries, estimates, scale, *fixed)
    return replace(refits, design=whole)


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
            "scale": fit.edf.scale,
            "coefficients": fit.coefficients[own],
            "covariance": fit.edf.bayesian[own, own],
            "penalised": np.exp(smoothing[: len(design.penalties)]) @ design.penalties,
            "residual_freedom": fit.residual_freedom,
            "score": optimum.value,
            "gradient_norm": np.abs(optimum.derivatives.gradient).max(),
            "iterations": optimum.iterations,
            "converged": optimum.converged,
            "row_edf1": fit.edf.dense_edf1[own],
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
        residual_freedom=summaries.observations - kept.sum(axis=1) - found.random_edf.sum(axis=1),
        score=value(design, summaries, estimates, log_scale),
        gradient_norm=np.abs(found.gradient).max(axis=1),
        iterations=iterations,
        converged=converged,
    )
