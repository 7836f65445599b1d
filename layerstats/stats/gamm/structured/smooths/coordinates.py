"""Coordinates in which all penalties of a term are diagonal.

mgcv's coefficients are those of a basis; ours are along axes of its penalties. The fitted functions are the same, but
along axes a smoothing parameter may grow without bound and every determinant stays exact. The restricted likelihood
of two parameterisations differs by a constant, which is kept so that scores equal mgcv's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.bases.null_space import along_first_coordinates


@dataclass(frozen=True, eq=False)
class Coordinates:
    """A change of coordinates: mgcv's coefficients are ``transform @ coefficients``.

    Attributes
    ----------
    transform
        (mgcv's coefficient, coefficient)
    penalties
        Each (coefficient,): a diagonal.
    restricted_offset, full_offset
        What to add to log|K| - log|S|_+ to have it in mgcv's coefficients, for REML and ML.
    shear
        (unpenalised coefficient, penalised coefficient): in mgcv's coefficients, the directions orthogonal to the
        unpenalised ones are those along our penalised axes plus this. ML depends on them.
    """

    transform: np.ndarray
    penalties: tuple[np.ndarray, ...]
    restricted_offset: float
    full_offset: float
    shear: np.ndarray

    @property
    def penalised(self) -> np.ndarray:
        """(coefficient,) whether any penalty sees it."""
        return np.any(np.stack(self.penalties) > 0, axis=0)


def single_penalty(penalty: np.ndarray, null_dimension: int) -> Coordinates:
    """Return the eigenvectors of one penalty as coordinates; the unpenalised ones stand last."""
    values, vectors = np.linalg.eigh(penalty)
    values, vectors = values[::-1].copy(), vectors[:, ::-1].copy()
    rank = len(values) - null_dimension
    values[rank:] = 0.0
    if null_dimension > 1:
        vectors[:, rank:] = null_axes(penalty, vectors[:, rank:])
    return Coordinates(vectors, (values,), 0.0, 0.0, np.zeros((null_dimension, rank)))


def null_axes(penalty: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Return the axes of a null space that mgcv's eigenvectors are without rounding errors.

    Coordinates that the penalty does not see stand by themselves. See `along_first_coordinates` for the others.
    """
    unseen = np.eye(len(null))[:, np.abs(penalty).sum(axis=0) == 0]
    others = null - unseen @ (unseen.T @ null)
    left = np.linalg.svd(others, full_matrices=False)[0][:, : null.shape[1] - unseen.shape[1]]
    return np.hstack([along_first_coordinates(left), unseen])


def several_penalties(
    transform: np.ndarray, diagonals: tuple[np.ndarray, ...], originals: tuple[np.ndarray, ...]
) -> Coordinates:
    """Return coordinates for penalties that `transform` makes diagonal.

    Parameters
    ----------
    transform
        (mgcv's coefficient, coefficient), invertible.
    diagonals
        Each (coefficient,).
    originals
        The penalties in mgcv's coefficients.
    """
    total = np.sum(diagonals, axis=0)
    penalised = total > 0
    values, vectors = np.linalg.eigh(np.sum(originals, axis=0))
    rank = int(penalised.sum())
    orthogonal = vectors[:, len(values) - rank :]
    change = float(np.sum(np.log(values[len(values) - rank :])) - np.sum(np.log(total[penalised])))
    in_coordinates = np.linalg.solve(transform, orthogonal)
    along = in_coordinates[penalised]
    return Coordinates(
        transform=transform,
        penalties=diagonals,
        restricted_offset=-2 * float(np.linalg.slogdet(transform)[1]) - change,
        full_offset=2 * float(np.linalg.slogdet(along)[1]) - change,
        shear=np.linalg.solve(along.T, in_coordinates[~penalised].T).T,
    )
