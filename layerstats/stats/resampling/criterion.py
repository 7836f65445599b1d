"""The restricted likelihood of many replicates at once, with gradient and Hessian.

In units of the scale phi, the mean curve of a cell of n tokens has covariance V/n plus those of its speaker, where
V = noise + sum_k G_k / lambda_k is the covariance of a token and G_k = L diag(g_k) L' that of the curves of a random
penalty, which all are combinations of the same few functions L. Whatever the
number of tokens, all matrices are of the size of a unit's time points. With Q the inverse of the
covariance of a unit's means m and X its fixed columns, the fixed coefficients solve H b = sum X'Qm,
H = sum X'QX + S, and

    V = (D / phi + (n - M) log(2 pi phi) + log|H| - log|S|_+ + sum log|covariance|) / 2,

which is the criterion of `layerstats.stats.gamm.structured.criterion` with the random coefficients integrated out
(Harville 1977, J. Am. Statist. Ass. 72). Derivatives are in the log smoothing parameters and, last, log phi.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.resampling.design import CELL, SPEAKER, TOKEN, CurveDesign
from layerstats.stats.resampling.summaries import Pattern, Summaries


@dataclass(frozen=True, eq=False)
class Piece:
    """Independent means of one pattern, or the deviations within cells, at given smoothing parameters.

    Attributes
    ----------
    fixed
        (cell * time, column), zero for deviations.
    number
        (replicate,) how many there are.
    precision
        (replicate, cell * time, cell * time) Q.
    loadings, variances
        (cell * time, curve) and (replicate, component, curve): the covariance that a random penalty adds, L diag(v) L',
        which is also its derivative in minus the log smoothing parameter.
    total, square
        Sums of the means and of their products.
    """

    fixed: np.ndarray
    number: np.ndarray
    precision: np.ndarray
    loadings: np.ndarray
    variances: np.ndarray
    total: np.ndarray
    square: np.ndarray

    def take(self, rows: np.ndarray) -> Piece:
        """Return some replicates."""
        return Piece(
            self.fixed,
            self.number[rows],
            self.precision[rows],
            self.loadings,
            self.variances[rows],
            self.total[rows],
            self.square[rows],
        )


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
    pieces: tuple[Piece, ...]
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
    random_freedom
        (replicate, component) effective degrees of freedom of each random penalty.
    leverage
        (replicate, column, column) what the random terms take of the information about the fixed columns.
    """

    gradient: np.ndarray
    hessian: np.ndarray
    random_freedom: np.ndarray
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
    of_tokens = variance * (np.array(design.levels) == TOKEN)[:, None]
    precision, log_token = _inverse(noise + _covariance(design.curves, of_tokens))
    columns = design.columns.shape[2]
    empty = np.zeros((design.points, columns))
    nothing = np.zeros((replicates, design.points))
    within = summaries.within
    pieces = [Piece(empty, summaries.within_freedom, precision, design.curves, of_tokens, nothing, within)]
    determinant = summaries.within_freedom * log_token
    for pattern in summaries.patterns:
        piece, log_unit = _unit(design, pattern, noise, variance)
        pieces.append(piece)
        cells = np.log(pattern.counts).sum(axis=1) * design.points
        determinant = determinant + pattern.units * (log_unit + cells)
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
        square = square + (piece.precision * piece.square).sum(axis=(1, 2))
        if piece.fixed.any():
            weighted = piece.precision @ piece.fixed
            information = information + piece.number[:, None, None] * (piece.fixed.T @ weighted)
            response = response + (piece.total[:, None] @ weighted)[:, 0]
    inverse, log_information = _inverse(information)
    coefficients = (inverse @ response[:, :, None])[:, :, 0]
    # One step of refinement takes the error of the solution to that of the data.
    left = response - (information @ coefficients[:, :, None])[:, :, 0]
    coefficients = coefficients + (inverse @ left[:, :, None])[:, :, 0]
    log_penalty = np.log(penalty[:, design.penalised]).sum(axis=1)
    return Estimates(
        log_smoothing=log_smoothing,
        pieces=tuple(pieces),
        coefficients=coefficients,
        inverse=inverse,
        penalised_square=square - (coefficients * response).sum(axis=1),
        log_determinant=determinant + log_information - log_penalty,
    )


def value(design: CurveDesign, summaries: Summaries, estimates: Estimates, log_scale: np.ndarray) -> np.ndarray:
    """Return the criterion of each replicate; that of the structured engine."""
    freedom = restricted_freedom(design, summaries)
    return design.constant + 0.5 * (
        estimates.penalised_square * np.exp(-log_scale)
        + freedom * (np.log(2 * np.pi) + log_scale)
        + estimates.log_determinant
    )


def restricted_freedom(design: CurveDesign, summaries: Summaries) -> np.ndarray:
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
    lost = inverse[:, None] @ information
    diagonal = np.diagonal(inverse, axis1=1, axis2=2)
    square = np.concatenate([(penalised * coefficients[:, None]).sum(axis=2), quadratic], axis=1)
    random_freedom = trace - np.trace(lost, axis1=2, axis2=3)
    determinant = np.concatenate([(weighted * diagonal[:, None]).sum(axis=2), -random_freedom], axis=1)
    total = weighted.sum(axis=1)
    shares = weighted[:, :, design.penalised] / total[:, None, design.penalised]
    rank = np.concatenate([shares.sum(axis=2), np.zeros((replicates, random))], axis=1)
    count = fixed + random
    size = count + 1
    gradient, hessian = np.empty((replicates, size)), np.zeros((replicates, size, size))
    residual = estimates.penalised_square / scale
    gradient[:, :count] = (square / scale[:, None] + determinant - rank) / 2
    gradient[:, count] = (restricted_freedom(design, summaries) - residual) / 2
    block = -2 * through / scale[:, None, None]
    block[:, :fixed, :fixed] -= weighted @ (inverse**2) @ weighted.swapaxes(1, 2)
    block[:, :fixed, :fixed] += shares @ shares.swapaxes(1, 2)
    mixed = (lost * inverse[:, None]).sum(axis=3) @ weighted.swapaxes(1, 2)
    block[:, fixed:, :fixed] -= mixed
    block[:, :fixed, fixed:] -= mixed.swapaxes(1, 2)
    flat = lost.reshape(replicates, random, columns**2)
    turned = lost.swapaxes(2, 3).reshape(replicates, random, columns**2)
    block[:, fixed:, fixed:] += twice - flat @ turned.swapaxes(1, 2)
    own = np.arange(fixed)
    block[:, own, own] += (square / scale[:, None] + determinant - rank)[:, :fixed]
    own = np.arange(fixed, count)
    # In minus the log of a variance, the first derivative is minus what is added here.
    block[:, own, own] -= (square / scale[:, None] + determinant)[:, fixed:]
    hessian[:, :count, :count] = block / 2
    hessian[:, count, :count] = hessian[:, :count, count] = -square / (2 * scale[:, None])
    hessian[:, count, count] = residual / 2
    return Slopes(gradient, hessian, random_freedom, information.sum(axis=1))


def _add_piece(
    piece: Piece,
    estimates: Estimates,
    scale: np.ndarray,
    trace: np.ndarray,
    quadratic: np.ndarray,
    twice: np.ndarray,
    information: np.ndarray,
    pull: np.ndarray,
) -> None:
    """Add what one piece contributes to the derivatives in the random penalties."""
    number, loadings, variances = piece.number[:, None, None], piece.loadings, piece.variances
    left = piece.square
    through = piece.precision @ loadings
    spread = None
    if piece.fixed.any():
        fitted = (piece.fixed @ estimates.coefficients[:, :, None])[:, :, 0]
        cross = fitted[:, :, None] * piece.total[:, None, :]
        left = left - cross - cross.swapaxes(1, 2) + number * fitted[:, :, None] * fitted[:, None, :]
        seen = piece.fixed.T @ through
        rest = piece.total - piece.number[:, None] * fitted
        pulled = (rest[:, None] @ through)[:, 0]
        weighted = seen[:, None] * variances[:, :, None]
        information += number[:, None] * (weighted @ seen.swapaxes(1, 2)[:, None])
        pull += (weighted @ pulled[:, None, :, None])[..., 0]
        spread = number * (seen.swapaxes(1, 2) @ estimates.inverse @ seen)
    own = loadings.T @ through
    residual = through.swapaxes(1, 2) @ left @ through
    trace += piece.number[:, None] * _products(variances, np.diagonal(own, axis1=1, axis2=2))
    quadratic += _products(variances, np.diagonal(residual, axis1=1, axis2=2))
    # D and log|H| enter second derivatives with the same products, twice; log|covariance| with minus one.
    both = residual / scale[:, None, None]
    both = both if spread is None else both + spread
    twice += variances @ (own * (2 * both - number * own)) @ variances.swapaxes(1, 2)


def _products(variances: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    return (variances @ diagonal[:, :, None])[:, :, 0]


def _covariance(loadings: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Return what all random penalties together add, (replicate, row, row)."""
    return (loadings * variances.sum(axis=1)[:, None]) @ loadings.T


def _unit(design: CurveDesign, pattern: Pattern, noise: np.ndarray, variance: np.ndarray) -> tuple[Piece, np.ndarray]:
    """Return a pattern at given variances, and the log determinant of a unit's covariance."""
    cells, size = len(pattern.labels), len(pattern.labels) * design.points
    share, levels = 1 / pattern.counts, np.array(design.levels)
    # Curves of each cell, and those that all cells of a unit have in common.
    of_cell = np.where(levels == TOKEN, share[:, :, None], levels == CELL).swapaxes(1, 2)
    loadings = [np.kron(np.eye(cells), design.curves), np.tile(design.curves, (cells, 1))]
    own = (variance[:, :, None] * of_cell[..., None]).reshape(*variance.shape[:2], loadings[0].shape[1])
    common = variance * (levels == SPEAKER)[:, None]
    used = 2 if SPEAKER in design.levels else 1
    columns, weights = np.hstack(loadings[:used]), np.concatenate([own, common][:used], axis=2)
    covariance = _covariance(columns, weights)
    for cell in range(cells):
        place = slice(cell * design.points, (cell + 1) * design.points)
        covariance[:, place, place] += noise * share[:, cell, None, None]
    precision, log_determinant = _inverse(covariance)
    fixed = design.columns[list(pattern.labels)].reshape(size, -1)
    return Piece(fixed, pattern.units, precision, columns, weights, pattern.total, pattern.square), log_determinant


def _inverse(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return inverse and log determinant of positive definite matrices, (replicate, row, row)."""
    diagonal = np.diagonal(matrix, axis1=1, axis2=2)
    scale = 1 / np.sqrt(diagonal)
    scaled = matrix * scale[:, :, None] * scale[:, None, :]
    factor = np.linalg.cholesky(scaled)
    log_determinant = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1) - 2 * np.log(scale).sum(axis=1)
    return np.linalg.inv(scaled) * scale[:, :, None] * scale[:, None, :], log_determinant
