"""Unpenalised coefficients that the data cannot tell from the others are left out: the same ones as `bam` leaves out.

`bam` takes the columns one by one, each time the one with most left to explain once those before it are accounted for,
with a penalty of middling size on the penalised ones. Columns that are left at the end with nothing to explain are
dropped; their coefficients are zero, without a standard error. Where columns tie, as those of nested factors and of
copies of a smooth do, rounding errors decide in `bam`. Here the first of parametric columns and the last of smooths
stays, provided that the score is the same whichever is left out; the model is refused otherwise.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from layerstats.stats.gamm.structured.full_crossproduct import MOST_COEFFICIENTS, coefficient_count
from layerstats.stats.gamm.structured.model import Aliased, Model
from layerstats.stats.gamm.structured.pivoting import TIED, after_penalised, among_penalised, last_columns
from layerstats.stats.gamm.structured.smooths import DenseTerm
from layerstats.stats.gamm.structured.system import System
from layerstats.stats.gamm.structured.unique_rows import pieces
from layerstats.stats.gamm.structured.unsupported import Unsupported

# Singular values of columns of unit length, relative to the largest: an exact dependence leaves rounding errors only.
_DEPENDENT = 1e-10


def dependencies(model: Model) -> np.ndarray:
    """Return the combinations of unpenalised columns that are zero in every row, (combination, column)."""
    columns = _unpenalised_columns(model) * np.sqrt(model.rows.counts)[:, None]
    return null_combinations(columns)


def null_combinations(columns: np.ndarray) -> np.ndarray:
    """Return the combinations of columns, (row, column), that are zero in every row, (combination, column)."""
    size = np.linalg.norm(columns, axis=0)
    size[size == 0] = 1.0
    # The squares of singular values, quick to have; rounding errors of squares hide what is below 1e-8.
    values = np.linalg.eigvalsh((columns / size).T @ (columns / size))
    if not columns.shape[1] or values[0] > 1e-12 * values[-1]:
        return np.zeros((0, columns.shape[1]))
    root = np.linalg.qr(columns / size, mode="r")
    _, singular, right = np.linalg.svd(root, full_matrices=True)
    rank = int(np.sum(singular > _DEPENDENT * singular[0]))
    return right[rank:] / size


def without_aliased(model: Model, combinations: np.ndarray, system: System, method: str) -> tuple[Model, np.ndarray]:
    """Return `model` without the unpenalised columns that `bam` leaves out, and the columns that stay.

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
    Unsupported
        Which ones `bam` leaves out cannot be known.
    """
    if method == "fREML" and not model.labels:
        # So does bam() without smooths.
        method = "REML"
    free = _unpenalised(model)
    names = _names(model)
    largest = np.abs(combinations * np.sqrt(np.diag(system.dense_gram)[free])).max(axis=0)
    involved = [names[column] for column, share in zip(free, largest, strict=True) if share > 1e-6 * largest.max()]
    empty = [names[column] for column in free if system.dense_gram[column, column] == 0]
    among = f"terms that the data cannot tell apart ({', '.join(dict.fromkeys([*involved, *empty]))})"
    smooths = [term for term in model.dense if _involves(model, term, free, largest)]
    if any(term.null_dimension > 2 or len(term.penalties) > 1 for term in smooths):
        raise Unsupported(f"{among}: rounding errors decide what mgcv leaves out of a smooth with several of them")
    small = not model.outer and coefficient_count(model) <= MOST_COEFFICIENTS
    if method != "fREML" and small:
        cross, free = among_penalised(model, system), np.arange(coefficient_count(model))
    elif method == "REML" or (method == "ML" and smooths):
        raise Unsupported(
            f"{among} with method = {method!r} and more than {MOST_COEFFICIENTS} coefficients; use 'fREML'"
        )
    else:
        cross = after_penalised(model, system)[np.ix_(free, free)]
    # Of columns that tie parametric ones stay in the order of the formula, before them the last one of a smooth.
    parametric = free < len(model.parametric.coefficients)
    preference = np.where(parametric, -1.0 - free, free)
    kept = len(cross) - len(combinations)
    chosen, other = (last_columns(cross, kept, sign * preference) for sign in (1.0, -1.0))
    if method != "ML" and abs(_determinant_without(cross, chosen) - _determinant_without(cross, other)) > TIED:
        raise Unsupported(f"{among}: rounding errors decide which of them mgcv leaves out, and results depend on it")
    left_out = set(free[chosen].tolist())
    arbitrary = set(chosen) != set(other) or (method == "ML" and not small)
    counted = len(left_out) if method == "REML" else 0
    stay = np.setdiff1d(np.arange(model.dense_count), sorted(left_out))
    return _leave_out(model, left_out, Aliased((), arbitrary, counted, bool(smooths))), stay


def _determinant_without(cross: np.ndarray, columns: list[int]) -> float:
    """Return the log determinant without some columns, on which the score depends."""
    return float(np.linalg.slogdet(np.delete(np.delete(cross, columns, 0), columns, 1))[1])


def _unpenalised(model: Model) -> np.ndarray:
    """Return the columns of the dense corner without penalty."""
    parametric = np.arange(len(model.parametric.coefficients))
    smooth = [np.arange(span.start, span.stop)[~term.penalised] for term, span in _terms(model)]
    return np.concatenate([parametric, *smooth])


def _unpenalised_columns(model: Model) -> np.ndarray:
    """Return their values in the different rows, (row, column)."""
    frame = model.rows.frame
    terms = [term for term in model.dense if not term.penalised.all()]
    found = []
    for piece in pieces(len(frame), sum(term.size for term in terms)):
        rows = frame.iloc[piece]
        smooth = [term.columns(rows)[:, ~term.penalised] for term in terms]
        found.append(np.hstack([model.parametric.columns(rows), *smooth]))
    return np.concatenate(found)


def _terms(model: Model) -> list[tuple[DenseTerm, slice]]:
    return [(term, model.dense_spans[term.label]) for term in model.dense]


def _names(model: Model) -> list[str]:
    parametric = [coefficient.name for coefficient in model.parametric.coefficients]
    return [*parametric, *(term.label for term in model.dense for _ in range(term.size))]


def _involves(model: Model, term: DenseTerm, free: np.ndarray, largest: np.ndarray) -> bool:
    span = model.dense_spans[term.label]
    return bool(np.any(largest[(free >= span.start) & (free < span.stop)] > 1e-6 * largest.max()))


def _leave_out(model: Model, columns: set[int], aliased: Aliased) -> Model:
    written = model.parametric.coefficients
    left = [coefficient for column, coefficient in enumerate(written) if column not in columns]
    names = [coefficient.name for column, coefficient in enumerate(written) if column in columns]
    dense = []
    for term, span in _terms(model):
        kept = np.array([column not in columns for column in range(span.start, span.stop)])
        if not kept.all():
            names.append(f"{'the' if term.null_dimension == 1 else 'an'} unpenalised function of {term.label}")
            term = _with_columns(term, kept)
        dense.append(term)
    return replace(
        model,
        parametric=replace(model.parametric, coefficients=tuple(left)),
        dense=tuple(dense),
        aliased=replace(aliased, names=tuple(names)),
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
