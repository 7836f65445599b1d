"""The penalties of a model: where they stand, and the determinant of their weighted sum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag

from layerstats.stats.gamm.structured.model import Model


@dataclass(frozen=True, eq=False)
class PenalisedTerm:
    """A dense smooth with its penalties.

    Attributes
    ----------
    label
        Of the smooth.
    span
        Its columns in the dense corner.
    matrices
        Its penalties, each (coefficient, coefficient).
    range_basis
        (coefficient, direction) orthonormal; the directions that are penalised.
    ranged
        The penalties in these directions, each (direction, direction).
    """

    label: str
    span: slice
    matrices: tuple[np.ndarray, ...]
    range_basis: np.ndarray
    ranged: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, label: str, span: slice, matrices: tuple[np.ndarray, ...], rank: int) -> PenalisedTerm:
        """Find the directions that are penalised, `rank` in number."""
        total = np.sum([matrix / np.linalg.norm(matrix) for matrix in matrices], axis=0)
        basis = np.linalg.eigh(total)[1][:, len(total) - rank :]
        return cls(label, span, matrices, basis, tuple(basis.T @ matrix @ basis for matrix in matrices))


@dataclass(frozen=True, eq=False)
class PenaltyDeterminant:
    """The log determinant of the weighted sum of penalties, over the directions that are penalised.

    Attributes
    ----------
    value
        It.
    gradient, hessian
        (penalty,) and (penalty, penalty), in the log smoothing parameters.
    """

    value: float
    gradient: np.ndarray
    hessian: np.ndarray


@dataclass(frozen=True, eq=False)
class Penalties:
    """All penalties of a model: those of the dense smooths in order, then those of the random blocks.

    Attributes
    ----------
    terms
        The dense smooths.
    diagonals
        (penalty, function) of the random blocks.
    columns
        Number of columns of the dense corner.
    levels
        Number of random blocks with data.
    labels
        The smooth that each penalty belongs to.
    """

    terms: tuple[PenalisedTerm, ...]
    diagonals: np.ndarray
    columns: int
    levels: int
    labels: tuple[str, ...]

    @classmethod
    def of(cls, model: Model, levels: int) -> Penalties:
        """Collect the penalties of `model`."""
        spans = model.dense_spans
        terms = tuple(
            PenalisedTerm.of(term.label, spans[term.label], term.penalties, term.size - term.null_dimension)
            for term in model.dense
        )
        labels = [term.label for term in terms for _ in term.matrices]
        functions = sum(term.functions for term in model.blocks)
        diagonals = []
        for term in model.blocks:
            for penalty in term.penalties:
                diagonal = np.zeros(functions)
                diagonal[model.block_spans[term.label]] = penalty
                diagonals.append(diagonal)
                labels.append(term.label)
        columns = len(model.parametric.coefficients) + sum(term.size for term in model.dense)
        return cls(terms, np.array(diagonals).reshape(-1, functions), columns, levels, tuple(labels))

    @property
    def dense(self) -> tuple[tuple[slice, np.ndarray], ...]:
        """Each dense penalty: where it stands, and (coefficient, coefficient)."""
        return tuple((term.span, matrix) for term in self.terms for matrix in term.matrices)

    @property
    def dense_count(self) -> int:
        """The number of penalties in the dense corner; those after them are of the random blocks."""
        return sum(len(term.matrices) for term in self.terms)

    @property
    def count(self) -> int:
        """The number of penalties."""
        return len(self.labels)

    @property
    def unpenalised(self) -> int:
        """The number of directions that no penalty sees."""
        return self.columns - sum(term.range_basis.shape[1] for term in self.terms)

    def range_basis(self) -> np.ndarray:
        """Return (column, direction): the penalised directions of the dense corner."""
        first = min((term.span.start for term in self.terms), default=self.columns)
        return block_diag(np.zeros((first, 0)), *(term.range_basis for term in self.terms))

    def dense_sum(self, smoothing: np.ndarray) -> np.ndarray:
        """Return the weighted sum of the dense penalties, (column, column)."""
        total = np.zeros((self.columns, self.columns))
        for weight, (span, matrix) in zip(smoothing, self.dense, strict=False):
            total[span, span] += weight * matrix
        return total

    def block_sum(self, smoothing: np.ndarray) -> np.ndarray:
        """Return the diagonal of the weighted sum of the penalties of a random block, (function,)."""
        return smoothing[self.dense_count :] @ self.diagonals

    def determinant(self, log_smoothing: np.ndarray) -> PenaltyDeterminant:
        """Return the log determinant at these log smoothing parameters."""
        value, position = 0.0, 0
        gradient, hessian = np.zeros(self.count), np.zeros((self.count, self.count))
        for term in self.terms:
            own = slice(position, position + len(term.matrices))
            part = _determinant(term.ranged, log_smoothing[own])
            value += part.value
            gradient[own], hessian[own, own] = part.gradient, part.hessian
            position = own.stop
        for diagonal, log_weight in zip(self.diagonals, log_smoothing[position:], strict=True):
            penalised = diagonal[diagonal > 0]
            gradient[position] = self.levels * len(penalised)
            value += self.levels * float(np.sum(np.log(penalised) + log_weight))
            position += 1
        return PenaltyDeterminant(value, gradient, hessian)


def _determinant(matrices: tuple[np.ndarray, ...], log_smoothing: np.ndarray) -> PenaltyDeterminant:
    """Return the log determinant of the weighted sum of matrices whose sum has full rank."""
    size = len(matrices[0])
    if len(matrices) == 1:
        value = np.linalg.slogdet(matrices[0])[1] + size * log_smoothing[0]
        return PenaltyDeterminant(float(value), np.array([float(size)]), np.zeros((1, 1)))
    weighted = [matrix * weight for matrix, weight in zip(matrices, np.exp(log_smoothing), strict=True)]
    total = np.sum(weighted, axis=0)
    scale = 1 / np.sqrt(np.diag(total))
    balanced = total * np.outer(scale, scale)
    value = np.linalg.slogdet(balanced)[1] - 2 * np.sum(np.log(scale))
    shares = [np.linalg.solve(balanced, matrix * np.outer(scale, scale)) for matrix in weighted]
    gradient = np.array([np.trace(share) for share in shares])
    cross = np.array([[np.sum(first * second.T) for second in shares] for first in shares])
    return PenaltyDeterminant(float(value), gradient, np.diag(gradient) - cross)
