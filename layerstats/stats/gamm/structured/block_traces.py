"""What the penalties of the random blocks are in the dense corner: the traces of the criterion's Hessian.

With W of `solution` and P a matrix over the dense corner, R_j = sum W'D_jW is penalty j there, and wanted are the sums
of W P W', the diagonals of P R_j P and tr(P R_i P R_j).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.solution import Solution


@dataclass(frozen=True, eq=False)
class BlockTraces:
    """Traces with the penalties of the blocks.

    Attributes
    ----------
    spread
        (grid, function, function) the sum over the levels of a grid of W P W'.
    axes
        (penalty, axis) the diagonal of P R_j P along the axes of the penalties.
    pairs
        (penalty, penalty) tr(P R_i P R_j).
    """

    spread: np.ndarray
    axes: np.ndarray
    pairs: np.ndarray


def block_traces(solution: Solution, inverse: np.ndarray) -> BlockTraces:
    """Return the traces for P = `inverse`, by the way that takes fewer multiplications."""
    size, penalties = len(inverse), len(solution.block_penalties)
    rows = [cluster.mixed.shape[0] * cluster.mixed.shape[1] for cluster in solution.system.clusters]
    # Of the sides W P and squares P R P, where they are; else of P R.
    products = sum(
        number * size * (2 * len(cluster.columns) + size)
        for number, cluster in zip(rows, solution.system.clusters, strict=True)
    )
    return (_by_rows if products < 2 * penalties * size**3 else _by_squares)(solution, inverse)


def _by_squares(solution: Solution, inverse: np.ndarray) -> BlockTraces:
    """Gather the penalties, and multiply: for many blocks that touch few columns each."""
    penalties = solution.penalties
    along = penalties.along_axes(inverse)
    products = [inverse @ solution.gather(diagonal) for diagonal in solution.block_penalties]
    axes = [np.sum(penalties.along_axes(product) * along, axis=1) for product in products]
    flat = np.stack([product.ravel() for product in products])
    pairs = flat @ np.stack([product.T.ravel() for product in products]).T
    return BlockTraces(solution.spread(inverse), np.stack(axes), (pairs + pairs.T) / 2)


def _by_rows(solution: Solution, inverse: np.ndarray) -> BlockTraces:
    """Multiply the rows of W: for blocks that touch most columns. Products of a matrix with itself cost half."""
    penalties, size, diagonals = solution.penalties, len(inverse), solution.block_penalties
    spread = np.zeros_like(solution.block_inverse)
    axes = np.zeros((len(diagonals), penalties.dense.shape[1]))
    squares = np.zeros((len(diagonals), size, size))
    for cluster, weights in zip(solution.system.clusters, solution.elimination, strict=True):
        wide = len(cluster.columns) == size
        rows = weights.reshape(-1, len(cluster.columns))
        through = (rows @ (inverse if wide else inverse[cluster.columns])).reshape(*weights.shape[:2], size)
        inside = through if wide else through.take(cluster.columns, 2)
        cluster.add_by_grid(spread, inside @ weights.transpose(0, 2, 1))
        for number, diagonal in enumerate(diagonals):
            used = diagonal > 0
            own = (through[:, used] * np.sqrt(diagonal[used])[:, None]).reshape(-1, size)
            squares[number] += own.T @ own
            along = penalties.along_axes(own.T)
            axes[number] += np.einsum("ar,ar->a", along, along)
    gathered = np.stack([solution.gather(diagonal).ravel() for diagonal in diagonals])
    pairs = squares.reshape(len(diagonals), -1) @ gathered.T
    return BlockTraces(spread, axes, (pairs + pairs.T) / 2)
