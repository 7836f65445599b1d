"""Smaller matrices for refits: the part of the curves that random terms reach, apart from what only noise reaches.

With R the Cholesky factor of a token's noise and R^-1 L = Q S the curves L of all random terms, every curve y becomes
Q' R^-1 y. Then noise is independent, and random terms move the first few coordinates alone, as many as there are
curves. The likelihood of the others holds no smoothing parameter of a random term, so that their part of all sums is
computed once. The rotation is exact; nothing is lost.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import solve_triangular

from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.summaries import Rest, Summaries, UnitMeans


def without_rest(design: CurveDesign, summaries: Summaries) -> tuple[CurveDesign, Summaries]:
    """Return design and data in the coordinates that random curves reach, with the sums of the others as `rest`.

    Parameters
    ----------
    design, summaries
        The model, with noise that is the same in all replicates, and data. Returned as they are where there are as many
        curves as time points, or none.
    """
    reached, points = design.curves.shape[1], design.points
    if not 0 < reached < points:
        return design, summaries
    factor = np.linalg.cholesky(design.noise)
    basis = np.linalg.qr(solve_triangular(factor, design.curves, lower=True), mode="complete").Q
    turn = solve_triangular(factor, basis, lower=True, trans=1).T
    columns = turn @ design.columns
    rest = _nothing(summaries, design.columns.shape[2])
    within = turn @ summaries.within @ turn.T
    log_noise = 2 * np.log(np.diagonal(factor)).sum()
    rest.square[:] = np.trace(within[:, reached:, reached:], axis1=1, axis2=2)
    rest.log_determinant[:] = log_noise * summaries.within_df
    unit_means = []
    for means in summaries.unit_means:
        unit_means.append(_turned(means, turn, columns[list(means.labels)], reached, rest))
        rest.log_determinant[:] += log_noise * len(means.labels) * means.units
    smaller = replace(
        design,
        columns=columns[:, :reached],
        components=tuple(replace(one, basis=turn[:reached] @ one.basis) for one in design.components),
        noise=np.eye(reached),
    )
    within = np.ascontiguousarray(within[:, :reached, :reached])
    return smaller, replace(summaries, unit_means=tuple(unit_means), within=within, rest=rest)


def _nothing(summaries: Summaries, columns: int) -> Rest:
    replicates = summaries.replicates
    return Rest(
        information=np.zeros((replicates, columns, columns)),
        response=np.zeros((replicates, columns)),
        square=np.zeros(replicates),
        log_determinant=np.zeros(replicates),
    )


def _turned(means: UnitMeans, turn: np.ndarray, columns: np.ndarray, reached: int, rest: Rest) -> UnitMeans:
    """Return means in the first coordinates, and add to `rest` what the others hold."""
    cells, points = len(means.labels), len(turn)
    replicates = len(means.units)
    total = means.total.reshape(replicates, cells, points) @ turn.T
    every = np.kron(np.eye(cells), turn)
    square = (every @ means.square @ every.T).reshape(replicates, cells, points, cells, points)
    for cell in range(cells):
        other = columns[cell, reached:]
        number = means.counts[:, cell]
        rest.square[:] += number * np.trace(square[:, cell, reached:, cell, reached:], axis1=1, axis2=2)
        rest.response[:] += number[:, None] * (total[:, cell, None, reached:] @ other)[:, 0]
        rest.information[:] += (number * means.units)[:, None, None] * (other.T @ other)
    size = cells * reached
    return replace(
        means,
        total=total[:, :, :reached].reshape(replicates, size),
        square=square[:, :, :reached, :, :reached].reshape(replicates, size, size),
    )
