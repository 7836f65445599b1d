"""The cross-product of all columns of a model, written out: for what no elimination of blocks gives."""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.system import System

# Time grows with the cube of the number of coefficients: two seconds for the roots of as many as these.
MOST_COEFFICIENTS = 1000


def coefficient_count(model: Model) -> int:
    """Return the number of coefficients of the whole model."""
    return len(model.parametric.coefficients) + sum(term.size for term in (*model.dense, *model.blocks, *model.outer))


def full_crossproduct(model: Model, system: System) -> np.ndarray:
    """Return the cross-product of all columns of a model without outer terms, (coefficient, coefficient).

    The dense corner comes first, then the blocks level by level.
    """
    dense, functions = len(system.dense_gram), system.functions
    size = dense + model.level_count * functions
    matrix = np.zeros((size, size))
    matrix[:dense, :dense] = system.dense_gram
    pattern = system.level_pattern[: model.level_count]
    for level in np.flatnonzero(pattern[:, 0] >= 0):
        number, position = pattern[level]
        cluster = system.clusters[number]
        own = slice(dense + level * functions, dense + (level + 1) * functions)
        matrix[own, own] = system.block_gram[cluster.grid[position]]
        # The cross-products hold the root of the number of levels of the pattern.
        mixed = cluster.mixed[position] / np.sqrt(np.sum((pattern == pattern[level]).all(axis=1)))
        matrix[own, cluster.columns] = mixed
        matrix[cluster.columns, own] = mixed.T
    return matrix
