"""Roots of covariances, for seeded draws that are the same on any processor.

Eigenvectors have no sign of their own, and rounding decides how many of a smooth's covariance are kept: normal numbers
that are drawn one for each of them make, with one seed, other curves on other processors. Drawn one for each point or
coefficient, and multiplied by the symmetric root, they make the same.
"""

from __future__ import annotations

import numpy as np

# Less variance than this share of the largest is rounding.
_NOTHING = 1e-14


def symmetric_root(covariance: np.ndarray) -> np.ndarray:
    """Return the symmetric matrix whose square is a covariance, (point, point).

    Examples
    --------
    >>> symmetric_root(np.array([[4.0, 0.0], [0.0, 0.0]])).tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """
    values, vectors = principal_directions(covariance)
    return (vectors * np.sqrt(values)) @ vectors.T


def principal_directions(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues that are more than rounding, (direction,), and their eigenvectors, (point, direction).

    ``normal @ vectors`` are then the coordinates of the draw ``normal @ symmetric_root(covariance)``, each divided by
    the root of its eigenvalue.
    """
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    # Nothing is kept of a covariance that is zero.
    kept = values > _NOTHING * values.max(initial=0.0)
    return values[kept], vectors[:, kept]
