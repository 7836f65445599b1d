"""Whether data and penalties determine the coefficients of a model."""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.unique_rows import pieces
from layerstats.stats.gamm.structured.unsupported import Unsupported

# Relative to the largest eigenvalue of the balanced penalised cross-product; rounding errors reach some 1e-14.
_SINGULAR = 1e-11


def check_determined(model: Model, cross: np.ndarray | None = None) -> None:
    """Refuse models whose coefficients are not determined by data and penalties.

    Parameters
    ----------
    model
        Its terms.
    cross
        (column, column) the cross-product of the dense corner, where it is known; it is changed.

    Raises
    ------
    Unsupported
        They are not.
    """
    cross = _cross_product(model) if cross is None else cross
    for term in model.dense:
        span = model.dense_spans[term.label]
        for penalty in term.penalty_matrices():
            cross[span, span] += penalty * np.trace(cross[span, span]) / np.trace(penalty)
    size = np.sqrt(np.diag(cross))
    if np.any(size == 0):
        raise Unsupported("a parametric term or smooth without data for some of its coefficients")
    eigenvalues = np.linalg.eigvalsh(cross / np.outer(size, size))
    if len(eigenvalues) and eigenvalues[0] < _SINGULAR * eigenvalues[-1]:
        raise Unsupported("terms that the data cannot tell apart (a model matrix without full rank)")


def _cross_product(model: Model) -> np.ndarray:
    """Return that of the dense corner, (column, column)."""
    frame, counts = model.rows.frame, model.rows.counts
    cross = np.zeros((model.dense_count, model.dense_count))
    for piece in pieces(len(frame), model.dense_count):
        columns = model.dense_columns(frame.iloc[piece]) * np.sqrt(counts[piece])[:, None]
        cross += columns.T @ columns
    return cross
