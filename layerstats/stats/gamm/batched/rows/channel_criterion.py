"""Minus the log restricted likelihood of a block of channels, with gradient and Hessian; see `structured.criterion`."""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.batched.linear_algebra import exp, log
from layerstats.stats.gamm.batched.rows.channel_solution import Solutions, diagonal
from layerstats.stats.gamm.restricted_likelihood import Derivatives, LikelihoodParts, minus_log_likelihood
from layerstats.stats.gamm.restricted_likelihood import derivatives as likelihood_derivatives


def criterion(solutions: Solutions, log_scale: np.ndarray) -> np.ndarray:
    """Return the criterion of each channel, (channel,)."""
    shared = solutions.shared
    determinants = solutions.log_determinant - _penalty_determinant(solutions)
    scale = exp(log_scale)
    square = solutions.penalised_square
    return shared.design.constant + minus_log_likelihood(
        square, scale, log_scale, shared.rows_less_unpenalised, determinants
    )


def best_log_scale(solutions: Solutions) -> np.ndarray:
    """Return the log scale that minimises the criterion at given smoothing parameters, (channel,)."""
    return log(solutions.penalised_square / solutions.shared.rows_less_unpenalised)


def derivatives(solutions: Solutions, log_scale: np.ndarray) -> Derivatives:
    """Return gradient and Hessian in the log smoothing parameters and the log scale."""
    shared = solutions.shared
    fit, fit_cross = fit_terms(solutions)
    trace, trace_cross = _determinant_terms(solutions)
    penalty_gradient, penalty_hessian = _penalty_derivatives(solutions)
    scale = exp(log_scale)
    own = diagonal(trace + fit / scale[:, None])
    second = own - trace_cross - 2 * fit_cross / scale[:, None, None] - penalty_hessian
    parts = LikelihoodParts(fit, trace - penalty_gradient, second)
    return likelihood_derivatives(parts, solutions.penalised_square, scale, shared.rows_less_unpenalised)


def penalised_directions(solutions: Solutions) -> np.ndarray:
    """Return the dense part of each penalty's product with the coefficients, (channel, penalty, column)."""
    shared = solutions.shared
    count = solutions.smoothing.shape[1]
    directions = np.zeros((len(solutions.smoothing), count, solutions.inverse.shape[-1]))
    directions[:, : shared.dense_count] = solutions.dense_penalties * solutions.coefficients[:, None]
    pieces = zip(shared.clusters, solutions.elimination, solutions.own_fit, solutions.eliminated_fit, strict=True)
    for cluster, weights, own, eliminated in pieces:
        flat = weights.reshape(weights.shape[0], -1, weights.shape[-1])
        level = (own - eliminated)[:, None] * solutions.block_penalties[:, :, None, :]
        place = np.arange(shared.dense_count, count)[:, None]
        # Advanced indices side by side: (channel, penalty, column of the cluster).
        directions[:, place, cluster.columns[None, :]] -= level.reshape(level.shape[0], level.shape[1], -1) @ flat
    return directions


def fit_terms(solutions: Solutions) -> tuple[np.ndarray, np.ndarray]:
    """Return b'S_j b, (channel, penalty), and b'S_i K^-1 S_j b, (channel, penalty, penalty)."""
    first = solutions.shared.dense_count
    square = solutions.block_square
    fit = np.zeros(solutions.smoothing.shape)
    fit[:, :first] = (solutions.dense_penalties * (solutions.coefficients**2)[:, None]).sum(-1)
    places = np.arange(square.shape[-1])
    fit[:, first:] = (solutions.block_penalties * square[..., places, places].sum(1)[:, None]).sum(-1)
    directions = penalised_directions(solutions)
    cross = directions @ solutions.inverse @ directions.swapaxes(-1, -2)
    middle = (solutions.block_inverse * square).sum(1)
    cross[:, first:, first:] += solutions.block_penalties @ middle @ solutions.block_penalties.swapaxes(-1, -2)
    return fit, cross


def _determinant_terms(solutions: Solutions) -> tuple[np.ndarray, np.ndarray]:
    """Return tr(K^-1 S_j), (channel, penalty), and tr(K^-1 S_i K^-1 S_j), (channel, penalty, penalty)."""
    shared, first = solutions.shared, solutions.shared.dense_count
    inverse, dense, block = solutions.inverse, solutions.dense_penalties, solutions.block_penalties
    count = shared.block_count[:, None, None]
    penalties = solutions.smoothing.shape[1]
    trace = np.zeros((len(inverse), penalties))
    cross = np.zeros((len(inverse), penalties, penalties))
    columns, functions = np.arange(inverse.shape[-1]), np.arange(block.shape[-1])
    trace[:, :first] = (dense * inverse[:, columns, columns][:, None]).sum(-1)
    cross[:, :first, :first] = dense @ inverse**2 @ dense.swapaxes(-1, -2)
    spread = solutions.spread(inverse)
    variance = count * solutions.block_inverse + spread
    trace[:, first:] = (block * variance[..., functions, functions].sum(1)[:, None]).sum(-1)
    middle = (solutions.block_inverse * (variance + spread)).sum(1)
    cross[:, first:, first:] = block @ middle @ block.swapaxes(-1, -2)
    gathered = [inverse @ solutions.gather(block[:, number]) for number in range(block.shape[1])]
    for number, matrix in enumerate(gathered):
        mixed = (dense * (matrix * inverse).sum(-1)[:, None]).sum(-1)
        cross[:, first + number, :first] = mixed
        cross[:, :first, first + number] = mixed
        for other in range(number + 1):
            both = (matrix * gathered[other].swapaxes(-1, -2)).sum(-1).sum(-1)
            cross[:, first + number, first + other] += both
            if other != number:
                cross[:, first + other, first + number] += both
    return trace, cross


def _penalty_determinant(solutions: Solutions) -> np.ndarray:
    """Return the log determinant of the weighted penalties over the penalised coefficients, (channel,)."""
    shared = solutions.shared
    penalties = shared.design.penalties
    total = solutions.dense_penalties.sum(1)[:, np.flatnonzero(penalties.penalised)]
    return log(total).sum(-1) + penalties.levels * log(solutions.block_penalties.sum(1)).sum(-1)


def _penalty_derivatives(solutions: Solutions) -> tuple[np.ndarray, np.ndarray]:
    shared, first = solutions.shared, solutions.shared.dense_count
    penalties = shared.design.penalties
    used = np.flatnonzero(penalties.penalised)
    total = solutions.dense_penalties.sum(1)[:, used]
    shares = solutions.dense_penalties[:, :, used] / total[:, None]
    count = solutions.smoothing.shape[1]
    gradient = np.zeros((len(total), count))
    hessian = np.zeros((len(total), count, count))
    gradient[:, :first] = shares.sum(-1)
    hessian[:, :first, :first] = diagonal(shares.sum(-1)) - shares @ shares.swapaxes(-1, -2)
    # The penalties of a block do not overlap: each adds its rank for every level.
    gradient[:, first:] = penalties.levels * np.sum(penalties.block > 0, axis=1) * 1.0
    return gradient, hessian
