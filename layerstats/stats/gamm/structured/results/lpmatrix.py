"""The linear predictor of new rows with the covariance of its coefficients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from layerstats.stats.gamm.engine_interface import Design
from layerstats.stats.gamm.structured.fitting import StructuredFit


def design(fit: StructuredFit, new_data: pd.DataFrame, exclude: Sequence[str] = ()) -> Design:
    """Return the columns of `new_data` without the terms in `exclude`.

    Coefficients of random levels that do not occur in `new_data` are left out: their columns would be zero.
    """
    model, solution, scale = fit.model, fit.optimum.solution, fit.edf.scale
    terms = [coefficient.term for coefficient in model.parametric.coefficients]
    terms += [term.label for term in model.dense for _ in range(term.size)]
    kept = np.array([term not in exclude for term in terms], dtype=bool)
    matrix = model.dense_columns(new_data)[:, kept]
    covariance = scale * solution.inverse[np.ix_(kept, kept)]
    coefficients = fit.coefficients[kept]
    names = [term for term, keep in zip(terms, kept, strict=True) if keep]
    labels = np.array([term.label for term in model.blocks for _ in range(term.functions)])
    functions = np.flatnonzero(~np.isin(labels, list(exclude)))
    if not len(functions):
        return Design(matrix, coefficients, covariance, tuple(names))
    levels, place = np.unique(model.blocks[0].level_of(new_data), return_inverse=True)
    columns = np.zeros((len(new_data), len(levels), len(functions)))
    columns[np.arange(len(new_data)), place] = model.block_columns(new_data)[:, functions]
    weights = np.stack([_elimination(fit, level)[functions] for level in levels]).reshape(-1, len(terms))
    spread = scale * weights @ solution.inverse
    own = spread @ weights.T
    for position, level in enumerate(levels):
        square = slice(position * len(functions), (position + 1) * len(functions))
        own[square, square] += scale * _own_inverse(fit, level)[np.ix_(functions, functions)]
    return Design(
        matrix=np.hstack([matrix, columns.reshape(len(new_data), -1)]),
        coefficients=np.concatenate([coefficients, fit.level_coefficients[np.ix_(levels, functions)].ravel()]),
        covariance=np.block([[covariance, -spread[:, kept].T], [-spread[:, kept], own]]),
        term_of_column=(*names, *(labels[functions].tolist() * len(levels))),
    )


def _elimination(fit: StructuredFit, level: int) -> np.ndarray:
    """Return W of one level, (function, column)."""
    solution = fit.optimum.solution
    number, position = solution.system.level_pattern[level]
    weights = np.zeros((solution.system.functions, len(solution.coefficients)))
    if number >= 0:
        cluster = solution.system.clusters[number]
        # The cross-products hold the root of the number of levels of the pattern.
        count = np.sum((solution.system.level_pattern == (number, position)).all(axis=1))
        weights[:, cluster.columns] = solution.elimination[number][position] / np.sqrt(count)
    return weights


def _own_inverse(fit: StructuredFit, level: int) -> np.ndarray:
    """Return A^-1 of one level, (function, function): the prior where the level has no data."""
    solution = fit.optimum.solution
    number, position = solution.system.level_pattern[level]
    if number < 0:
        return np.diag(1 / solution.penalties.block_sum(solution.smoothing))
    return solution.block_inverse[solution.system.clusters[number].grid[position]]
