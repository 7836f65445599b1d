"""Whether the data can tell the terms of a model apart. Where they cannot, mgcv constrains them further; we do not."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from layerstats.stats.gamm.factors import factor_levels
from layerstats.stats.gamm.formula import Formula, SmoothTerm
from layerstats.stats.gamm.structured.refusal import Refusal

if TYPE_CHECKING:
    from layerstats.stats.gamm.structured.model import Model

# Relative to the largest eigenvalue of the balanced penalised cross-product; rounding errors reach some 1e-14.
_SINGULAR = 1e-11


def check_constraints(formula: Formula, model: Model) -> None:
    """Refuse models to which mgcv adds constraints.

    Raises
    ------
    Refusal
        With the smooths.
    """
    pairs = combinations([smooth for smooth in formula.smooths if not smooth.random], 2)
    suspects = [(first, second) for first, second in pairs if _may_overlap(first, second)]
    if not suspects:
        return
    columns = _columns(model)
    for first, second in suspects:
        if _overlap(first, second, model, columns):
            raise Refusal(f"smooths that contain each other ({first.label} and {second.label})")


def check_determined(model: Model) -> None:
    """Refuse models whose coefficients are not determined by data and penalties.

    Raises
    ------
    Refusal
        They are not.
    """
    columns = _columns(model)
    cross = columns.T @ columns
    for term in model.dense:
        span = model.dense_spans[term.label]
        for penalty in term.penalties:
            cross[span, span] += np.diag(penalty) * np.trace(cross[span, span]) / penalty.sum()
    size = np.sqrt(np.diag(cross))
    if np.any(size == 0):
        raise Refusal("a parametric term or smooth without data for some of its coefficients")
    eigenvalues = np.linalg.eigvalsh(cross / np.outer(size, size))
    if len(eigenvalues) and eigenvalues[0] < _SINGULAR * eigenvalues[-1]:
        raise Refusal("terms that the data cannot tell apart (a model matrix without full rank)")


def _columns(model: Model) -> np.ndarray:
    return model.dense_columns(model.rows.frame) * np.sqrt(model.rows.counts)[:, None]


def _may_overlap(first: SmoothTerm, second: SmoothTerm) -> bool:
    variables, others = set(map(str, first.variables)), set(map(str, second.variables))
    return str(first.by) == str(second.by) and (variables <= others or others <= variables)


def _overlap(first: SmoothTerm, second: SmoothTerm, model: Model, columns: np.ndarray) -> bool:
    """Return whether a smooth is partly a function of the other, in the rows of the data."""
    levels = factor_levels(model.rows.frame)
    labels = first.fitted_labels(levels) | second.fitted_labels(levels)
    parts = [columns[:, span] for label, span in model.dense_spans.items() if label in labels]
    both = np.hstack([np.sqrt(model.rows.counts)[:, None], *parts])
    singular = np.linalg.svd(both / np.linalg.norm(both, axis=0), compute_uv=False)
    return bool(len(both) < both.shape[1] or singular[-1] < 1e-7 * singular[0])
