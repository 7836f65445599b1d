"""The order in which mgcv takes columns, each time the one with most left to explain; the last ones it leaves out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from layerstats.stats.gamm.structured.full_crossproduct import full_crossproduct
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.penalties import Penalties
from layerstats.stats.gamm.structured.smooths import DenseTerm
from layerstats.stats.gamm.structured.solution import solve
from layerstats.stats.gamm.structured.system import System

# Of squares: what is left to explain, where two columns count as equal.
TIED = 1e-8
# Keeps the matrix regular while all columns are in it, relative to the square of a column.
_RIDGE = 1e-10


def last_columns(cross: np.ndarray, kept: int, preference: np.ndarray) -> list[int]:
    """Return the columns that are not among the first `kept`, taken by what is left to explain.

    Parameters
    ----------
    cross
        (column, column) cross-product, with penalties.
    kept
        How many to take.
    preference
        (column,) the one with the largest is taken where several have as much left.
    """
    left = np.diag(cross).copy()
    root = np.zeros((kept, len(cross)))
    candidates = np.ones(len(cross), dtype=bool)
    for step in range(kept):
        most = left[candidates].max()
        tied = np.flatnonzero(candidates & (left >= (1 - TIED) * most))
        chosen = tied[np.argmax(preference[tied])]
        candidates[chosen] = False
        root[step] = (cross[chosen] - root[:step, chosen] @ root[:step]) / np.sqrt(left[chosen])
        left = left - root[step] ** 2
    return np.flatnonzero(candidates).tolist()


def after_penalised(model: Model, system: System) -> np.ndarray:
    """Return what is left of the dense corner once all penalised columns are accounted for, (column, column).

    With fREML `bam` takes those first: in coordinates where a penalty is the identity, all of them weigh as much as all
    columns together.
    """
    penalties = Penalties.of(model, int(system.block_count.sum()))
    square = float(np.diag(system.dense_gram)[~penalties.penalised].sum())
    block = np.einsum("gii,g->i", system.block_gram, system.block_count)
    dense = penalties.dense @ penalties.along_axes(np.eye(penalties.columns)) ** 2
    for information, diagonals in ((np.diag(system.dense_gram), dense), (block, penalties.block)):
        used = diagonals.sum(axis=0) > 0
        square += float(np.sum(information[used] / diagonals.sum(axis=0)[used]))
    ridge = np.where(penalties.penalised, 0.0, np.maximum(np.diag(system.dense_gram), 1.0))
    axes = np.pad(ridge, (0, penalties.dense.shape[1] - len(ridge)))
    held = replace(penalties, dense=np.vstack([axes, penalties.dense]), labels=("", *penalties.labels))
    smoothing = np.log([_RIDGE, *([square] * penalties.count)])
    information = solve(system, held, smoothing, "fREML").information
    information = information - np.diag(_RIDGE * ridge)
    penalised = penalties.penalised
    across = information[:, penalised]
    return information - across @ np.linalg.solve(information[np.ix_(penalised, penalised)], across.T)


def among_penalised(model: Model, system: System) -> np.ndarray:
    """Return the cross-product of all columns with penalties, each of the two of norm one, (coefficient, coefficient).

    With REML and ML, in `gam.fit3`, penalised columns have no precedence. Coordinates are eigenvectors of the sum of
    penalties, each of norm one.
    """
    information = full_crossproduct(model, system)
    penalty = np.zeros(len(information))
    for term in model.dense:
        span = model.dense_spans[term.label]
        change, penalty[span] = _eigenvectors(term)
        if change is not None:
            information[:, span] = information[:, span] @ change
            information[span] = change.T @ information[span]
    for term in model.blocks:
        span = model.block_spans[term.label]
        blocks = penalty[len(system.dense_gram) :].reshape(model.level_count, -1)
        blocks[:, span] = sum(diagonal / np.linalg.norm(diagonal) for diagonal in term.penalties) / np.sqrt(
            model.level_count
        )
    return information / np.trace(information) + np.diag(penalty) / max(penalty.sum(), np.finfo(float).tiny)


def _eigenvectors(term: DenseTerm) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the change from a term's coordinates to eigenvectors of its penalties in mgcv's, and the eigenvalues."""
    if term.transform is None or len(term.penalties) == 1:
        return None, np.sum([diagonal / np.linalg.norm(diagonal) for diagonal in term.penalties], axis=0)
    inverse = term.written
    written = [inverse.T @ penalty @ inverse for penalty in term.penalty_matrices()]
    values, vectors = np.linalg.eigh(np.sum([penalty / np.linalg.norm(penalty) for penalty in written], axis=0))
    # The unpenalised last, as in the term's own coordinates.
    values, rank = values[::-1].copy(), int(term.penalised.sum())
    values[rank:] = 0.0
    return inverse @ vectors[:, ::-1], values
