"""One AR(1) parameter for all channels of a layer."""

from __future__ import annotations

import numpy as np

from layerstats.errors import DataError
from layerstats.stats.gamm.batched.rows.channel_design import ChannelDesign
from layerstats.stats.gamm.batched.rows.channel_fits import FITTED, ChannelBatch, minimise_batch, response_status
from layerstats.stats.gamm.batched.rows.channel_solution import share

_BATCH = 16


def mean_autocorrelation(design: ChannelDesign, values: np.ndarray) -> float:
    """Return the mean over channels of the lag-1 autocorrelation of residuals of the model without AR(1).

    Channels share their rows, so that one AR(1) parameter lets them share all cross-products of the model too; for a
    single channel it is what ``fit(rho="auto")`` takes. Dead channels do not count.

    Parameters
    ----------
    design
        The model; whatever its own parameter is, 0 is taken.
    values
        (channel, row), rows as in the data.

    Raises
    ------
    DataError
        No channel can be fitted.
    """
    plain = design.with_rho(0.0)
    shared = share(plain)
    ordered = np.ascontiguousarray(values[:, plain.positions], dtype=np.float64)
    ordered = ordered[response_status(ordered) == FITTED]
    if not len(ordered):
        raise DataError("Every channel is dead (its values never vary) or holds values that are not finite.")
    found = []
    for begin in range(0, len(ordered), _BATCH):
        piece = ordered[begin : begin + _BATCH]
        found.append(_autocorrelations(plain, minimise_batch(shared, piece), piece))
    rho = np.concatenate(found)
    return float(np.clip(rho[np.isfinite(rho)].mean(), -0.99, 0.99)) if np.isfinite(rho).any() else 0.0


def _autocorrelations(design: ChannelDesign, batch: ChannelBatch, values: np.ndarray) -> np.ndarray:
    coefficients = batch.solutions.coefficients
    inverse = batch.solutions.block_inverse
    starts = design.request.series_start
    product, early, late = np.zeros((3, len(values)))
    for cluster, patterns in zip(design.system.clusters, design.patterns, strict=True):
        for pattern, grid in zip(patterns, cluster.grid, strict=True):
            fixed = coefficients[:, cluster.columns] @ pattern.dense.T
            left = values[:, pattern.rows] - batch.offset[:, None, None] - fixed[:, None]
            # The random part follows what the fixed part leaves by Z A^-1 Z'.
            left = left - (left @ pattern.block) @ inverse[:, grid] @ pattern.block.T
            within = ~starts[pattern.rows[0]][1:] if starts is not None else np.ones(left.shape[2] - 1, dtype=bool)
            first, second = left[:, :, :-1][:, :, within], left[:, :, 1:][:, :, within]
            product += np.sum(first * second, axis=(1, 2))
            early += np.sum(first**2, axis=(1, 2))
            late += np.sum(second**2, axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return product / np.sqrt(early * late)
