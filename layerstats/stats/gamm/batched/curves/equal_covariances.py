"""Independent means, and the deviations from them, under the covariance of given smoothing parameters.

In units of the scale, a token's curve has covariance V = noise + sum_k G_k / lambda_k, and the mean curves of the cells
of a unit have V/n for cells of n tokens plus what all tokens of a cell, and all of a speaker, share. Means of one
covariance are one piece, whatever their labels: units with as many tokens in their cells; and where the model has no
speakers, a mean of n tokens, which counts n times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.random_levels import CELL, SPEAKER, TOKEN
from layerstats.stats.gamm.batched.curves.summaries import Summaries, UnitMeans
from layerstats.stats.gamm.batched.linear_algebra import cholesky, inverse


@dataclass(frozen=True, eq=False)
class Member:
    """Means of units that are alike, or the deviations within cells.

    Attributes
    ----------
    number
        (replicate,) how many there are.
    weight
        (replicate,) the same, each as often as it counts.
    square, total
        (replicate, cell * time, cell * time) and (replicate, cell * time), weighted sums of products and of means.
    fixed
        (cell * time, column); None for deviations, as `total` and `counts`.
    counts
        (replicate, cell) tokens of each cell, or one where `weight` has them.
    """

    number: np.ndarray
    weight: np.ndarray
    square: np.ndarray
    total: np.ndarray | None = None
    fixed: np.ndarray | None = None
    counts: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Member:
        """Return some replicates."""
        total, counts = (None if one is None else one[rows] for one in (self.total, self.counts))
        return Member(self.number[rows], self.weight[rows], self.square[rows], total, self.fixed, counts)


@dataclass(frozen=True, eq=False)
class EqualCovariance:
    """Means, or deviations, of one covariance.

    Attributes
    ----------
    precision
        (replicate, cell * time, cell * time) Q, the inverse of the covariance.
    loadings, variances
        (cell * time, curve) and (replicate, component, curve): the covariance that a random penalty adds, L diag(v) L',
        which is also its derivative in minus the log smoothing parameter.
    members
        The means, and the deviations, that have this covariance.
    """

    precision: np.ndarray
    loadings: np.ndarray
    variances: np.ndarray
    members: tuple[Member, ...]

    @property
    def number(self) -> np.ndarray:
        """(replicate,) how many there are."""
        return np.sum([member.number for member in self.members], axis=0)

    @property
    def used(self) -> list[np.ndarray]:
        """(component,) the curves of each random penalty."""
        return [np.flatnonzero(one) for one in np.asarray(np.any(self.variances > 0, axis=0))]

    def take(self, rows: np.ndarray) -> EqualCovariance:
        """Return some replicates."""
        members = tuple(member.take(rows) for member in self.members)
        return EqualCovariance(self.precision[rows], self.loadings, self.variances[rows], members)


def equal_covariances(
    design: CurveDesign, summaries: Summaries, noise: np.ndarray, variance: np.ndarray
) -> tuple[tuple[EqualCovariance, ...], np.ndarray]:
    """Return the pieces, deviations first, and the sum of the log determinants of their covariances, (replicate,).

    Parameters
    ----------
    design, summaries
        The model and its data.
    noise
        (replicate, time, time)
    variance
        (replicate, component, curve)
    """
    of_tokens = variance * (np.array(design.levels) == TOKEN)[:, None]
    precision, log_token = inverse_of(noise + _covariance(design.curves, of_tokens))
    deviations = Member(summaries.within_df, summaries.within_df, summaries.within)
    if not design.has_speakers:
        means = [_counted(_member(design, one)) for one in summaries.unit_means]
        piece = EqualCovariance(precision, design.curves, of_tokens, (deviations, *means))
        return (piece,), piece.number * log_token
    pieces = [EqualCovariance(precision, design.curves, of_tokens, (deviations,))]
    determinant = summaries.within_df * log_token
    for unit_means in _alike(summaries.unit_means):
        counts = unit_means[0].counts
        precision, log_unit, loadings, weights = _unit(design, counts, noise, variance)
        pieces.append(
            EqualCovariance(precision, loadings, weights, tuple(_member(design, means) for means in unit_means))
        )
        cells = np.log(counts).sum(axis=1) * design.points
        determinant = determinant + pieces[-1].number * (log_unit + cells)
    return tuple(pieces), determinant


def _member(design: CurveDesign, means: UnitMeans) -> Member:
    fixed = design.columns[list(means.labels)].reshape(-1, design.columns.shape[2])
    return Member(means.units, means.units, means.square, means.total, fixed, means.counts)


def _counted(member: Member) -> Member:
    """Return means of n tokens as what counts n times."""
    counts = np.ones((len(member.number), 1)) if member.counts is None else member.counts
    times = counts[:, 0]
    return replace(
        member,
        weight=member.number * times,
        square=member.square * times[:, None, None],
        total=None if member.total is None else member.total * times[:, None],
        counts=np.ones_like(counts),
    )


def _alike(unit_means: tuple[UnitMeans, ...]) -> list[list[UnitMeans]]:
    """Return means with the same numbers of tokens beside each other."""
    groups: list[list[UnitMeans]] = []
    for means in unit_means:
        same = (group for group in groups if np.array_equal(group[0].counts, means.counts))
        group = next(same, None)
        if group is None:
            groups.append([means])
        else:
            group.append(means)
    return groups


def _covariance(loadings: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Return what all random penalties together add, (replicate, row, row)."""
    return (loadings * variances.sum(axis=1)[:, None]) @ loadings.T


def _unit(
    design: CurveDesign, counts: np.ndarray, noise: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return precision and log determinant of a unit's means, and the loadings and variances of its random curves."""
    cells = counts.shape[1]
    share, levels = 1 / counts, np.array(design.levels)
    # Curves of each cell, and those that all cells of a unit have in common.
    of_cell = np.where(levels == TOKEN, share[:, :, None], levels == CELL).swapaxes(1, 2)
    own = (variance[:, :, None] * of_cell[..., None]).reshape(*variance.shape[:2], -1)
    common = variance * (levels == SPEAKER)[:, None]
    if cells == 1:
        loadings, weights = design.curves, own + common
    elif SPEAKER in design.levels:
        loadings = np.hstack([np.kron(np.eye(cells), design.curves), np.tile(design.curves, (cells, 1))])
        weights = np.concatenate([own, common], axis=2)
    else:
        loadings, weights = np.kron(np.eye(cells), design.curves), own
    covariance = _covariance(loadings, weights)
    for cell in range(cells):
        place = slice(cell * design.points, (cell + 1) * design.points)
        covariance[:, place, place] += noise * share[:, cell, None, None]
    return *inverse_of(covariance), loadings, weights


def inverse_of(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return inverse and log determinant of matrices, (replicate, row, row); NaN where not positive definite."""
    diagonal = np.diagonal(matrix, axis1=1, axis2=2)
    scale = 1 / np.sqrt(diagonal)
    scaled = matrix * scale[:, :, None] * scale[:, None, :]
    factor = cholesky(scaled)
    log_determinant = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1) - 2 * np.log(scale).sum(axis=1)
    return inverse(scaled, factor) * scale[:, :, None] * scale[:, None, :], log_determinant
