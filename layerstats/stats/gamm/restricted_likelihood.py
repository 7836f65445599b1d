"""Minus the log restricted (or full) likelihood, its gradient and its Hessian, from the parts that a design supplies.

With D the penalised residual sum of squares, phi the scale, K the penalised cross-product, S the penalties, n rows and
M directions without penalty,

    V = (D / phi + (n - M) log(2 pi phi) + log|K| - log|S|_+) / 2

for REML (Wood 2011, J. R. Statist. Soc. B 73, 3-36, section 2). For ML, M = 0 and log|K| is over the penalised
directions. The parameters are the log smoothing parameters and, last, log phi. How D, the determinants and their
derivatives come about differs between one model, nested blocks, channels and curves; what they make is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

# Of one fit, numbers and arrays, or (fit, ...) of many.
Array = Any
_LOG_TWO_PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Gradient and Hessian of the criterion.

    Attributes
    ----------
    gradient
        (parameter,) or (fit, parameter)
    hessian
        (parameter, parameter) or (fit, parameter, parameter)
    """

    gradient: Array
    hessian: Array


@dataclass(frozen=True, eq=False)
class LikelihoodParts:
    """What a design supplies of the derivatives in the log smoothing parameters.

    Attributes
    ----------
    fit
        (penalty,) b'S_j b, of the penalties times their smoothing parameters: the first derivative of D.
    determinants
        (penalty,) the first derivative of log|K| - log|S|_+.
    second
        (penalty, penalty) the second derivative of 2 V, the scale held.
    """

    fit: Array
    determinants: Array
    second: Array


def minus_log_likelihood(square: Array, scale: Array, log_scale: Array, rows: Array, determinants: Array) -> Array:
    """Return V.

    Parameters
    ----------
    square
        D.
    scale, log_scale
        phi, and its logarithm.
    rows
        n - M.
    determinants
        log|K| - log|S|_+.

    Examples
    --------
    >>> round(minus_log_likelihood(3.0, 1.0, 0.0, 2, 0.0) - 1.5, 4)
    1.8379
    """
    return 0.5 * (square / scale + rows * (_LOG_TWO_PI + log_scale) + determinants)


def derivatives(
    parts: LikelihoodParts,
    square: Array,
    scale: Array,
    rows: Array,
) -> Derivatives:
    """Return gradient and Hessian in the log smoothing parameters and log phi.

    Parameters
    ----------
    parts
        Of one fit, or of (fit, ...).
    square, scale, rows
        As for `minus_log_likelihood`.
    """
    count = parts.fit.shape[-1]
    gradient = np.zeros((*parts.fit.shape[:-1], count + 1))
    hessian = np.zeros((*parts.fit.shape[:-1], count + 1, count + 1))
    residual = square / scale
    fit = parts.fit / scale if parts.fit.ndim == 1 else parts.fit / scale[:, None]
    gradient[..., :-1] = (fit + parts.determinants) / 2
    gradient[..., -1] = (rows - residual) / 2
    hessian[..., :-1, :-1] = parts.second / 2
    hessian[..., -1, :-1] = -fit / 2
    hessian[..., :-1, -1] = -fit / 2
    hessian[..., -1, -1] = residual / 2
    return Derivatives(gradient, hessian)
