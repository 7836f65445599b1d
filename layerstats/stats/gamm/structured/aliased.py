"""Unpenalised coefficients that the data cannot tell from the others are left out: the same ones as `bam` leaves out.

`bam` takes the columns one by one, each time the one with most left to explain once those before it are accounted for,
with a penalty of middling size on the penalised ones. Columns that are left at the end with nothing to explain are
dropped; their coefficients are zero, without a standard error. Where columns tie, as those of nested factors do,
rounding errors decide in `bam`. Here the first in the formula stays, provided that nothing but these coefficients
depends on the choice; the model is refused otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.stats.gamm.structured.penalties import Penalties
from layerstats.stats.gamm.structured.refusal import Refusal
from layerstats.stats.gamm.structured.smooths import DenseTerm
from layerstats.stats.gamm.structured.solution import solve
from layerstats.stats.gamm.structured.system import System

if TYPE_CHECKING:
    from layerstats.stats.gamm.structured.model import Model

# Singular values of columns of unit length, relative to the largest: an exact dependence leaves rounding errors only.
_DEPENDENT = 1e-10
# Of squares: what is left to explain, where two columns count as equal.
_TIED = 1e-8
# Keeps the matrix regular while all columns are in it, relative to the square of a column.
_RIDGE = 1e-10


@dataclass(frozen=True)
class Aliased:
    """The coefficients that were left out.

    Attributes
    ----------
    names
        What they are.
    arbitrary
        Whether mgcv may have left out others in their place.
    """

    names: tuple[str, ...] = ()
    arbitrary: bool = False


def dependencies(model: Model) -> np.ndarray:
    """Return the combinations of unpenalised columns that are zero in every row, (combination, column)."""
    free = _unpenalised(model)
    columns = model.dense_columns(model.rows.frame)[:, free] * np.sqrt(model.rows.counts)[:, None]
    size = np.linalg.norm(columns, axis=0)
    size[size == 0] = 1.0
    # The squares of singular values, quick to have; rounding errors of squares hide what is below 1e-8.
    values = np.linalg.eigvalsh((columns / size).T @ (columns / size))
    if not len(free) or values[0] > 1e-12 * values[-1]:
        return np.zeros((0, len(free)))
    root = np.linalg.qr(columns / size, mode="r")
    _, singular, right = np.linalg.svd(root, full_matrices=True)
    rank = int(np.sum(singular > _DEPENDENT * singular[0]))
    return right[rank:] / size


def without_aliased(model: Model, combinations: np.ndarray, system: System, method: str) -> Model:
    """Return `model` without the unpenalised columns that `bam` leaves out.

    Parameters
    ----------
    combinations
        As `dependencies` returns them.
    system
        The data under `model`.
    method
        The criterion.

    Raises
    ------
    Refusal
        Which ones `bam` leaves out cannot be known.
    """
    free = _unpenalised(model)
    names = _names(model)
    largest = np.abs(combinations * np.sqrt(np.diag(system.dense_gram)[free])).max(axis=0)
    involved = [names[column] for column, share in zip(free, largest, strict=True) if share > 1e-6 * largest.max()]
    empty = [names[column] for column in free if system.dense_gram[column, column] == 0]
    among = f"terms that the data cannot tell apart ({', '.join(dict.fromkeys([*involved, *empty]))})"
    if method == "REML":
        raise Refusal(f"{among} with method = 'REML': mgcv counts what it leaves out as estimated; use 'fREML'")
    smooths = [term for term in model.dense if _involves(model, term, free, largest)]
    if any(term.null_dimension > 1 or len(term.penalties) > 1 for term in smooths):
        raise Refusal(f"{among}: rounding errors decide what mgcv leaves out of a smooth with several of them")
    kept = len(free) - len(combinations)
    remaining = _left_to_explain(model, system)[np.ix_(free, free)]
    first, last = (_last_columns(remaining, kept, latest) for latest in (False, True))
    arbitrary = method == "ML" or set(first) != set(last)
    if arbitrary and (smooths or not _same_determinant(remaining, first, last)):
        raise Refusal(f"{among}: rounding errors decide which of them mgcv leaves out, and results depend on it")
    return _leave_out(model, {int(free[position]) for position in first}, arbitrary)


def _same_determinant(remaining: np.ndarray, first: list[int], last: list[int]) -> bool:
    """Return whether the score is the same whichever columns are left out, as with columns of factors."""
    values = [np.linalg.slogdet(np.delete(np.delete(remaining, out, 0), out, 1))[1] for out in (first, last)]
    return bool(abs(values[0] - values[1]) < _TIED)


def _unpenalised(model: Model) -> np.ndarray:
    """Return the columns of the dense corner without penalty."""
    parametric = np.arange(len(model.parametric.coefficients))
    smooth = [np.arange(span.start, span.stop)[~term.penalised] for term, span in _terms(model)]
    return np.concatenate([parametric, *smooth])


def _terms(model: Model) -> list[tuple[DenseTerm, slice]]:
    return [(term, model.dense_spans[term.label]) for term in model.dense]


def _names(model: Model) -> list[str]:
    parametric = [coefficient.name for coefficient in model.parametric.coefficients]
    return [*parametric, *(term.label for term in model.dense for _ in range(term.size))]


def _involves(model: Model, term: DenseTerm, free: np.ndarray, largest: np.ndarray) -> bool:
    span = model.dense_spans[term.label]
    return bool(np.any(largest[(free >= span.start) & (free < span.stop)] > 1e-6 * largest.max()))


def _left_to_explain(model: Model, system: System) -> np.ndarray:
    """Return the cross-product of the dense corner once all penalised columns are accounted for, (column, column)."""
    penalties = Penalties.of(model, int(system.block_count.sum()))
    # In coordinates where a penalty is the identity, all of them weigh as much as all columns together.
    square = float(np.diag(system.dense_gram)[~penalties.penalised].sum())
    block = np.einsum("gii,g->i", system.block_gram, system.block_count)
    for information, diagonals in ((np.diag(system.dense_gram), penalties.dense), (block, penalties.block)):
        used = diagonals.sum(axis=0) > 0
        square += float(np.sum(information[used] / diagonals.sum(axis=0)[used]))
    ridge = np.where(penalties.penalised, 0.0, np.maximum(np.diag(system.dense_gram), 1.0))
    held = replace(penalties, dense=np.vstack([ridge, penalties.dense]), labels=("", *penalties.labels))
    smoothing = np.log([_RIDGE, *([square] * penalties.count)])
    information = solve(system, held, smoothing, "REML").information
    information = information - np.diag(_RIDGE * ridge)
    penalised = penalties.penalised
    across = information[:, penalised]
    return information - across @ np.linalg.solve(information[np.ix_(penalised, penalised)], across.T)


def _last_columns(remaining: np.ndarray, kept: int, latest: bool) -> list[int]:
    """Return the columns that are not among the first `kept`, taken by what is left to explain.

    Where several have as much left, take the last of them, or the first.
    """
    remaining = remaining.copy()
    candidates = list(range(len(remaining)))
    for _ in range(kept):
        left = np.array([remaining[column, column] for column in candidates])
        tied = np.flatnonzero(left > (1 - _TIED) * left.max())
        chosen = candidates.pop(int(tied[-1 if latest else 0]))
        remaining = remaining - np.outer(remaining[:, chosen], remaining[chosen]) / remaining[chosen, chosen]
    return candidates


def _leave_out(model: Model, columns: set[int], arbitrary: bool) -> Model:
    written = model.parametric.coefficients
    left = [coefficient for column, coefficient in enumerate(written) if column not in columns]
    names = [coefficient.name for column, coefficient in enumerate(written) if column in columns]
    dense = []
    for term, span in _terms(model):
        kept = np.array([column not in columns for column in range(span.start, span.stop)])
        if not kept.all():
            names.append(f"the unpenalised function of {term.label}")
            term = _with_columns(term, kept)
        dense.append(term)
    return replace(
        model,
        parametric=replace(model.parametric, coefficients=tuple(left)),
        dense=tuple(dense),
        aliased=Aliased(tuple(names), arbitrary),
    )


def _with_columns(term: DenseTerm, kept: np.ndarray) -> DenseTerm:
    return replace(
        term,
        columns=partial(_some_columns, term, kept),
        penalties=tuple(penalty[kept] for penalty in term.penalties),
        shear=None,
        transform=None,
        aliased=int(np.sum(~kept)),
    )


def _some_columns(term: DenseTerm, kept: np.ndarray, frame: pd.DataFrame) -> np.ndarray:
    return term.columns(frame)[:, kept]
