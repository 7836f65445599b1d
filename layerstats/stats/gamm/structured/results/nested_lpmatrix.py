"""The linear predictor of new rows with the covariance of its coefficients, where blocks are nested in groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd

from layerstats.stats.gamm.engine_interface import Design
from layerstats.stats.gamm.structured.nested.nested_solution import NestedSolution
from layerstats.stats.gamm.structured.fitting import StructuredFit


def nested_design(fit: StructuredFit, new_data: pd.DataFrame, exclude: Sequence[str] = ()) -> Design:
    """Return the columns of `new_data` without the terms in `exclude`; see `inference.design`.

    Coefficients of groups and blocks that do not occur in `new_data` are left out: their columns would be zero.
    """
    model, solution = fit.model, cast(NestedSolution, fit.optimum.solution)
    terms = [coefficient.term for coefficient in model.parametric.coefficients]
    terms += [term.label for term in model.dense for _ in range(term.size)]
    levels, place = np.unique(model.blocks[0].level_of(new_data), return_inverse=True)
    groups, group_place = np.unique(model.outer[0].level_of(new_data), return_inverse=True)
    owners = solution.system.level_group[levels]
    # The groups of the blocks matter to their covariance, whether or not the new rows are in them.
    every = np.unique(np.concatenate([groups, owners]))
    covariance = fit.edf.scale * _covariance(solution, every, levels, owners)
    inner = [term.label for term in model.blocks for _ in range(term.functions)]
    outer = [term.label for term in model.outer for _ in range(term.functions)]
    names = np.array(terms + outer * len(every) + inner * len(levels), dtype=object)
    row = np.arange(len(new_data))
    of_groups = np.zeros((len(new_data), len(every), len(outer)))
    of_groups[row, np.searchsorted(every, groups)[group_place]] = model.outer_columns(new_data)
    of_levels = np.zeros((len(new_data), len(levels), len(inner)))
    of_levels[row, place] = model.block_columns(new_data)
    matrix = np.hstack(
        [model.dense_columns(new_data), of_groups.reshape(len(row), -1), of_levels.reshape(len(row), -1)]
    )
    assert fit.group_coefficients is not None  # groups are what makes a model nested
    coefficients = np.concatenate(
        [fit.coefficients, fit.group_coefficients[every].ravel(), fit.level_coefficients[levels].ravel()]
    )
    in_new = np.repeat(np.isin(every, groups), len(outer))
    used = np.concatenate([np.ones(len(terms), bool), in_new, np.ones(len(inner) * len(levels), bool)])
    kept = np.flatnonzero(used & ~np.isin(names, list(exclude)))
    return Design(
        matrix[:, kept], coefficients[kept], covariance[np.ix_(kept, kept)], tuple(str(name) for name in names[kept])
    )


def _covariance(solution: NestedSolution, groups: np.ndarray, levels: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """Return the part of K^-1 for the dense corner, some groups, and some blocks of theirs."""
    system = solution.system
    functions, columns = solution.elimination.shape[1:]
    apart = np.zeros((columns + len(groups) * functions, columns + len(groups) * functions))
    along = np.zeros((len(apart), columns))
    along[:columns] = np.eye(columns)
    for position, group in enumerate(groups):
        rows = slice(columns + position * functions, columns + (position + 1) * functions)
        kind = system.group_kind[group]
        if kind < 0:
            apart[rows, rows] = np.diag(1 / solution.outer_penalties.sum(axis=0))
        else:
            apart[rows, rows] = solution.group_inverse[kind]
            along[rows] = -solution.elimination[kind]
    outer = apart + along @ solution.inverse @ along.T
    size = system.block_gram.shape[1]
    weights, own = np.zeros((len(levels) * size, len(outer))), np.zeros((len(levels) * size, len(levels) * size))
    prior = np.diag(1 / solution.block_penalties.sum(axis=0))
    for position, (level, owner) in enumerate(zip(levels, owners, strict=True)):
        rows = slice(position * size, (position + 1) * size)
        begin = columns + int(np.searchsorted(groups, owner)) * functions
        own[rows, rows], weight = _block(solution, level, prior)
        weights[rows, :columns], weights[rows, begin : begin + functions] = weight[:, :columns], weight[:, columns:]
    across = weights @ outer
    return np.block([[outer, -across.T], [-across, own + across @ weights.T]])


def _block(solution: NestedSolution, level: int, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return A^-1 and W of a block over dense corner and group; the prior where it has no data."""
    functions, columns = solution.elimination.shape[1:]
    weight = np.zeros((len(prior), columns + functions))
    for cluster, weights in zip(solution.system.clusters, solution.weights, strict=True):
        found = np.flatnonzero(cluster.levels == level)
        if len(found):
            pattern = cluster.place[found[0]]
            weight[:, np.concatenate([cluster.columns, columns + cluster.functions])] = weights[pattern]
            return solution.block_inverse[cluster.grid[pattern]], weight
    return prior, weight
