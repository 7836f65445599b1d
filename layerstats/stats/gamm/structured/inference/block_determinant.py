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

from layerstats.stats.gamm.structured.inference.quadratic_form import Correction
from layerstats.stats.gamm.structured.inference.spectrum import Spectrum
from layerstats.stats.gamm.structured.solution import Solution

# Rows that are eliminated at once.
_BLOCK = 48


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
        system, penalties = self.solution.system, self.solution.penalties
        penalty = penalties.dense_sum(self.solution.smoothing)
        whole = system.dense_gram + np.diag(penalty)
        constant = np.linalg.slogdet(self.solution.information)[1] + np.linalg.slogdet(whole)[1]

        def correction(point: complex) -> np.ndarray:
            along = 1 - 2 * point
            reduced = self._eliminated(along)
            inverse = np.linalg.inv(reduced)
            minor = along * system.dense_gram + np.diag((2 * along - 1) * penalty)
            minor = minor + (1 - along) ** 2 * (penalty[:, None] * inverse * penalty)
            return np.concatenate([log_pivots(reduced), log_pivots(minor / along**2), [-constant]])

        count = np.repeat(system.block_count, self.values.shape[1])
        values = self.values.ravel() / (1 + self.values.ravel())
        return Spectrum(values, count, correction, lost_rank(correction, float(values.max())))

    def _eliminated(self, along: complex) -> np.ndarray:
        """Return S + zG of the dense corner at z = `along`, without the blocks."""
        system = self.solution.system
        penalty = self.solution.penalties.dense_sum(self.solution.smoothing)
        matrix = along * system.dense_gram + np.diag(penalty)
        for cluster, rows, values in zip(system.clusters, self.rows, self.row_values, strict=True):
            weights = along**2 / (1 + along * values)
            part = (rows.T * weights.real) @ rows + 1j * ((rows.T * weights.imag) @ rows)
            matrix[cluster.block] -= part
        return matrix


def lost_rank(correction: Correction, largest: float) -> int:
    """Return how many eigenvalues a correction makes zero: by what power the determinant grows less."""
    far = 1e10j / largest
    return round((correction(far).real.sum() - correction(10 * far).real.sum()) / np.log(10))


def log_pivots(matrix: np.ndarray) -> np.ndarray:
    """Return the logs of the pivots, (row,), of a complex symmetric matrix: its log determinant in parts.

    The numbers x'Mx stay within a half plane, and so do the pivots: none is zero, rows need not be exchanged, and along
    a path no logarithm jumps.
    """
    rest, found = matrix.copy(), []
    while len(rest):
        corner = rest[:_BLOCK, :_BLOCK]
        along = np.linalg.solve(corner, rest[:_BLOCK, _BLOCK:])
        rest, last = rest[_BLOCK:, _BLOCK:] - rest[_BLOCK:, :_BLOCK] @ along, corner.copy()
        for row in range(len(last)):
            found.append(last[row, row])
            last[row + 1 :, row + 1 :] -= np.outer(last[row + 1 :, row] / last[row, row], last[row, row + 1 :])
    return np.log(np.array(found, dtype=complex))
