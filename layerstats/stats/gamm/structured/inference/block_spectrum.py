"""The spectrum of a product of two matrices that are small blocks on the diagonal and a part of low rank.

With weights M = blockdiag(A) - B Q B' and covariance V = blockdiag(D) + L C L', the eigenvalues of VM are wanted.
Where the matrices are small they are computed. Where they are large, those of the blocks are, and the part of low
rank enters through det(I - 2sVM) = det(I - 2sDA) det(I - 2s core G(s)), with G(s) = Y'(I - 2sDA)^-1 Y of the size of
the low rank. Its few eigenvalues above those of the blocks are found by iteration: near them the determinant varies
fast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse.linalg import aslinearoperator, eigs

from layerstats.stats.gamm.structured.inference.quadratic_form import Correction
from layerstats.stats.gamm.structured.inference.spectrum import Spectrum

# Up to the first size the eigenvalues of the whole matrix are computed; up to the second, 70 MB a matrix, where that
# takes less time than determinants at the points of a path do.
LARGEST_DENSE, LARGEST_COMPUTED = 500, 3000
# Of a path, where determinants are taken.
POINTS = 47


def by_eigenvalues(rows: int, columns: int) -> bool:
    """Return whether the eigenvalues of a matrix are computed, rather than determinants at the points of a path.

    Parameters
    ----------
    rows
        Of the matrix.
    columns
        Of the part of low rank, whose determinants they would be.

    Examples
    --------
    >>> by_eigenvalues(1242, 1800), by_eigenvalues(10_000, 1800), by_eigenvalues(1242, 30)
    (True, False, False)
    """
    if rows <= LARGEST_DENSE:
        return True
    # As measured on one thread; a unit is 0.075 ns.
    return rows <= LARGEST_COMPUTED and 2 * rows**3 < POINTS * (2.7 * columns**3 + rows * columns**2)


@dataclass(frozen=True, eq=False)
class _Operator:
    """A matrix that is known by its products."""

    matvec: Callable[[np.ndarray], np.ndarray]
    shape: tuple[int, int]
    dtype: np.dtype = field(default_factory=lambda: np.dtype(float))


@dataclass(frozen=True, eq=False)
class LowRankRows:
    """Rows of the factors of low rank, of patterns that touch the same columns.

    Attributes
    ----------
    grid
        (pattern,) which block each has.
    levels
        (pattern,) the number of levels that have it.
    mixed
        (pattern, function, column) rows of B.
    mixed_columns
        (column,) where they stand.
    left
        (pattern, function, column) rows of L.
    left_columns
        (column,) where they stand.
    """

    grid: np.ndarray
    levels: np.ndarray
    mixed: np.ndarray
    mixed_columns: np.ndarray
    left: np.ndarray
    left_columns: np.ndarray


@dataclass(frozen=True, eq=False)
class BlockProduct:
    """The product of weights and covariance.

    Attributes
    ----------
    weights, covariance
        (grid, function, function) A and D.
    pieces
        B and L.
    weight_core, covariance_core
        Q and C, (column, column).
    outliers
        How many eigenvalues may be above those of the blocks: one for each coefficient that is noise.
    """

    weights: np.ndarray
    covariance: np.ndarray
    pieces: Sequence[LowRankRows]
    weight_core: np.ndarray
    covariance_core: np.ndarray
    outliers: int

    def spectrum(self, zeros: int = 0) -> Spectrum:
        """Return the eigenvalues, with those of the levels of one pattern beyond the first by themselves.

        At least `zeros` of them are zero, but for rounding errors.
        """
        factor = np.linalg.cholesky(self.weights)
        values, vectors = np.linalg.eigh(factor.transpose(0, 2, 1) @ self.covariance @ factor)
        rows = sum(len(piece.grid) for piece in self.pieces) * values.shape[1]
        repeats = [np.repeat(piece.levels, values.shape[1]) for piece in self.pieces]
        alone = np.concatenate([values[piece.grid].ravel() for piece in self.pieces])
        counts = np.concatenate(repeats).astype(float)
        if by_eigenvalues(rows, len(self.covariance_core) + len(self.weight_core)):
            together = self._eigenvalues()
            together[np.argsort(np.abs(together))[:zeros]] = 0.0
            return Spectrum(np.concatenate([alone, together]), np.concatenate([counts - 1, np.ones(rows)]))
        low_rank = _LowRank.of(self, factor, values, vectors)
        outliers = self._outliers(float(values.max()))

        def correction(point: complex) -> tuple[np.ndarray, np.ndarray]:
            parts = np.append(low_rank.log_determinant(point), -np.log(1 - 2 * point * outliers))
            return parts, np.ones(len(parts))

        return Spectrum(
            values=np.concatenate([alone, outliers]),
            counts=np.concatenate([counts, np.ones(len(outliers))]),
            correction=correction,
            lost=_lost_rank(correction, float(values.max())),
        )

    def _outliers(self, bound: float) -> np.ndarray:
        """Return the eigenvalues above `bound`, the largest of the blocks."""
        if self.outliers == 0:
            return np.zeros(0)
        rows = sum(len(piece.grid) for piece in self.pieces) * self.weights.shape[1]
        operator = aslinearoperator(_Operator(self._times, (rows, rows)))
        number = min(self.outliers + 2, rows - 2)
        found = np.real(eigs(operator, k=number, which="LR", v0=np.ones(rows), return_eigenvectors=False))
        return np.sort(found[found > bound])

    def _times(self, vector: np.ndarray) -> np.ndarray:
        """Return the product of covariance, weights and a vector over the patterns."""
        parts = self._split(vector.ravel())
        through = np.zeros(len(self.weight_core))
        for piece, part in zip(self.pieces, parts, strict=True):
            through[piece.mixed_columns] += np.tensordot(piece.mixed, part, axes=([0, 1], [0, 1]))
        through = self.weight_core @ through
        weighted, across = [], np.zeros(len(self.covariance_core))
        for piece, part in zip(self.pieces, parts, strict=True):
            own = (self.weights[piece.grid] @ part[:, :, None])[:, :, 0] - piece.mixed @ through[piece.mixed_columns]
            across[piece.left_columns] += np.tensordot(piece.left, own, axes=([0, 1], [0, 1]))
            weighted.append(own)
        across = self.covariance_core @ across
        return np.concatenate(
            [
                (
                    (self.covariance[piece.grid] @ own[:, :, None])[:, :, 0] + piece.left @ across[piece.left_columns]
                ).ravel()
                for piece, own in zip(self.pieces, weighted, strict=True)
            ]
        )

    def _split(self, vector: np.ndarray) -> list[np.ndarray]:
        functions = self.weights.shape[1]
        ends = np.cumsum([len(piece.grid) * functions for piece in self.pieces])
        return [part.reshape(-1, functions) for part in np.split(vector, ends[:-1])]

    def _eigenvalues(self) -> np.ndarray:
        grids = np.concatenate([piece.grid for piece in self.pieces])
        mixed = _stacked([(piece.mixed, piece.mixed_columns) for piece in self.pieces], len(self.weight_core))
        left = _stacked([(piece.left, piece.left_columns) for piece in self.pieces], len(self.covariance_core))
        matrix = -(mixed @ self.weight_core) @ mixed.T
        _add_blocks(matrix, self.weights[grids])
        root = np.linalg.cholesky((matrix + matrix.T) / 2)
        covariance = (left @ self.covariance_core) @ left.T
        _add_blocks(covariance, self.covariance[grids])
        product = root.T @ covariance @ root
        return np.linalg.eigvalsh((product + product.T) / 2)


@dataclass(frozen=True, eq=False)
class _LowRank:
    """What the part of low rank changes, in the eigenvectors of the blocks.

    Attributes
    ----------
    values
        For each piece (row,) the eigenvalues of the blocks.
    rows
        For each piece (row, direction) the rows of Y, of full rank.
    spans
        For each piece (direction, own column): rows times span are the rows of Y.
    places
        For each piece (own column,) the columns of Y that it touches, those of L first.
    core
        (column, column)
    """

    values: list[np.ndarray]
    rows: list[np.ndarray]
    spans: list[np.ndarray]
    places: list[np.ndarray]
    core: np.ndarray
    split: int

    @classmethod
    def of(cls, product: BlockProduct, factor: np.ndarray, values: np.ndarray, vectors: np.ndarray) -> _LowRank:
        """Turn Y = [L, B] to the eigenvectors of the blocks: V'F'L and V'F^-1 B, with A = FF' and V those of F'DF."""
        wide, narrow = len(product.covariance_core), len(product.weight_core)
        to_left = vectors.transpose(0, 2, 1) @ factor.transpose(0, 2, 1)
        to_mixed = vectors.transpose(0, 2, 1) @ np.linalg.inv(factor)
        own, rows, spans, places = [], [], [], []
        crossed = np.zeros((wide, narrow))
        for piece in product.pieces:
            left = (to_left[piece.grid] @ piece.left).reshape(-1, piece.left.shape[2])
            mixed = (to_mixed[piece.grid] @ piece.mixed).reshape(-1, piece.mixed.shape[2])
            crossed[np.ix_(piece.left_columns, piece.mixed_columns)] += left.T @ mixed
            both, span = _full_rank(np.hstack([left, mixed]))
            own.append(values[piece.grid].ravel())
            rows.append(both)
            spans.append(span)
            places.append(np.concatenate([piece.left_columns, wide + piece.mixed_columns]))
        core = np.zeros((wide + narrow, wide + narrow))
        core[:wide, :wide] = product.covariance_core
        core[:wide, wide:] = -product.covariance_core @ crossed @ product.weight_core
        core[wide:, wide:] = -product.weight_core
        return cls(own, rows, spans, places, core, wide)

    def log_determinant(self, point: complex) -> complex:
        """Return log det(I - 2s core G(s)) at s = `point`."""
        kernel = np.zeros_like(self.core, dtype=complex)
        for values, rows, span, places in zip(self.values, self.rows, self.spans, self.places, strict=True):
            inverse = 1 / (1 - 2 * point * values)
            plain = rows.T @ (rows * inverse.real[:, None]) + 1j * (rows.T @ (rows * inverse.imag[:, None]))
            # The same with the eigenvalues as factors: d / (1 - 2sd) = (1 / (1 - 2sd) - 1) / 2s.
            times = (plain - rows.T @ rows) / (2 * point)
            left = np.count_nonzero(places < self.split)
            kernel[np.ix_(places, places[:left])] += span.T @ (plain @ span[:, :left])
            kernel[np.ix_(places, places[left:])] += span.T @ (times @ span[:, left:])
        sign, size = np.linalg.slogdet(np.eye(len(self.core)) - 2 * point * (self.core @ kernel))
        return complex(size, float(np.angle(sign)))


def _lost_rank(correction: Correction, largest: float) -> int:
    """Return how many eigenvalues a correction makes zero: by what power the determinant grows less."""
    far = 1e10j / largest
    near, further = (float(np.dot(*correction(point)).real) for point in (far, 10 * far))
    return round((near - further) / np.log(10))


def _full_rank(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an orthogonal basis of the columns, and what it is multiplied by."""
    left, size, right = np.linalg.svd(matrix, full_matrices=False)
    kept = size > size[0] * 1e-14
    return left[:, kept] * size[kept], right[kept]


def _stacked(parts: list[tuple[np.ndarray, np.ndarray]], columns: int) -> np.ndarray:
    pieces = []
    for values, places in parts:
        flat = np.zeros((values.shape[0] * values.shape[1], columns))
        flat[:, places] = values.reshape(len(flat), -1)
        pieces.append(flat)
    return np.vstack(pieces)


def _add_blocks(matrix: np.ndarray, blocks: np.ndarray) -> None:
    """Add square blocks, (block, row, row), on the diagonal of a matrix."""
    number, size = blocks.shape[:2]
    diagonal = np.arange(number)
    matrix.reshape(number, size, number, size)[diagonal, :, diagonal] += blocks
