"""The restricted likelihood of many replicates at once, with gradient and Hessian.

In units of the scale phi, the mean curve of a cell of n tokens has covariance V/n plus those of its speaker, where
V = noise + sum_k G_k / lambda_k is the covariance of a token and G_k = L diag(g_k) L' that of the curves of a random
penalty, which all are combinations of the same few functions L. Whatever the
number of tokens, all matrices are of the size of a unit's time points. With Q the inverse of the
covariance of a unit's means m and X its fixed columns, the fixed coefficients solve H b = sum X'Qm,
H = sum X'QX + S, and

    V = (D / phi + (n - M) log(2 pi phi) + log|H| - log|S|_+ + sum log|covariance|) / 2,

which is the criterion of `layerstats.stats.gamm.restricted_likelihood` with the random coefficients integrated out
(Harville 1977, J. Am. Statist. Ass. 72). Derivatives are in the log smoothing parameters and, last, log phi.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.equal_covariances import EqualCovariance, equal_covariances, inverse_of
from layerstats.stats.gamm.batched.curves.summaries import Summaries
from layerstats.stats.gamm.batched.linear_algebra import log
from layerstats.stats.gamm.restricted_likelihood import LikelihoodParts, derivatives, minus_log_likelihood


@dataclass(frozen=True, eq=False)
class Estimates:
    """Replicates at given smoothing parameters.

    Attributes
    ----------
    log_smoothing
        (replicate, penalty) of the fixed smooths, then of the random components.
    pieces
        What they were computed from.
    coefficients
        (replicate, column)
    inverse
        (replicate, column, column) of H.
    penalised_square
        (replicate,) D.
    log_determinant
        (replicate,) all terms of the criterion that depend on smoothing parameters alone.
    """

    log_smoothing: np.ndarray
    pieces: tuple[EqualCovariance, ...]
    coefficients: np.ndarray
    inverse: np.ndarray
    penalised_square: np.ndarray
    log_determinant: np.ndarray

    def take(self, rows: np.ndarray) -> Estimates:
        """Return some replicates."""
        return Estimates(
            log_smoothing=self.log_smoothing[rows],
            pieces=tuple(piece.take(rows) for piece in self.pieces),
            coefficients=self.coefficients[rows],
            inverse=self.inverse[rows],
            penalised_square=self.penalised_square[rows],
            log_determinant=self.log_determinant[rows],
        )


@dataclass(frozen=True, eq=False)
class Slopes:
    """First and second derivatives, and what degrees of freedom are made of.

    Attributes
    ----------
    gradient, hessian
        (replicate, parameter) and (replicate, parameter, parameter).
    random_edf
        (replicate, component) effective degrees of freedom of each random penalty.
    leverage
        (replicate, column, column) what the random terms take of the information about the fixed columns.
    """

    gradient: np.ndarray
    hessian: np.ndarray
    random_edf: np.ndarray
    leverage: np.ndarray


def estimate(
    design: CurveDesign, summaries: Summaries, log_smoothing: np.ndarray, noise: np.ndarray | None = None
) -> Estimates:
    """Solve all replicates at their log smoothing parameters, (replicate, penalty).

    `noise` gives every replicate a correlation matrix of its own, (replicate, time, time).
    """
    replicates, fixed_count = len(log_smoothing), len(design.penalties)
    smoothing = np.exp(log_smoothing[:, :fixed_count])
    variance = np.exp(-log_smoothing[:, fixed_count:, None]) * design.weights
    noise = np.broadcast_to(design.noise if noise is None else noise, (replicates, design.points, design.points))
    pieces, determinant = equal_covariances(design, summaries, noise, variance)
    columns = design.columns.shape[2]
    penalty = (smoothing[:, :, None] * design.penalties).sum(axis=1)
    information = np.zeros((replicates, columns, columns))
    information[:, np.arange(columns), np.arange(columns)] = penalty
    response = np.zeros((replicates, columns))
    square = np.zeros(replicates)
    if summaries.rest is not None:
        information += summaries.rest.information
        response, square = response + summaries.rest.response, square + summaries.rest.square
        determinant = determinant + summaries.rest.log_determinant
    for piece in pieces:
        square = square + (piece.precision * sum(member.square for member in piece.members)).sum(axis=(1, 2))
        for member in piece.members:
            if member.fixed is None or member.total is None:
                continue
            weighted = piece.precision @ member.fixed
            information += member.weight[:, None, None] * (member.fixed.T @ weighted)
            response = response + (member.total[:, None] @ weighted)[:, 0]
    inverse, log_information = inverse_of(information)
    coefficients = (inverse @ response[:, :, None])[:, :, 0]
    # One step of refinement takes the error of the solution to that of the data.
    left = response - (information @ coefficients[:, :, None])[:, :, 0]
    coefficients = coefficients + (inverse @ left[:, :, None])[:, :, 0]
    log_penalty = np.log(penalty[:, design.penalised]).sum(axis=1)
    return Estimates(
        log_smoothing=log_smoothing,
        pieces=pieces,
        coefficients=coefficients,
        inverse=inverse,
        penalised_square=square - (coefficients * response).sum(axis=1),
        log_determinant=determinant + log_information - log_penalty,
    )


def value(design: CurveDesign, summaries: Summaries, estimates: Estimates, log_scale: np.ndarray) -> np.ndarray:
    """Return the criterion of each replicate; that of the structured engine."""
    rows, scale = rows_less_unpenalised(design, summaries), np.exp(log_scale)
    determinants = estimates.log_determinant
    return design.constant + minus_log_likelihood(estimates.penalised_square, scale, log_scale, rows, determinants)


def best_log_scale(design: CurveDesign, summaries: Summaries, estimates: Estimates) -> np.ndarray:
    """Return the log scale that minimises the criterion at given smoothing parameters, (replicate,)."""
    return log(estimates.penalised_square / rows_less_unpenalised(design, summaries))


def rows_less_unpenalised(design: CurveDesign, summaries: Summaries) -> np.ndarray:
    """Return the rows less the unpenalised columns, (replicate,)."""
    return summaries.observations - int(np.sum(~design.penalised))


def slopes(design: CurveDesign, summaries: Summaries, estimates: Estimates, log_scale: np.ndarray) -> Slopes:
    """Return the derivatives of `value` in log smoothing parameters and log scale."""
    scale = np.exp(log_scale)
    fixed, random = len(design.penalties), len(design.components)
    inverse, coefficients = estimates.inverse, estimates.coefficients
    replicates, columns = coefficients.shape
    trace, quadratic = np.zeros((replicates, random)), np.zeros((replicates, random))
    twice = np.zeros((replicates, random, random))
    information = np.zeros((replicates, random, columns, columns))
    pull = np.zeros((replicates, random, columns))
    for piece in estimates.pieces:
        _add_piece(piece, estimates, scale, trace, quadratic, twice, information, pull)
    weighted = np.exp(estimates.log_smoothing[:, :fixed, None]) * design.penalties
    penalised = weighted * coefficients[:, None]
    # Derivatives of the coefficients are minus the inverse times these rows.
    directions = np.concatenate([penalised, -pull], axis=1)
    through = directions @ inverse @ directions.swapaxes(1, 2)
    turned = (information.reshape(replicates, -1, columns) @ inverse).reshape(information.shape)
    diagonal = np.diagonal(inverse, axis1=1, axis2=2)
    square = np.concatenate([(penalised * coefficients[:, None]).sum(axis=2), quadratic], axis=1)
    random_edf = trace - np.trace(turned, axis1=2, axis2=3)
    determinant = np.concatenate([(weighted * diagonal[:, None]).sum(axis=2), -random_edf], axis=1)
    total = weighted.sum(axis=1)
    shares = weighted[:, :, design.penalised] / total[:, None, design.penalised]
    rank = np.concatenate([shares.sum(axis=2), np.zeros((replicates, random))], axis=1)
    count = fixed + random
    block = -2 * through / scale[:, None, None]
    block[:, :fixed, :fixed] -= weighted @ (inverse**2) @ weighted.swapaxes(1, 2)
    block[:, :fixed, :fixed] += shares @ shares.swapaxes(1, 2)
    mixed = (turned * inverse[:, None]).sum(axis=2) @ weighted.swapaxes(1, 2)
    block[:, fixed:, :fixed] -= mixed
    block[:, :fixed, fixed:] -= mixed.swapaxes(1, 2)
    flat = turned.reshape(replicates, random, columns**2)
    lost = turned.swapaxes(2, 3).reshape(replicates, random, columns**2)
    block[:, fixed:, fixed:] += twice - flat @ lost.swapaxes(1, 2)
    own = np.arange(fixed)
    block[:, own, own] += (square / scale[:, None] + determinant - rank)[:, :fixed]
    own = np.arange(fixed, count)
    # In minus the log of a variance, the first derivative is minus what is added here.
    block[:, own, own] -= (square / scale[:, None] + determinant)[:, fixed:]
    parts = LikelihoodParts(square, determinant - rank, block)
    found = derivatives(parts, estimates.penalised_square, scale, rows_less_unpenalised(design, summaries))
    return Slopes(found.gradient, found.hessian, random_edf, information.sum(axis=1))


def _add_piece(
    piece: EqualCovariance,
    estimates: Estimates,
    scale: np.ndarray,
    trace: np.ndarray,
    quadratic: np.ndarray,
    twice: np.ndarray,
    information: np.ndarray,
    pull: np.ndarray,
) -> None:
    """Add what one piece contributes to the derivatives in the random penalties."""
    number, loadings, variances = piece.number, piece.loadings, piece.variances
    through = piece.precision @ loadings
    turned = through.swapaxes(1, 2)
    own = turned @ loadings
    left = sum(member.square for member in piece.members)
    spread = 0.0
    for member in piece.members:
        if member.fixed is None or member.total is None:
            continue
        weight = member.weight[:, None]
        fitted = (member.fixed @ estimates.coefficients[:, :, None])[:, :, 0]
        cross = fitted[:, :, None] * (member.total - weight * fitted / 2)[:, None, :]
        left = left - cross - cross.swapaxes(1, 2)
        seen = turned @ member.fixed
        pulled = ((member.total - weight * fitted)[:, None] @ through) * variances
        pull += pulled @ seen
        # Only the curves that a penalty is of; most penalties are of a few.
        for component, used in enumerate(piece.used):
            part = seen[:, used]
            weighted = part * (weight * variances[:, component, used])[:, :, None]
            information[:, component] += part.swapaxes(1, 2) @ weighted
        spread = spread + weight[:, :, None] * (seen @ estimates.inverse @ seen.swapaxes(1, 2))
    residual = turned @ left @ through
    trace += number[:, None] * _products(variances, np.diagonal(own, axis1=1, axis2=2))
    quadratic += _products(variances, np.diagonal(residual, axis1=1, axis2=2))
    # D and log|H| enter second derivatives with the same products, twice; log|covariance| with minus one.
    both = residual / scale[:, None, None] + spread
    twice += variances @ (own * (2 * both - number[:, None, None] * own)) @ variances.swapaxes(1, 2)


def _products(variances: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    return (variances @ diagonal[:, :, None])[:, :, 0]
