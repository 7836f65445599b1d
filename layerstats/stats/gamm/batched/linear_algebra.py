"""Linear algebra of many matrices at once, where a singular one gives NaN and does not fail the others."""

from __future__ import annotations

import numpy as np


def log(values: np.ndarray) -> np.ndarray:
    """Return the natural logarithm; NaN of negative numbers, without a warning."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.log(values)


def exp(values: np.ndarray) -> np.ndarray:
    """Return the exponential; infinity of large numbers, without a warning."""
    with np.errstate(over="ignore"):
        return np.exp(values)


def cholesky(matrices: np.ndarray) -> np.ndarray:
    """Return lower Cholesky factors of (..., n, n); NaN for matrices that are not positive definite.

    Examples
    --------
    >>> cholesky(np.array([[[4.0]], [[-1.0]]])).ravel()
    array([ 2., nan])
    """
    try:
        return np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        # One bad matrix fails them all: find it.
        if matrices.ndim == 2:
            return np.full_like(matrices, np.nan)
        return np.stack([cholesky(matrix) for matrix in matrices])


def inverse(matrices: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return the inverses of (..., n, n), given their Cholesky factors; NaN where these are."""
    good = np.isfinite(factors[..., -1, -1])
    if good.all():
        return np.linalg.inv(matrices)
    usable = np.where(good[..., None, None], matrices, np.eye(matrices.shape[-1]))
    return np.where(good[..., None, None], np.linalg.inv(usable), np.nan)
