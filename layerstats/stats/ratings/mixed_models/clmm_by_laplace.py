"""Fits by this package: the maximum of the Laplace likelihood, checked before it is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from layerstats.errors import FitError, UnsupportedModelError
from layerstats.stats.ratings.mixed_models.clmm_optimum import ClmmOptimum, find_optimum
from layerstats.stats.ratings.mixed_models.clmm_tables import ClmmEstimates, ClmmParts, join_modes, mode_rows
from layerstats.stats.ratings.mixed_models.laplace_likelihood import LaplaceLikelihood
from layerstats.stats.ratings.mixed_models.link_derivatives import quantile
from layerstats.stats.ratings.mixed_models.random_factors import RandomFactor
from layerstats.stats.ratings.mixed_models.separated_ratings import separation_message

# Effects of all random factors but the largest, whose curvature is one dense matrix.
_LARGEST_CORNER = 6000
# Standard errors, and standard deviations of random effects, in units of the link: beyond these they are infinite.
_UNCERTAIN = 5.0
_UNBOUNDED = 25.0
# Of eigenvalues where each parameter's own curvature is 1: what the data say nothing of.
_FLAT = 1e-9
# Of a parameter in a direction that the data say nothing of.
_INVOLVED = 1e-3


def fit_by_laplace(model: ClmmParts) -> ClmmEstimates:
    """Maximise the Laplace likelihood and take the maximum to parameters as they are reported.

    Raises
    ------
    FitError
        There is no maximum, or a term separates the ratings.
    UnsupportedModelError
        Crossed random factors are too large.
    """
    _check_size(model.factors)
    fixed, scale = (design.matrix(model.rows.frame) for design in (model.fixed_design, model.scale_design))
    # A year or a time stamp lies far from zero: columns about their means tell it from thresholds.
    centre = fixed.mean(axis=0)
    likelihood, units = _in_units(model, fixed - centre, scale)
    try:
        optimum = find_optimum(likelihood, _start(likelihood))
        free = optimum.parameters[likelihood.spans[0]]
        jacobian = np.diag(1 / units)
        jacobian[likelihood.spans[0], likelihood.spans[0]] = model.thresholds.reported_jacobian(free)
        reported = np.linalg.inv(jacobian)
        information = reported.T @ optimum.information @ reported
        covariance = _covariance(information, likelihood, model)
    except FitError as error:
        raise FitError(separation_message(model.rows.codes, fixed, model.fixed_design) or str(error)) from error
    values = optimum.parameters / units
    values[likelihood.spans[0]] = model.thresholds.reported(free)
    eigenvalues = np.linalg.eigvalsh(information)
    positive = eigenvalues[eigenvalues > _FLAT * eigenvalues[-1]]
    spread = np.sqrt(np.maximum(np.diag(reported @ covariance @ reported.T), 0))
    _check_bounded(model, fixed, likelihood, optimum, np.sqrt(np.diag(covariance)))
    moved = np.eye(len(values))
    # Of thresholds, or of the first one beside a spacing.
    moved[likelihood.spans[0], likelihood.spans[1]] = np.outer(model.thresholds.jacobian_of_shift(), centre)
    return ClmmEstimates(
        parameters=moved @ values,
        covariance=moved @ covariance @ moved.T,
        modes=_modes(model, likelihood, optimum),
        log_likelihood=optimum.mode.log_likelihood,
        approximation="Laplace" if model.factors else "none",
        max_gradient=float(np.abs(optimum.gradient * spread).max()),
        condition_number=float(positive[-1] / positive[0]),
        iterations=optimum.steps,
        engine="layerstats",
    )


def _in_units(model: ClmmParts, fixed: np.ndarray, scale: np.ndarray) -> tuple[LaplaceLikelihood, np.ndarray]:
    """Return the likelihood of columns whose largest value is 1, and what each parameter was multiplied by for that.

    Steps and their limits are then the same whether a column is in seconds or in milliseconds.
    """
    sizes = [_largest(fixed), _largest(scale), *(_largest(factor.columns) for factor in model.factors)]
    factors = [
        replace(factor, columns=factor.columns / size) for factor, size in zip(model.factors, sizes[2:], strict=True)
    ]
    codes, thresholds = model.rows.codes, model.thresholds
    likelihood = LaplaceLikelihood(codes, thresholds, fixed / sizes[0], scale / sizes[1], factors, model.link)
    roots = [size[factor.free[:, 0]] for factor, size in zip(factors, sizes[2:], strict=True)]
    return likelihood, np.concatenate([np.ones(thresholds.count), sizes[0], sizes[1], *roots])


def _largest(columns: np.ndarray) -> np.ndarray:
    largest = np.abs(columns).max(axis=0)
    return np.where(largest > 0, largest, 1.0)


def _check_size(factors: Sequence[RandomFactor]) -> None:
    """Raise `UnsupportedModelError` where all factors but the largest are too large for a dense matrix."""
    corner = sum(len(factor.levels) * factor.width for factor in factors[1:])
    if corner > _LARGEST_CORNER:
        names = ", ".join(f"{factor.name} ({len(factor.levels)} levels)" for factor in factors)
        raise UnsupportedModelError(
            f"Of crossed random factors all but the largest may have {_LARGEST_CORNER} effects together, but there are "
            f"{corner}: {names}."
        )


def _check_bounded(
    model: ClmmParts, fixed: np.ndarray, likelihood: LaplaceLikelihood, optimum: ClmmOptimum, errors: np.ndarray
) -> None:
    """Raise `FitError` where an estimate is on its way to infinity."""
    if np.any(fixed.std(axis=0) * errors[likelihood.spans[1]] > _UNCERTAIN):
        message = separation_message(likelihood.codes, fixed, model.fixed_design)
        if message is not None:
            raise FitError(message)
    for factor, root in zip(likelihood.factors, likelihood.roots(optimum.parameters), strict=True):
        largest = np.sqrt(np.mean((factor.columns @ root) ** 2, axis=0).sum())
        if largest > _UNBOUNDED:
            raise FitError(
                f"The standard deviation of {factor.name} grows without end ({largest:.3g}): each of its levels has "
                "ratings of one category, or nearly so. Leave the term out, or collect more ratings of a level."
            )


def _covariance(information: np.ndarray, likelihood: LaplaceLikelihood, model: ClmmParts) -> np.ndarray:
    """Return the inverse of the information, in which only the roots of random effects may be undetermined.

    They are where a standard deviation is zero and a correlation with it means nothing.
    """
    size = np.sqrt(np.maximum(np.diag(information), 1e-300))
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    flat = values < _FLAT
    others = likelihood.spans[2].stop
    weights = np.abs(vectors[:others, flat])
    if weights.size and weights.max() > _INVOLVED:
        worst = model.parameter_names[int(weights.max(axis=1).argmax())]
        raise FitError(
            f"The data do not determine {worst}: the curvature of the likelihood is singular there. Do terms depend on "
            "each other, or does one have almost no data?"
        )
    kept = vectors[:, ~flat]
    return (kept / values[~flat]) @ kept.T / np.outer(size, size)


def _start(likelihood: LaplaceLikelihood) -> np.ndarray:
    """Return thresholds of the shares of the categories, no effects, and random effects of some size."""
    thresholds = likelihood.thresholds
    counts = np.bincount(likelihood.codes, minlength=len(thresholds.categories))
    between = quantile(likelihood.link, np.cumsum(counts)[:-1] / counts.sum())
    if thresholds.kind == "equidistant":
        spacing = (between[-1] - between[0]) / max(len(between) - 1, 1)
        between = np.array([between.mean() - spacing * (len(between) - 1) / 2, spacing])
    start = np.zeros(likelihood.size)
    start[likelihood.spans[0]] = thresholds.free(between)
    for factor, span in zip(likelihood.factors, likelihood.spans[3:], strict=True):
        start[span] = factor.start()
    return start


def _modes(model: ClmmParts, likelihood: LaplaceLikelihood, optimum: ClmmOptimum) -> pd.DataFrame:
    """Return the conditional modes of random effects, with the standard deviation about them."""
    parts = []
    blocks, corner, _ = optimum.mode.curvature.covariances()
    start = 0
    by_level = likelihood.by_level(optimum.mode.effects)
    sizes = [_largest(factor.columns) for factor in model.factors]
    roots = likelihood.roots(optimum.parameters)
    for number, (factor, root, effects) in enumerate(zip(likelihood.factors, roots, by_level, strict=True)):
        count = len(factor.levels) * factor.width
        if number:
            own = corner[start : start + count, start : start + count]
            own = own.reshape(len(factor.levels), factor.width, len(factor.levels), factor.width)
            variances = own[np.arange(len(factor.levels)), :, np.arange(len(factor.levels)), :]
            start += count
        else:
            variances = blocks
        spread = np.einsum("ab,lbc,ac->la", root, variances, root)
        size = sizes[number]
        parts.append(mode_rows(factor, effects @ root.T / size, np.sqrt(spread) / size))
    return join_modes(parts)
