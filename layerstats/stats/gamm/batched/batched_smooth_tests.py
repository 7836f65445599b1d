"""Is a smooth zero, channel by channel? The test of `structured.inference.smooth_test` for many channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from layerstats.stats.gamm.batched.tails import f_like_tails
from layerstats.stats.gamm.structured.inference.smooth_test import signs_along


@dataclass(frozen=True, eq=False)
class SmoothTests:
    """Tests of one smooth, (channel,) each: statistic over its degrees of freedom, these, and p-value."""

    statistic: np.ndarray
    reference_df: np.ndarray
    p_value: np.ndarray


def smooth_tests(
    coefficients: np.ndarray,
    gram: np.ndarray,
    covariance: np.ndarray,
    df: np.ndarray,
    residual: np.ndarray,
    written: np.ndarray | None = None,
) -> SmoothTests:
    """Test whether a smooth is zero everywhere (Wood 2013, Biometrika 100, 221-228), with fractional rank.

    Parameters
    ----------
    coefficients
        (channel, coefficient)
    gram
        (coefficient, coefficient) cross-product of the columns of the smooth, the same for all channels.
    covariance
        (channel, coefficient, coefficient) Bayesian.
    df, residual
        (channel,) effective degrees of freedom of the smooth (edf1), and of the residuals.
    written
        As for `smooth_test`.

    Notes
    -----
    As in the structured engine, the p-value is the mean over both signs of the eigenvectors of the fractional part, the
    statistic that of the first.
    """
    values, vectors = np.linalg.eigh(gram)
    root = np.asarray(np.linalg.qr((vectors * np.sqrt(np.maximum(values, 0))).T, mode="r"))
    fitted = (root @ coefficients[:, :, None])[:, :, 0]
    variance, directions = np.linalg.eigh(root @ covariance @ root.T)
    variance, directions = variance[:, ::-1], directions[:, :, ::-1]
    directions = directions * signs_along(root if written is None else root @ written, directions)[:, None]
    usable = np.sum(variance > variance[:, :1] * np.finfo(float).eps ** 0.9, axis=1)
    rank = np.minimum(np.minimum(float(coefficients.shape[1]), df), usable.astype(float))
    whole = np.floor(rank).astype(int)
    fraction = rank - whole
    scores = (fitted[:, None] @ directions)[:, 0] / np.sqrt(np.maximum(variance, np.finfo(float).tiny))
    squares = np.cumsum(np.column_stack([np.zeros(len(rank)), scores**2]), axis=1)
    channels = np.arange(len(rank))
    # Without a fractional part, or of a rank below one, which is tested as one, it is an ordinary F.
    tested = np.maximum(whole, 1)
    statistic = squares[channels, tested]
    p_value = special.fdtrc(tested, residual, statistic / tested)
    mixed = np.flatnonzero((fraction != 0) & (whole != 0))
    if len(mixed):
        place, part = whole[mixed], fraction[mixed]
        certain = squares[mixed, place - 1]
        first, second = scores[mixed, place - 1], scores[mixed, place]
        own = certain + first**2 + part * second**2
        across = 2 * np.sqrt(part * (1 - part) / 2) * first * second
        larger = (part + 1 + np.sqrt((part + 1) * (1 - part))) / 2
        weights = np.column_stack([np.ones(len(mixed)), larger, part + 1 - larger])
        parts = np.column_stack([place - 1.0, np.ones(len(mixed)), np.ones(len(mixed))])
        tails = [f_like_tails(own + sign * across, weights, parts, residual[mixed]) for sign in (1, -1)]
        statistic[mixed], p_value[mixed] = own + across, (tails[0] + tails[1]) / 2
    return SmoothTests(statistic / rank, rank, p_value)
