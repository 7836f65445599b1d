"""Is a smooth zero? The test of Wood (2013, Biometrika 100, 221-228) with fractional rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from layerstats.stats.gamm.structured.inference.quadratic_form import QuadraticForm, tail_of_test

# Components of unit vectors that are smaller are zero but for rounding errors.
_ZERO = 1e-6


@dataclass(frozen=True)
class TermTest:
    """The test of a smooth term.

    Attributes
    ----------
    statistic
        Divided by `reference_df`: an F-like ratio.
    reference_df
        Its degrees of freedom.
    p_value
        To full relative accuracy however small.
    """

    statistic: float
    reference_df: float
    p_value: float


def smooth_test(
    coefficients: np.ndarray,
    gram: np.ndarray,
    covariance: np.ndarray,
    df: float,
    residual: float,
    written: np.ndarray | None = None,
) -> TermTest:
    """Test whether a smooth is zero everywhere.

    Parameters
    ----------
    coefficients
        (coefficient,)
    gram
        (coefficient, coefficient) cross-product of the columns of the smooth.
    covariance
        (coefficient, coefficient) Bayesian.
    df
        Effective degrees of freedom of the smooth (edf1); need not be whole.
    residual
        Residual degrees of freedom; infinite where the scale is known.
    written
        (coefficient, mgcv's coefficient) takes mgcv's coefficients to these; None where they are the same.

    Notes
    -----
    The fractional part needs a 2 x 2 block that depends on the signs of two eigenvectors. Both choices are valid; the
    p-value is the mean of both, the statistic that of the first: of eigenvectors that point along mgcv's first column.
    """
    values, vectors = np.linalg.eigh(gram)
    root = np.asarray(np.linalg.qr((vectors * np.sqrt(np.maximum(values, 0))).T, mode="r"))
    fitted = root @ coefficients
    variance, directions = np.linalg.eigh(root @ covariance @ root.T)
    variance, directions = variance[::-1], directions[:, ::-1]
    directions = directions * signs_along(root if written is None else root @ written, directions)
    rank = min(float(len(coefficients)), df)
    usable = int(np.sum(variance > variance[0] * np.finfo(float).eps ** 0.9))
    rank = min(rank, float(usable))
    whole = int(np.floor(rank))
    fraction = rank - whole
    scores = (directions.T @ fitted) / np.sqrt(np.maximum(variance, np.finfo(float).tiny))
    if fraction == 0 or whole == 0:
        # Less than one degree of freedom is tested as one.
        tested = max(whole, 1)
        statistic = float(np.sum(scores[:tested] ** 2))
        chi_square = np.isinf(residual)
        tail = special.chdtrc(tested, statistic) if chi_square else special.fdtrc(tested, residual, statistic / tested)
        return TermTest(statistic / rank, rank, float(tail))
    certain = float(np.sum(scores[: whole - 1] ** 2))
    pair = scores[whole - 1 : whole + 1]
    off = np.sqrt(fraction * (1 - fraction) / 2)
    block = np.array([[1.0, off], [off, fraction]])
    # The weights of the block's chi-square distribution, as a mixture with the same first two moments.
    larger = (fraction + 1 + np.sqrt((fraction + 1) * (1 - fraction))) / 2
    weights = np.concatenate([np.ones(whole - 1), [larger, fraction + 1 - larger]])
    either = [certain + float(both @ block @ both) for both in (pair, pair * np.array([-1.0, 1.0]))]
    form = QuadraticForm.of(weights, np.ones(len(weights)))
    tails = [tail_of_test(statistic, form, residual) for statistic in either]
    return TermTest(either[0] / rank, rank, float(np.mean(tails)))


def signs_along(columns: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return the signs with which unit vectors point along the first of the columns, (..., direction).

    Vectors that are orthogonal to it point along what the second adds to it, and so on: on symmetric grids, where
    curves are even or odd, rounding errors would choose.

    Parameters
    ----------
    columns
        (row, column)
    directions
        (..., row, direction)
    """
    axes, lengths = np.linalg.qr(columns)
    components = (axes * np.where(np.diag(lengths) < 0, -1.0, 1.0)).T @ directions
    first = np.argmax(np.abs(components) > _ZERO, axis=-2)
    along = np.take_along_axis(components, first[..., None, :], axis=-2)[..., 0, :]
    return np.where(along < 0, -1.0, 1.0)
