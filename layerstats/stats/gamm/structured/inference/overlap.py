"""How many directions of a random term unpenalised columns have as well: in these the term is zero, whatever the data.

In the test of the term that many eigenvalues are zero. Rounding errors leave values of either sign in their place,
which may be above what is negligible, so that they would choose the rank.
"""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.solution import Solution

# One less the squared cosine of an angle that is zero; and an eigenvalue of a cross-product, relative to the largest.
_ALIKE, _SINGULAR = 1e-8, 1e-10


def block_overlap(model: Model, solution: Solution, span: slice) -> int:
    """Return the number of shared directions of functions of the blocks, over all levels."""
    system, free = solution.system, _unpenalised(model, solution)
    inverse = np.linalg.pinv(system.block_gram[:, span, span], rcond=_SINGULAR, hermitian=True)
    projected = np.zeros((len(free), len(free)))
    for cluster in system.clusters:
        mixed = cluster.mixed[:, span]
        columns = cluster.columns
        projected[np.ix_(columns, columns)] += np.einsum("pfc,pfd->cd", mixed, inverse[cluster.grid] @ mixed)
    return _alike(projected[np.ix_(free, free)], system.dense_gram[np.ix_(free, free)])


def dense_overlap(model: Model, solution: Solution, span: slice) -> int:
    """Return the number of shared directions of a term of the dense corner."""
    gram, free = solution.system.dense_gram, _unpenalised(model, solution)
    across = gram[span][:, free]
    inverse = np.linalg.pinv(gram[span, span], rcond=_SINGULAR, hermitian=True)
    return _alike(across.T @ inverse @ across, gram[np.ix_(free, free)])


def _unpenalised(model: Model, solution: Solution) -> np.ndarray:
    """Return which columns of the dense corner no penalty sees, (column,)."""
    free = np.ones(solution.penalties.columns, dtype=bool)
    for term in model.dense:
        free[model.dense_spans[term.label]] = ~term.penalised
    return free


def _alike(projected: np.ndarray, gram: np.ndarray) -> int:
    """Return how many directions a projection leaves as they are, of columns with these cross-products."""
    size = np.sqrt(np.diag(gram))
    values, vectors = np.linalg.eigh(gram / np.outer(size, size))
    used = values > _SINGULAR * values[-1]
    root = vectors[:, used] / np.sqrt(values[used])
    cosines = np.linalg.eigvalsh(root.T @ (projected / np.outer(size, size)) @ root)
    return int(np.sum(cosines > 1 - _ALIKE))
