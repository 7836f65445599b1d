"""Minus the log restricted likelihood of a block of channels, with gradient and Hessian; see `structured.criterion`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.batched.backend import Array
from layerstats.stats.gamm.batched.rows.channel_solution import Solutions


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Gradient (channel, parameter) and Hessian (channel, parameter, parameter)."""

    gradient: Array
    hessian: Array


def criterion(solutions: Solutions, log_scale: Array) -> Array:
    """Return the criterion of each channel, (channel,)."""
    shared = solutions.shared
    backend, freedom = shared.backend, shared.freedom
    return shared.design.constant + 0.5 * (
        solutions.penalised_square * backend.exp(-log_scale)
        + freedom * (np.log(2 * np.pi) + log_scale)
        + solutions.log_determinant
        - _penalty_determinant(solutions)
    )


def best_log_scale(solutions: Solutions) -> Array:
    """Return the log scale that minimises the criterion at given smoothing parameters, (channel,)."""
    return solutions.shared.backend.log(solutions.penalised_square / solutions.shared.freedom)


def derivatives(solutions: Solutions, log_scale: Array) -> Derivatives:
    """Return gradient and Hessian in the log smoothing parameters and the log scale."""
    shared = solutions.shared
    fit, fit_cross = fit_terms(solutions)
    trace, trace_cross = _determinant_terms(solutions)
    penalty_gradient, penalty_hessian = _penalty_derivatives(solutions)
    scale = shared.backend.exp(log_scale)
    residual = solutions.penalised_square / scale
    count = fit.shape[1]
    gradient = shared.backend.zeros(len(fit), count + 1)
    gradient[:, :-1] = (fit / scale[:, None] + trace - penalty_gradient) / 2
    gradient[:, -1] = (shared.freedom - residual) / 2
    hessian = shared.backend.zeros(len(fit), count + 1, count + 1)
    own = shared.diagonal(trace + fit / scale[:, None])
    hessian[:, :-1, :-1] = (own - trace_cross - 2 * fit_cross / scale[:, None, None] - penalty_hessian) / 2
    hessian[:, -1, :-1] = -fit / (2 * scale[:, None])
    hessian[:, :-1, -1] = -fit / (2 * scale[:, None])
    hessian[:, -1, -1] = residual / 2
    return Derivatives(gradient, hessian)


def penalised_directions(solutions: Solutions) -> Array:
    """Return the dense part of each penalty's product with the coefficients, (channel, penalty, column)."""
    shared = solutions.shared
    count = solutions.smoothing.shape[1]
    directions = shared.backend.zeros(len(solutions.smoothing), count, solutions.inverse.shape[-1])
    directions[:, : shared.dense_count] = solutions.dense_penalties * solutions.coefficients[:, None]
    pieces = zip(shared.clusters, solutions.elimination, solutions.own_fit, solutions.eliminated_fit, strict=True)
    for cluster, weights, own, eliminated in pieces:
        flat = weights.reshape(weights.shape[0], -1, weights.shape[-1])
        level = (own - eliminated)[:, None] * solutions.block_penalties[:, :, None, :]
        place = np.arange(shared.dense_count, count)[:, None]
        # Advanced indices side by side: (channel, penalty, column of the cluster).
        directions[:, place, cluster.columns[None, :]] -= level.reshape(level.shape[0], level.shape[1], -1) @ flat
    return directions


def fit_terms(solutions: Solutions) -> tuple[Array, Array]:
    """Return b'S_j b, (channel, penalty), and b'S_i K^-1 S_j b, (channel, penalty, penalty)."""
    shared, first = solutions.shared, solutions.shared.dense_count
    square = solutions.block_square
    fit = shared.backend.zeros(*solutions.smoothing.shape)
    fit[:, :first] = (solutions.dense_penalties * (solutions.coefficients**2)[:, None]).sum(-1)
    places = np.arange(square.shape[-1])
    fit[:, first:] = (solutions.block_penalties * square[..., places, places].sum(1)[:, None]).sum(-1)
    directions = penalised_directions(solutions)
    cross = directions @ solutions.inverse @ directions.swapaxes(-1, -2)
    middle = (solutions.block_inverse * square).sum(1)
    cross[:, first:, first:] += solutions.block_penalties @ middle @ solutions.block_penalties.swapaxes(-1, -2)
    return fit, cross


def _determinant_terms(solutions: Solutions) -> tuple[Array, Array]:
    """Return tr(K^-1 S_j), (channel, penalty), and tr(K^-1 S_i K^-1 S_j), (channel, penalty, penalty)."""
    shared, first = solutions.shared, solutions.shared.dense_count
    inverse, dense, block = solutions.inverse, solutions.dense_penalties, solutions.block_penalties
    count = shared.block_count[:, None, None]
    penalties = solutions.smoothing.shape[1]
    trace = shared.backend.zeros(len(inverse), penalties)
    cross = shared.backend.zeros(len(inverse), penalties, penalties)
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


def _penalty_determinant(solutions: Solutions) -> Array:
    """Return the log determinant of the weighted penalties over the penalised coefficients, (channel,)."""
    shared = solutions.shared
    penalties, log = shared.design.penalties, shared.backend.log
    total = solutions.dense_penalties.sum(1)[:, np.flatnonzero(penalties.penalised)]
    return log(total).sum(-1) + penalties.levels * log(solutions.block_penalties.sum(1)).sum(-1)


def _penalty_derivatives(solutions: Solutions) -> tuple[Array, Array]:
    shared, first = solutions.shared, solutions.shared.dense_count
    penalties = shared.design.penalties
    used = np.flatnonzero(penalties.penalised)
    total = solutions.dense_penalties.sum(1)[:, used]
    shares = solutions.dense_penalties[:, :, used] / total[:, None]
    count = solutions.smoothing.shape[1]
    gradient = shared.backend.zeros(len(total), count)
    hessian = shared.backend.zeros(len(total), count, count)
    gradient[:, :first] = shares.sum(-1)
    hessian[:, :first, :first] = shared.diagonal(shares.sum(-1)) - shares @ shares.swapaxes(-1, -2)
    # The penalties of a block do not overlap: each adds its rank for every level.
    gradient[:, first:] = shared.backend.array(penalties.levels * np.sum(penalties.block > 0, axis=1) * 1.0)
    return gradient, hessian
