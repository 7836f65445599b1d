"""Thin plate regression splines of one covariate (Wood 2003, J. R. Statist. Soc. B 65, 95-114)."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial, gamma, pi

import numpy as np
from scipy.sparse.linalg import eigsh

from layerstats.stats.gamm.structured.bases.basis import Values

# Above this size a few extreme eigenvectors come faster from Lanczos iterations than from a full decomposition.
_FULL_DECOMPOSITION = 300
# Relative to the size of the vector that an element stands in.
_ZERO = 1e-9


@dataclass(frozen=True, eq=False)
class ThinPlateBasis:
    """The rank-k approximation of a thin plate spline with penalty on the derivative of order `order`.

    Attributes
    ----------
    knots
        (value,) the different values of the covariate, centred.
    centre
        What was subtracted.
    order
        The derivative that is penalised, m in mgcv.
    radial
        (value, coefficient) weights of the radial functions in the penalised basis functions, scaled.
    polynomial_scale
        (order,) what the powers of the covariate are divided by.
    penalty
        (coefficient, coefficient)
    """

    knots: np.ndarray
    centre: float
    order: int
    radial: np.ndarray
    polynomial_scale: np.ndarray
    penalty: np.ndarray

    @classmethod
    def build(cls, values: Values, dimension: int, order: int = 2) -> ThinPlateBasis:
        """Build the basis with `dimension` functions; all have root mean square one over the rows of the data.

        Examples
        --------
        >>> basis = ThinPlateBasis.build(Values.of(np.arange(8.0)), 5)
        >>> basis.rows(np.array([0.5, 1.0])).shape, basis.null_dimension
        ((2, 5), 2)
        """
        centre = values.mean
        knots = values.unique - centre
        eigenvalues, vectors = _largest_eigenpairs(_radial(knots[:, None] - knots[None, :], order), dimension)
        polynomials = np.vander(knots, order, increasing=True)
        # The weights of the radial functions must be orthogonal to every polynomial.
        free = _complement((polynomials.T @ vectors).T)
        wiggly = (vectors * eigenvalues) @ free
        penalty = np.zeros((dimension, dimension))
        wiggliness = free.T @ (eigenvalues[:, None] * free)
        penalty[: dimension - order, : dimension - order] = (wiggliness + wiggliness.T) / 2
        functions = np.hstack([wiggly, polynomials])
        scale = np.sqrt(values.counts @ functions**2 / values.counts.sum())
        return cls(
            knots=knots,
            centre=centre,
            order=order,
            radial=vectors @ free / scale[: dimension - order],
            polynomial_scale=scale[dimension - order :],
            penalty=penalty / np.outer(scale, scale),
        )

    @property
    def null_dimension(self) -> int:
        """Dimension of the polynomials, which are not penalised."""
        return self.order

    def rows(self, values: np.ndarray) -> np.ndarray:
        """Return the basis functions at `values`, (value, coefficient): penalised functions first, then powers."""
        centred = np.asarray(values, dtype=float) - self.centre
        wiggly = _radial(centred[:, None] - self.knots[None, :], self.order) @ self.radial
        return np.hstack([wiggly, np.vander(centred, self.order, increasing=True) / self.polynomial_scale])


def _radial(distance: np.ndarray, order: int) -> np.ndarray:
    """Return the Green's function of the penalty in one dimension."""
    constant = gamma(0.5 - order) / (2 ** (2 * order) * pi**0.5 * factorial(order - 1))
    return constant * np.abs(distance) ** (2 * order - 1)


def _largest_eigenpairs(matrix: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues of largest magnitude and their vectors as columns, those above zero first, descending."""
    size = len(matrix)
    if size <= _FULL_DECOMPOSITION or number > size // 4:
        eigenvalues, vectors = np.linalg.eigh(matrix)
    else:
        # A fixed start makes the result the same every time.
        eigenvalues, vectors = eigsh(matrix, k=number, which="LM", v0=np.linspace(1.0, 2.0, size) ** 2, tol=0)
    kept = np.argsort(-np.abs(eigenvalues), kind="stable")[:number]
    order = kept[np.argsort(-eigenvalues[kept], kind="stable")]
    return eigenvalues[order], vectors[:, order]


def _complement(columns: np.ndarray) -> np.ndarray:
    """Return an orthogonal basis of what is orthogonal to `columns`.

    That of mgcv, from reflections that end at the last row and not at the first: the axes of factor smooths and the
    second-order correction of covariances depend on it. On symmetric grids half of the elements are zero; rounding
    errors in their place would choose the signs of reflections.
    """
    clean = np.where(np.abs(columns) < _ZERO * np.linalg.norm(columns, axis=0), 0.0, columns)
    reflected = np.linalg.qr(clean[::-1], mode="complete")[0]
    return reflected[::-1, columns.shape[1] :][:, ::-1]
