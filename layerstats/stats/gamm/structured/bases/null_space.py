"""Which functions of a penalty's null space are taken where each of them has a penalty or a scale of its own."""

from __future__ import annotations

import numpy as np

# What is shorter, of a projection of a unit vector, is rounding errors.
_ZERO = 1e-8


def along_first_coordinates(space: np.ndarray) -> np.ndarray:
    """Return the basis of a space that Gram and Schmidt make of the projections of the coordinates on it, in order.

    Eigenvectors of a repeated eigenvalue are these where LAPACK finds them, as it does for mgcv: it makes the matrix
    tridiagonal by reflections that start at the first coordinate, so that, rounding errors aside, one eigenvector is
    what the first coordinate has in the space and the others have nothing of it.

    Parameters
    ----------
    space
        (coefficient, function) orthonormal columns.

    Examples
    --------
    >>> along_first_coordinates(np.array([[0.0, 0.0], [0.6, 0.8], [0.8, -0.6]])).round(12) + 0
    array([[0., 0.],
           [1., 0.],
           [0., 1.]])
    """
    axes = np.zeros((0, space.shape[1]))
    for projection in space:
        left = projection - (projection @ axes.T) @ axes
        if len(axes) < space.shape[1] and np.linalg.norm(left) > _ZERO:
            axes = np.vstack([axes, left / np.linalg.norm(left)])
    return space @ axes.T
