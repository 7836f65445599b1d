"""Thin plate regression splines of one or several covariates (Wood 2003, J. R. Statist. Soc. B 65, 95-114)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import comb

import numpy as np
from scipy.sparse.linalg import eigsh

from layerstats.stats.gamm.structured.bases.basis import Values
from layerstats.stats.gamm.structured.bases.radial_sum import RadialSum, radial
from layerstats.stats.gamm.structured.r_sample import RSample

# Above this size a few extreme eigenvectors come faster from Lanczos iterations than from a full decomposition.
_FULL_DECOMPOSITION = 300
# Relative to the size of the vector that an element stands in.
_ZERO = 1e-9
# In mgcv: knots, and the seed with which they are drawn.
MOST_KNOTS = 2000
_SEED = 1


@dataclass(frozen=True, eq=False)
class ThinPlateBasis:
    """The rank-k approximation of a thin plate spline with penalty on the derivatives of order `order`.

    Attributes
    ----------
    knots
        (value, covariate) the different values of the covariates, centred; of more than 2,000, as many drawn from them.
    centre
        (covariate,) what was subtracted.
    order
        The derivatives that are penalised, m in mgcv.
    radial
        (value, coefficient) weights of the radial functions in the penalised basis functions, scaled.
    polynomial_scale
        (polynomial,) what the polynomials are divided by.
    penalty
        (coefficient, coefficient)
    """

    knots: np.ndarray
    centre: np.ndarray
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
        unique = _by_covariate(values.unique)
        centre = values.counts @ unique / values.counts.sum()
        knots = unique - centre
        if len(knots) > MOST_KNOTS:
            knots = knots[RSample(_SEED).draw(len(knots), MOST_KNOTS)]
        eigenvalues, vectors = _largest_eigenpairs(radial(knots, knots, order), dimension)
        # The weights of the radial functions must be orthogonal to every polynomial.
        free = _orthogonal_to(_polynomials(knots, order).T @ vectors)
        weights = vectors @ free
        null_dimension = dimension - free.shape[1]
        penalty = np.zeros((dimension, dimension))
        wiggliness = free.T @ (eigenvalues[:, None] * free)
        penalty[: free.shape[1], : free.shape[1]] = (wiggliness + wiggliness.T) / 2
        # At the knots themselves the functions are exactly those of the eigenvectors.
        wiggly = (
            (vectors * eigenvalues) @ free
            if len(knots) == len(unique)
            else RadialSum(knots, order, weights).at(unique - centre)
        )
        functions = np.hstack([wiggly, _polynomials(unique - centre, order)])
        scale = np.sqrt(values.counts @ functions**2 / values.counts.sum())
        return cls(
            knots=knots,
            centre=centre,
            order=order,
            radial=weights / scale[: dimension - null_dimension],
            polynomial_scale=scale[dimension - null_dimension :],
            penalty=penalty / np.outer(scale, scale),
        )

    @property
    def null_dimension(self) -> int:
        """Dimension of the polynomials, which are not penalised."""
        return len(self.polynomial_scale)

    @cached_property
    def _wiggly(self) -> RadialSum:
        return RadialSum(self.knots, self.order, self.radial)

    def rows(self, values: np.ndarray) -> np.ndarray:
        """Return the basis functions at `values`, (value, coefficient): penalised functions first, then polynomials."""
        centred = _by_covariate(np.asarray(values, dtype=float)) - self.centre
        wiggly = self._wiggly.at(centred)
        return np.hstack([wiggly, _polynomials(centred, self.order) / self.polynomial_scale])


def default_order(covariates: int) -> int:
    """Return the least order whose splines are smooth enough, mgcv's default."""
    return (covariates + 3) // 2


def null_space_dimension(covariates: int, order: int) -> int:
    """Return the number of polynomials of a degree below `order`."""
    return comb(order + covariates - 1, covariates)


def _by_covariate(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


def _polynomials(points: np.ndarray, order: int) -> np.ndarray:
    """Return products of powers of a degree below `order`, (point, polynomial); the first power varies fastest."""
    exponents = [each[::-1] for each in product(range(order), repeat=points.shape[1]) if sum(each) < order]
    return np.stack([np.prod(points ** np.array(each), axis=1) for each in exponents], axis=1)


def _orthogonal_to(rows: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of what is orthogonal to `rows`, (coefficient, function), by reflections as in mgcv.

    The first reflection brings the first row to the last coordinate, the next the second to that before, and so on. On
    symmetric grids many elements are zero; rounding errors in their place would choose the signs of reflections, and
    with them, where the last is zero, the signs of coordinates would matter. Here the first element of each coordinate
    that is not zero is positive.
    """
    clean = _without_rounding(rows)
    first = clean[np.argmax(clean != 0, axis=0), np.arange(clean.shape[1])]
    signs = np.where(first < 0, -1.0, 1.0)
    left = clean * signs
    basis = np.diag(signs)
    for number, last in enumerate(range(rows.shape[1] - 1, rows.shape[1] - 1 - len(rows), -1)):
        mirror = _without_rounding(left[number : number + 1, : last + 1])[0]
        mirror[last] += np.linalg.norm(mirror) * (-1.0 if mirror[last] < 0 else 1.0)
        mirror /= np.linalg.norm(mirror)
        for matrix in (left, basis):
            matrix[:, : last + 1] -= 2 * np.outer(matrix[:, : last + 1] @ mirror, mirror)
    return basis[:, : rows.shape[1] - len(rows)]


def _without_rounding(rows: np.ndarray) -> np.ndarray:
    """Return `rows` with zeros where elements are next to nothing."""
    return np.where(np.abs(rows) < _ZERO * np.linalg.norm(rows, axis=1, keepdims=True), 0.0, rows)


def _largest_eigenpairs(matrix: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues of largest magnitude, the largest of them first, and their vectors as columns."""
    size = len(matrix)
    if size <= _FULL_DECOMPOSITION or number > size // 4:
        eigenvalues, vectors = np.linalg.eigh(matrix)
    else:
        # A fixed start makes the result the same every time.
        eigenvalues, vectors = eigsh(matrix, k=number, which="LM", v0=np.linspace(1.0, 2.0, size) ** 2, tol=0)
    chosen = np.argsort(-np.abs(eigenvalues), kind="stable")[:number]
    order = chosen[np.argsort(-eigenvalues[chosen])]
    return eigenvalues[order], vectors[:, order]
