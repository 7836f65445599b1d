"""The curvature of a mixed model's likelihood in its random effects, solved as an arrow.

The levels of the first factor are blocks of the diagonal, those of the others a dense corner: once the blocks are
eliminated (their Schur complement), the cost is that of the corner. With z_i the effects of row i times the root of
their covariance and w_i the curvature of its log probability,

    H = I + sum over rows of w_i z_i z_i'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import linalg, sparse

from layerstats.errors import FitError
from layerstats.stats.ratings.mixed_models.random_factors import RandomFactor

# Elements of the inverse that are made at a time.
_AT_A_TIME = 500_000


class ArrowPattern:
    """Where the rows of a data set stand in the arrow; it is the same at every evaluation.

    Parameters
    ----------
    factors : sequence of RandomFactor
        The factor of the blocks first.
    rows : int
        How many rows there are.
    """

    def __init__(self, factors: Sequence[RandomFactor], rows: int) -> None:
        self.factors = tuple(factors)
        self.rows = rows
        self.block_width = factors[0].width if factors else 0
        self.block_levels = len(factors[0].levels) if factors else 1
        self.block_codes = factors[0].codes if factors else np.zeros(rows, dtype=int)
        starts = np.cumsum([0, *(len(factor.levels) * factor.width for factor in factors[1:])])
        self.corner = int(starts[-1])
        # (row, slot) the column of the corner of each effect of a row.
        columns = [
            start + factor.codes[:, None] * factor.width + np.arange(factor.width)
            for factor, start in zip(factors[1:], starts[:-1], strict=True)
        ]
        self.slots = np.column_stack(columns) if columns else np.zeros((rows, 0), dtype=int)
        # The elements between blocks and corner that are not zero, by (level, column), and which one a row adds to.
        flat = self.block_codes[:, None] * max(self.corner, 1) + self.slots
        self.mixed_places, inverse = np.unique(flat, return_inverse=True)
        self.mixed_of_row = inverse.reshape(self.slots.shape)
        levels, self.mixed_columns = np.divmod(self.mixed_places, max(self.corner, 1))
        self.mixed_levels = levels
        self.mixed_starts = np.searchsorted(levels, np.arange(self.block_levels + 1))

    def scaled(self, roots: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return the effects of each row times the roots: (row, effect) of the blocks, (row, slot) of the corner."""
        made = [factor.columns @ root for factor, root in zip(self.factors, roots, strict=True)]
        blocks = made[0] if made else np.zeros((self.rows, 0))
        return blocks, np.column_stack(made[1:]) if len(made) > 1 else np.zeros((self.rows, 0))

    def predictor(self, scaled: tuple[np.ndarray, np.ndarray], effects: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Return what standardised effects, (level, effect) and (column,), add to the linear predictor, (row,)."""
        found = np.einsum("ij,ij->i", scaled[0], effects[0][self.block_codes]) if self.block_width else 0.0
        if self.corner:
            found = found + np.einsum("ij,ij->i", scaled[1], effects[1][self.slots])
        return found + np.zeros(self.rows)

    def collect(self, scaled: tuple[np.ndarray, np.ndarray], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums of z_i times a value of each row: (level, effect) and (column,)."""
        blocks = np.zeros((self.block_levels, self.block_width))
        for effect in range(self.block_width):
            blocks[:, effect] = np.bincount(self.block_codes, scaled[0][:, effect] * values, self.block_levels)
        corner = np.zeros(self.corner)
        for slot in range(self.slots.shape[1]):
            corner += np.bincount(self.slots[:, slot], scaled[1][:, slot] * values, self.corner)
        return blocks, corner


class ArrowCurvature:
    """The curvature H at given weights, factorised.

    Parameters
    ----------
    pattern : ArrowPattern
        Where rows stand.
    scaled : tuple of numpy.ndarray
        As from `ArrowPattern.scaled`.
    weights : numpy.ndarray
        (row,) curvatures of the negative log probabilities.

    Raises
    ------
    FitError
        It is not positive definite.
    """

    def __init__(self, pattern: ArrowPattern, scaled: tuple[np.ndarray, np.ndarray], weights: np.ndarray) -> None:
        self.pattern, self.scaled, self.weights = pattern, scaled, weights
        blocks = self._blocks()
        # NumPy's functions of many matrices are slow where each is one number.
        single = pattern.block_width < 2
        self.block_inverse = 1 / blocks if single else np.linalg.inv(blocks)
        log_determinant = np.log(blocks).sum() if single else np.linalg.slogdet(blocks)[1].sum()
        self.root = np.zeros((0, 0))
        if pattern.corner:
            self.mixed = self._mixed()
            self.reduced = self._reduced(self.mixed)
            through = (self._flat(self.mixed).T @ self._flat(self.reduced)).toarray()
            try:
                self.root = linalg.cholesky(self._corner() - through, lower=True, check_finite=False)
            except (linalg.LinAlgError, ValueError) as error:
                raise FitError(
                    "The random effects of the model are not determined: its curvature is singular."
                ) from error
            log_determinant += 2 * np.log(np.diag(self.root)).sum()
        self.log_determinant = float(log_determinant)

    def solve(self, blocks: np.ndarray, corner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the inverse of H times (level, effect) and (column,)."""
        inner = np.einsum("lab,lb->la", self.block_inverse, blocks)
        if not self.pattern.corner:
            return inner, corner
        rest = corner - self._flat(self.mixed).T @ inner.ravel()
        solved = linalg.cho_solve((self.root, True), rest, check_finite=False)
        return inner - (self._flat(self.reduced) @ solved).reshape(inner.shape), solved

    def inverse_rows(self) -> np.ndarray:
        """Return H^-1 z_i for the effects of each row's own levels, (row, effect): of the blocks, then of the corner.

        Its product with z_i is the variance of the row's linear predictor given the parameters.
        """
        pattern, (blocks, corner) = self.pattern, self.scaled
        covariance, inverse, elements = self.covariances()
        own = np.einsum("iab,ib->ia", covariance[pattern.block_codes], blocks)
        if not pattern.corner:
            return own
        across = elements[:, pattern.mixed_of_row]  # (effect, row, slot)
        own -= np.einsum("ais,is->ia", across, corner)
        shared = -np.einsum("ais,ia->is", across, blocks)
        for slot in range(corner.shape[1]):
            for other in range(corner.shape[1]):
                shared[:, slot] += inverse[pattern.slots[:, slot], pattern.slots[:, other]] * corner[:, other]
        return np.column_stack([own, shared])

    def covariances(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return elements of the inverse of H.

        Returns
        -------
        blocks : numpy.ndarray
            (level, effect, effect) of each level of the blocks.
        corner : numpy.ndarray
            (column, column)
        mixed : numpy.ndarray
            (effect, element) between blocks and corner where H has elements, with the opposite sign.
        """
        pattern = self.pattern
        if not pattern.corner:
            return self.block_inverse, self.root, np.zeros((pattern.block_width, 0))
        corner = linalg.cho_solve((self.root, True), np.eye(pattern.corner), check_finite=False)
        mixed = self._reduced_inverse(corner)
        blocks = self.block_inverse.copy()
        for effect in range(pattern.block_width):
            for other in range(pattern.block_width):
                values = mixed[effect] * self.reduced[other]
                blocks[:, effect, other] += np.bincount(pattern.mixed_levels, values, pattern.block_levels)
        return blocks, corner, mixed

    def _blocks(self) -> np.ndarray:
        width, codes = self.pattern.block_width, self.pattern.block_codes
        blocks = np.zeros((self.pattern.block_levels, width, width))
        for row in range(width):
            for column in range(row + 1):
                values = self.weights * self.scaled[0][:, row] * self.scaled[0][:, column]
                blocks[:, row, column] = np.bincount(codes, values, self.pattern.block_levels)
                blocks[:, column, row] = blocks[:, row, column]
            blocks[:, row, row] += 1
        return blocks

    def _corner(self) -> np.ndarray:
        size, slots, corner = self.pattern.corner, self.pattern.slots, self.scaled[1]
        found = np.zeros(size * size)
        for slot in range(slots.shape[1]):
            for other in range(slots.shape[1]):
                values = self.weights * corner[:, slot] * corner[:, other]
                found += np.bincount(slots[:, slot] * size + slots[:, other], values, size * size)
        matrix = found.reshape(size, size)
        matrix[np.diag_indices(size)] += 1
        return matrix

    def _mixed(self) -> np.ndarray:
        """Return the elements between blocks and corner that are not zero, (effect, element)."""
        pattern = self.pattern
        found = np.zeros((pattern.block_width, len(pattern.mixed_places)))
        for effect in range(pattern.block_width):
            for slot in range(pattern.slots.shape[1]):
                values = self.weights * self.scaled[0][:, effect] * self.scaled[1][:, slot]
                found[effect] += np.bincount(pattern.mixed_of_row[:, slot], values, len(pattern.mixed_places))
        return found

    def _reduced(self, mixed: np.ndarray) -> np.ndarray:
        """Return the blocks' inverse times such elements, (effect, element)."""
        return np.einsum("eab,be->ae", self.block_inverse[self.pattern.mixed_levels], mixed)

    def _flat(self, elements: np.ndarray) -> Any:
        """Return such elements as a sparse matrix, (level x effect, column)."""
        pattern = self.pattern
        if pattern.block_width == 1:
            parts = (elements[0], pattern.mixed_columns, pattern.mixed_starts)
            return sparse.csr_array(parts, shape=(pattern.block_levels, pattern.corner))
        rows = pattern.mixed_levels[None, :] * pattern.block_width + np.arange(pattern.block_width)[:, None]
        columns = np.broadcast_to(pattern.mixed_columns, rows.shape)
        shape = (pattern.block_levels * pattern.block_width, pattern.corner)
        return sparse.csr_array((elements.ravel(), (rows.ravel(), columns.ravel())), shape=shape)

    def _reduced_inverse(self, inverse: np.ndarray) -> np.ndarray:
        """Return the reduced elements times the inverse of the corner, (effect, element), where H has elements."""
        pattern = self.pattern
        width, levels = pattern.block_width, pattern.block_levels
        found = np.empty_like(self.reduced)
        step = max(1, _AT_A_TIME // (width * pattern.corner))
        flat = self._flat(self.reduced)
        for first in range(0, levels, step):
            last = min(first + step, levels)
            part = (flat[first * width : last * width] @ inverse).reshape(last - first, width, pattern.corner)
            elements = slice(pattern.mixed_starts[first], pattern.mixed_starts[last])
            found[:, elements] = part[pattern.mixed_levels[elements] - first, :, pattern.mixed_columns[elements]].T
        return found
