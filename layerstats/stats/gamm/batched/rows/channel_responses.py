"""Responses of a block of channels as cross-products with the columns of the design."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.batched.rows.channel_design import ChannelDesign, Pattern


@dataclass(frozen=True, eq=False)
class Responses:
    """What fits read of the responses; the same as in `structured.system.System`, with channels in front.

    Attributes
    ----------
    dense
        (channel, column) X'y.
    square
        (channel,) y'y.
    block_square
        (channel, grid, function, function) the sum over levels of Z'y y'Z.
    clusters
        For each cluster (channel, pattern, function): Z'y summed over levels, divided by the root of their number.
    """

    dense: np.ndarray
    square: np.ndarray
    block_square: np.ndarray
    clusters: tuple[np.ndarray, ...]

    def take(self, channels: np.ndarray) -> Responses:
        """Return some channels."""
        return Responses(
            self.dense[channels],
            self.square[channels],
            self.block_square[channels],
            tuple(cluster[channels] for cluster in self.clusters),
        )


def cross_products(design: ChannelDesign, values: np.ndarray) -> Responses:
    """Sum up the responses of some channels.

    Parameters
    ----------
    design
        The model.
    values
        (channel, row) centred responses, rows as in the design.
    """
    count, system = len(values), design.system
    functions = system.functions
    dense = np.zeros((count, len(system.dense_gram)))
    square = np.zeros(count)
    block_square = np.zeros((count, len(system.block_gram), functions, functions))
    clusters = []
    for cluster, patterns in zip(system.clusters, design.patterns, strict=True):
        sums = []
        for pattern, grid in zip(patterns, cluster.grid, strict=True):
            whitened = _whitened(np.ascontiguousarray(values[:, pattern.rows]), pattern, design.rho)
            square += (whitened**2).sum(-1).sum(-1)
            # A product a channel, so that no channel's numbers depend on which others are in the block.
            total = whitened.sum(-2)[:, None, :]
            dense[:, cluster.columns] += (total @ np.ascontiguousarray(pattern.dense))[:, 0]
            functions_of_pattern = np.ascontiguousarray(pattern.block)
            cross = whitened @ functions_of_pattern
            block_square[:, int(grid)] += cross.swapaxes(-1, -2) @ cross
            sums.append((total @ functions_of_pattern)[:, 0] / np.sqrt(len(pattern.rows)))
        stacked = np.zeros((count, len(sums), functions))
        for position, one in enumerate(sums):
            stacked[:, position] = one
        clusters.append(stacked)
    return Responses(dense, square, block_square, tuple(clusters))


def _whitened(values: np.ndarray, pattern: Pattern, rho: float) -> np.ndarray:
    """Return (channel, level, sample) responses with independent residuals; see `structured.whitening`."""
    if rho == 0:
        return values
    whitened = values / np.sqrt(1 - rho**2)
    whitened[..., 1:] -= values[..., :-1] * (rho / np.sqrt(1 - rho**2))
    starts = np.flatnonzero(pattern.starts)
    whitened[..., starts] = values[..., starts]
    return whitened
