"""The test of a random term where the blocks hold nothing else and no other term is noise: by determinants alone.

With X all columns, G = X'X, S the penalties and K = G + S, the weights M of the statistic are then the inverse of the
block of K^-1 that belongs to the term (t), and the covariance V is that block of K^-1 G K^-1. For J = S + zG with
z = 1 - 2s and the other columns o, Jacobi's identity for minors gives

    det(I - 2sVM) = det J det (K J^-1 K)_oo / (det K det K_oo),
    (K J^-1 K)_oo = (zG_oo + (2z - 1) S_o + (1 - z)^2 S_o (J^-1)_oo S_o) / z^2.

J has the structure of K, so that its blocks are eliminated by themselves, and what is left has the size of the dense
corner. The blocks of J over those of K are the product of 1 - 2sd over the eigenvalues d of the blocks of VM; the
rest is the correction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.inference.spectrum import Spectrum
from layerstats.stats.gamm.structured.solution import Solution

# Of variances that are zero but for rounding errors: of a function in the data, and of a column given a random term.
UNSEEN, _SHARED = 1e-11, 1e-9
# Rows that are eliminated at once: of one matrix, and of many small ones.
_BLOCK, _SMALL_BLOCK = 48, 8


@dataclass(frozen=True, eq=False)
class BlockPencil:
    """The matrices S + zG of a model, with the blocks in the coordinates where G and S are diagonal.

    Attributes
    ----------
    solution
        The fitted model.
    values
        (grid, function) eigenvalues of the blocks of G against those of S.
    rows
        For each cluster (row, column): B of its patterns in those coordinates.
    row_values
        For each cluster (row,) the eigenvalue of each row.
    """

    solution: Solution
    values: np.ndarray
    rows: tuple[np.ndarray, ...]
    row_values: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, solution: Solution) -> BlockPencil:
        """Diagonalise the blocks."""
        root = 1 / np.sqrt(solution.block_penalties.sum(axis=0))
        values, vectors = np.linalg.eigh(solution.system.block_gram * np.outer(root, root))
        values, turn = np.maximum(values, 0), (root[:, None] * vectors).transpose(0, 2, 1)
        clusters = solution.system.clusters
        return cls(
            solution,
            values,
            tuple((turn[one.grid] @ one.mixed).reshape(-1, len(one.columns)) for one in clusters),
            tuple(values[one.grid].ravel() for one in clusters),
        )

    def spectrum(self) -> Spectrum:
        """Return the eigenvalues of the product of covariance and weights over all blocks."""
        system = self.solution.system
        penalty = self.solution.dense_penalty
        diagonal = None if self.solution.penalties.extra_axes is not None else np.diag(penalty)
        whole = system.dense_gram + penalty
        constant = np.linalg.slogdet(self.solution.information)[1] + np.linalg.slogdet(whole)[1]

        def correction(point: complex) -> tuple[np.ndarray, np.ndarray]:
            along = 1 - 2 * point
            reduced = self._eliminated(along)
            inverse = np.linalg.inv(reduced)
            between = penalty @ inverse @ penalty if diagonal is None else diagonal[:, None] * inverse * diagonal
            minor = along * system.dense_gram + (2 * along - 1) * penalty + (1 - along) ** 2 * between
            parts = np.concatenate([log_pivots(reduced), log_pivots(minor / along**2), [-constant]])
            return parts, np.ones(len(parts))

        count = np.repeat(system.block_count, self.values.shape[1])
        values = self.values.ravel() / (1 + self.values.ravel())
        return Spectrum(values, count, correction, self._shared())

    def _shared(self) -> int:
        system, free = self.solution.system, ~self.solution.penalties.penalised
        explained = np.zeros_like(system.dense_gram)
        for cluster, rows, values in zip(system.clusters, self.rows, self.row_values, strict=True):
            seen = values > self.values.max() * UNSEEN
            explained[cluster.block] += (rows[seen].T / values[seen]) @ rows[seen]
        return shared_directions(system.dense_gram[np.ix_(free, free)], explained[np.ix_(free, free)])

    def _eliminated(self, along: complex) -> np.ndarray:
        """Return S + zG of the dense corner at z = `along`, without the blocks."""
        system = self.solution.system
        matrix = along * system.dense_gram + self.solution.dense_penalty
        for cluster, rows, values in zip(system.clusters, self.rows, self.row_values, strict=True):
            weights = along**2 / (1 + along * values)
            part = (rows.T * weights.real) @ rows + 1j * ((rows.T * weights.imag) @ rows)
            matrix[cluster.block] -= part
        return matrix


def shared_directions(gram: np.ndarray, explained: np.ndarray) -> int:
    """Return how many directions of the unpenalised columns lie in the span of a random term: it loses as many of rank.

    Parameters
    ----------
    gram
        (column, column) cross-products of the unpenalised columns.
    explained
        (column, column) those of their projections on the columns of the term.
    """
    scale = 1 / np.sqrt(np.diag(gram))
    return int(np.sum(np.linalg.eigvalsh((gram - explained) * np.outer(scale, scale)) < _SHARED))


def log_pivots(matrix: np.ndarray) -> np.ndarray:
    """Return the logs of the pivots, (..., row), of complex symmetric matrices: their log determinants in parts.

    The numbers x'Mx stay within a half plane, and so do the pivots: none is zero, rows need not be exchanged, and along
    a path no logarithm jumps.
    """
    size = _BLOCK if matrix.ndim == 2 else _SMALL_BLOCK
    rest, found = matrix, np.empty(matrix.shape[:-1], dtype=complex)
    for begin in range(0, matrix.shape[-1], size):
        corner, side = rest[..., :size, :size].copy(), rest[..., :size, size:]
        if side.shape[-1]:
            rest = rest[..., size:, size:] - side.swapaxes(-1, -2) @ np.linalg.solve(corner, side)
        for row in range(corner.shape[-1]):
            found[..., begin + row] = pivot = corner[..., row, row]
            below = corner[..., row + 1 :, row]
            scaled = below / pivot[..., None]
            corner[..., row + 1 :, row + 1 :] -= scaled[..., :, None] * below[..., None, :]
    return np.log(found)
