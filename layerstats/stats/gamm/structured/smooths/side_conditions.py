"""Smooths that contain others: the larger one loses what the smaller ones are in it, as in mgcv.

``te(x, z) + s(x)`` has the curves over x twice. Of the columns of the larger smooth that depend on those of all smooths
of fewer of its covariates, and on the constant, mgcv's ``gam.side`` deletes as many as there are too many, and deletes
the same rows and columns of its penalties, which no coordinates make diagonal together any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import numpy as np
import pandas as pd
from scipy.linalg import qr

from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.structured.smooths.by_variable import copies
from layerstats.stats.gamm.structured.smooths.coordinates import null_axes, single_penalty
from layerstats.stats.gamm.structured.smooths.parametric import ParametricPart
from layerstats.stats.gamm.structured.smooths.term import DenseTerm, GroupedTerm
from layerstats.stats.gamm.structured.unique_rows import UniqueRows
from layerstats.stats.gamm.structured.unsupported import Unsupported

# As in mgcv: what counts as dependent, relative to the largest column, and as an eigenvalue of zero.
_DEPENDENT = np.finfo(float).eps ** 0.5
_ZERO = np.finfo(float).eps ** 0.75
# Of squares: what is left of two columns that tie.
_TIED = 1e-8

Built = tuple[SmoothTerm, Sequence[DenseTerm] | Sequence[GroupedTerm]]


@dataclass(frozen=True, eq=False)
class _Part:
    """A copy of a smooth: its covariates with what they are multiplied by, and the term."""

    smooth: SmoothTerm
    names: tuple[str, ...]
    term: DenseTerm


def with_side_conditions(built: Sequence[Built], parametric: ParametricPart, setup: pd.DataFrame) -> list[DenseTerm]:
    """Return the terms that lose columns, changed.

    Parameters
    ----------
    built
        The smooths of a formula and their terms.
    parametric
        The parametric part.
    setup
        The rows from which mgcv builds its bases.

    Raises
    ------
    Unsupported
        What is lost depends on rounding errors in mgcv.
    """
    parts = [part for smooth, terms in built for part in _parts(smooth, terms, setup)]
    names = [name for part in parts for name in part.names]
    if len(set(names)) == len(names):
        return []
    shared = [part for part in parts if any(names.count(name) > 1 for name in part.names)]
    columns = dict.fromkeys(column for part in shared for column in part.smooth.columns)
    rows = UniqueRows.of(setup, [*columns, *dict.fromkeys(_columns_of(parametric, setup))])
    weights = np.sqrt(rows.counts)[:, None]
    found = {part.term.label: weights * _in_mgcv(part.term, rows.frame) for part in shared}
    first = weights[:, : int(_has_constant(parametric.columns(rows.frame)))]
    changed = []
    order = sorted(range(len(shared)), key=lambda number: len(shared[number].names))
    for position, number in enumerate(order):
        part = shared[number]
        smaller = [shared[other] for other in order[:position] if set(shared[other].names) & set(part.names)]
        if not smaller:
            continue
        label = part.term.label
        contained = np.hstack([first, *(found[other.term.label] for other in smaller)])
        lost = dependent_columns(contained, found[label])
        if len(lost):
            tied = set(lost) != set(dependent_columns(contained, found[label], latest=True))
            if part.smooth.function == "t2" and set(part.smooth.bases) != {"tp"}:
                raise Unsupported(f"smooths that contain each other ({smaller[0].term.label} and {label})")
            kept = np.setdiff1d(np.arange(part.term.size), lost)
            found[label] = found[label][:, kept]
            changed.append(replace(_without(part.term, kept), arbitrary=tied))
    return changed


def dependent_columns(first: np.ndarray, second: np.ndarray, *, latest: bool = False) -> np.ndarray:
    """Return which columns of `second` mgcv's ``fixDependence`` deletes, so that none depends on those of `first`.

    Columns are taken one by one, each time the one of which most is left; those left at the end are deleted. Where
    several have as much left, rounding errors decide in mgcv: here the first of them is taken, or the `latest`.

    Examples
    --------
    >>> first = np.array([[1.0, 0], [1, 1], [1, 2], [1, 3]])
    >>> dependent_columns(first, np.array([[0.0, 1], [1, 4], [4, 7], [9, 10]]))
    array([1])
    """
    basis, root, _ = cast("tuple[np.ndarray, np.ndarray, np.ndarray]", qr(first, mode="economic", pivoting=True))
    left = second - basis @ (basis.T @ second)
    left = np.asarray(np.linalg.qr(left - basis @ (basis.T @ left), mode="r"))
    rank = _rank(left, abs(root[0, 0]) * _DEPENDENT)
    candidates = np.arange(second.shape[1])
    for _ in range(rank):
        square = np.sum(left[:, candidates] ** 2, axis=0)
        tied = np.flatnonzero(square > (1 - _TIED) * square.max())
        position = tied[-1 if latest else 0]
        direction = left[:, candidates[position]] / np.sqrt(square[position])
        candidates = np.delete(candidates, position)
        for _ in range(2):
            left[:, candidates] -= np.outer(direction, direction @ left[:, candidates])
    return candidates


def _rank(matrix: np.ndarray, smallest: float) -> int:
    """Return how many columns are more than rounding errors, as mgcv tells: by means of the last corners of a root."""
    triangle = np.abs(qr(matrix, mode="r", pivoting=True)[0])
    size = len(triangle)
    rank = size
    while rank > 0 and triangle[rank - 1 :, rank - 1 : size].mean() < smallest:
        rank -= 1
    return rank


def _parts(smooth: SmoothTerm, terms: Sequence[DenseTerm] | Sequence[GroupedTerm], setup: pd.DataFrame) -> list[_Part]:
    if smooth.random:
        return []
    by = "" if smooth.by is None else str(smooth.by)
    return [
        _Part(smooth, tuple(f"{name}{by}{copy.level or ''}" for name in smooth.variables), term)
        for copy, term in zip(copies(smooth, setup), terms, strict=True)
        if isinstance(term, DenseTerm)
    ]


def _columns_of(parametric: ParametricPart, setup: pd.DataFrame) -> list[str]:
    """Return the columns of the table that tell rows of the parametric part apart, where it has no intercept."""
    if parametric.has_intercept:
        return []
    return [str(variable) for one in parametric.coefficients for variable, _ in one.parts if str(variable) in setup]


def _has_constant(columns: np.ndarray) -> bool:
    """Return whether the parametric part holds a constant."""
    if not columns.shape[1]:
        return False
    ones = np.ones(len(columns))
    return bool(np.abs(columns @ np.linalg.lstsq(columns, ones, rcond=None)[0] - ones).max() < 1e-10)


def _in_mgcv(term: DenseTerm, frame: pd.DataFrame) -> np.ndarray:
    """Return the columns that the term has in mgcv, (row, coefficient)."""
    columns = term.columns(frame)
    return columns if term.transform is None else np.linalg.solve(term.transform.T, columns.T).T


def _without(term: DenseTerm, kept: np.ndarray) -> DenseTerm:
    """Return the term with the coefficients `kept` of mgcv's."""
    inverse = term.written[:, kept]
    written = [inverse.T @ penalty @ inverse for penalty in term.penalty_matrices()]
    largest = max(np.abs(penalty).max() for penalty in written)
    written = [penalty for penalty in written if np.abs(penalty).max() > _ZERO * largest]
    balanced = np.sum([penalty / np.linalg.norm(penalty) for penalty in written], axis=0)
    values, vectors = np.linalg.eigh(balanced)
    null = int(np.sum(values < values[-1] * _ZERO))
    if len(written) == 1:
        axes = single_penalty(written[0], null)
        transform, penalties, roots = axes.transform, axes.penalties, None
    else:
        seen = vectors[:, null:][:, ::-1]
        pieces = [_root(seen.T @ penalty @ seen) for penalty in written]
        roots = np.pad(np.vstack(pieces), ((0, 0), (0, null)))
        owner = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
        penalties = tuple((owner == number).astype(float) for number in range(len(pieces)))
        transform = np.hstack([seen, null_axes(balanced, vectors[:, :null])]) if null else seen
    return replace(
        term,
        columns=partial(_changed_columns, term, inverse @ transform),
        penalties=penalties,
        restricted_offset=0.0,
        full_offset=0.0,
        shear=None,
        transform=transform,
        roots=roots,
    )


def _root(penalty: np.ndarray) -> np.ndarray:
    """Return (rank, coefficient), whose cross-product is the penalty."""
    values, vectors = np.linalg.eigh((penalty + penalty.T) / 2)
    used = values > values[-1] * _ZERO
    return np.sqrt(values[used])[:, None] * vectors[:, used].T


def _changed_columns(term: DenseTerm, change: np.ndarray, frame: pd.DataFrame) -> np.ndarray:
    return term.columns(frame) @ change
