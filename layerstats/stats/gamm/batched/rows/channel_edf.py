"""Effective degrees of freedom of a block of channels; the formulas are those of `structured.inference.edf`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.batched.rows.channel_solution import Solutions


@dataclass(frozen=True, eq=False)
class ChannelEdf:
    """Degrees of freedom at the optimum of each channel.

    Attributes
    ----------
    dense, dense_edf1
        (channel, column) the diagonals of F and of 2F - FF over the dense corner.
    total
        (channel,) effective degrees of freedom of the whole model.
    """

    dense: np.ndarray
    dense_edf1: np.ndarray
    total: np.ndarray


def channel_edf(solutions: Solutions) -> ChannelEdf:
    """Return the degrees of freedom at given smoothing parameters."""
    shared, inverse = solutions.shared, solutions.inverse
    block_penalty = solutions.block_penalties.sum(1)
    shrinkage = inverse * solutions.dense_penalties.sum(1)[:, None, :]
    columns, functions = np.arange(inverse.shape[-1]), np.arange(block_penalty.shape[-1])
    dense = 1 - shrinkage[:, columns, columns]
    kept = np.eye(len(columns)) - shrinkage
    twice = (kept * kept.swapaxes(-1, -2)).sum(-1)
    twice = twice + ((inverse @ solutions.gather(block_penalty)) * shrinkage.swapaxes(-1, -2)).sum(-1)
    variance = shared.block_count[:, None, None] * solutions.block_inverse + solutions.spread(inverse)
    shrunk = variance[..., functions, functions].sum(1) * block_penalty
    block = float(shared.design.system.block_count.sum()) - shrunk
    return ChannelEdf(dense, 2 * dense - twice, dense.sum(-1) + block.sum(-1))
