"""P-spline bases of pygam with mgcv's constraints, and smoothing parameters by grid search."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import linalg

from layerstats.errors import FitError
from layerstats.stats.gamm.data.basis_size import default_basis_dimension
from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.formula.expression import Name, evaluate
from layerstats.stats.gamm.formula.terms import SmoothTerm

# Smoothing parameters: from hardly any smoothing to a straight line; then finer about the best.
_COARSE = np.logspace(-3, 6, 10)
_FINE = np.logspace(-0.75, 0.75, 7)


@dataclass(frozen=True, eq=False)
class SplineBlock:
    """The columns of one smooth: centred B-splines, times its ``by`` variable.

    Attributes
    ----------
    smooth
        Its term in the formula.
    label
        As in the table of smooths.
    level
        The level of a factor ``by``, or None.
    term
        pygam's term for the covariates, compiled on the data.
    means
        (column,) of the uncentred basis over all rows, as mgcv centres smooths by a factor; zero for a numeric ``by``.
    constraint
        (column, coefficient): without the constant, which centring has emptied.
    """

    smooth: SmoothTerm
    label: str
    level: str | None
    term: Any
    means: np.ndarray
    constraint: np.ndarray

    @property
    def dimension(self) -> int:
        """Number of coefficients."""
        return self.constraint.shape[1]

    @property
    def penalties(self) -> int:
        """Number of smoothing parameters."""
        return len(self.smooth.variables)

    def by_values(self, frame: pd.DataFrame) -> np.ndarray:
        """(row,) what the basis is multiplied by."""
        return _by_values(self.smooth, self.level, frame)

    def columns(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the columns, (row, coefficient)."""
        raw = _raw_columns(self.term, _covariates(self.smooth, frame))
        return (raw - self.means) @ self.constraint * self.by_values(frame)[:, None]

    def penalty(self, smoothing: Sequence[float]) -> np.ndarray:
        """(coefficient, coefficient) for these smoothing parameters."""
        term = copy.deepcopy(self.term)
        term.lam = [[value] for value in smoothing] if self.penalties > 1 else list(smoothing)
        return self.constraint.T @ term.build_penalties().toarray() @ self.constraint

    @property
    def null_dimension(self) -> int:
        """Dimension of what is not penalised: linear in each covariate, and their products."""
        return 2**self.penalties - (1 if np.any(self.means) else 0)


def spline_blocks(request: FitRequest) -> list[SplineBlock]:
    """Return the smooths of `request`, one for each level of a factor ``by`` (ordered ones skip the reference)."""
    blocks = []
    for smooth in request.formula.smooths:
        covariates = _covariates(smooth, request.frame)
        term = _term(smooth)
        term.compile(covariates)
        raw = _raw_columns(term, covariates)
        levels = _by_levels(smooth, request.frame)
        numeric_by = smooth.by is not None and levels == [None]
        means = np.zeros(raw.shape[1]) if numeric_by else raw.mean(axis=0)
        constraint = np.eye(raw.shape[1]) if numeric_by else linalg.null_space(np.ones((1, raw.shape[1])))
        blocks += [
            SplineBlock(smooth, f"{smooth.label}{level or ''}", level, term, means, constraint) for level in levels
        ]
    return blocks


def choose_smoothing(
    request: FitRequest, parametric: np.ndarray, blocks: Sequence[SplineBlock]
) -> list[tuple[float, ...]]:
    """Return the smoothing parameters of each block that minimise pygam's GCV: all equal, then one after another."""
    if not blocks:
        return []
    model, features = _pygam_model(request, parametric, blocks)
    fixed = parametric.shape[1] - int(request.formula.intercept)
    count = sum(block.penalties for block in blocks)
    chosen = [1.0] * count
    chosen = _search(model, features, request, fixed, [[value] * count for value in _COARSE])
    if count > 1:
        for grid in (_COARSE, None):
            for place in range(count):
                values = chosen[place] * _FINE if grid is None else grid
                candidates = [[*chosen[:place], float(value), *chosen[place + 1 :]] for value in values]
                chosen = _search(model, features, request, fixed, candidates)
    else:
        chosen = _search(model, features, request, fixed, [[float(chosen[0] * value)] for value in _FINE])
    taken = iter(chosen)
    return [tuple(next(taken) for _ in range(block.penalties)) for block in blocks]


def _search(
    model: Any, features: np.ndarray, request: FitRequest, fixed: int, candidates: list[list[float]]
) -> list[float]:
    # Unpenalised linear terms carry a smoothing parameter too, of no effect.
    grid = np.array([[1.0] * fixed + candidate for candidate in candidates])
    weights = np.ones(len(features)) if request.weights is None else request.weights
    scores = model.gridsearch(
        features,
        request.response_values,
        weights=weights,
        lam=grid,
        return_scores=True,
        keep_best=False,  # the model stays unfitted, so that each search is on its own
        progress=False,
        objective="GCV",
    )
    if len(scores) < len(candidates):
        raise FitError(f"pygam could fit {len(scores)} of {len(candidates)} candidates of its grid only.")
    return candidates[int(np.argmin(list(scores.values())))]


def _pygam_model(request: FitRequest, parametric: np.ndarray, blocks: Sequence[SplineBlock]) -> tuple[Any, np.ndarray]:
    """Return an unfitted model of pygam and the features that its terms refer to by number."""
    pygam: Any = importlib.import_module("pygam")
    columns = [*parametric[:, int(request.formula.intercept) :].T]
    terms = [pygam.l(number, penalties=None) for number in range(len(columns))]
    for block in blocks:
        first = len(columns)
        columns += [*_covariates(block.smooth, request.frame).T]
        by = None
        if block.smooth.by is not None:
            by = len(columns)
            columns.append(block.by_values(request.frame))
        terms.append(_term(block.smooth, first, by))
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return pygam.LinearGAM(total, fit_intercept=request.formula.intercept), np.column_stack(columns)


def _term(smooth: SmoothTerm, first: int = 0, by: int | None = None) -> Any:
    """Return pygam's term, its covariates being features `first` and following."""
    pygam: Any = importlib.import_module("pygam")
    written = smooth.basis_dimensions
    count = len(smooth.variables)
    if written is None:
        written = (default_basis_dimension(smooth),)
    sizes = written * count if len(written) == 1 else written
    orders = [min(3, size - 1) for size in sizes]
    if count == 1:
        return pygam.s(first, n_splines=sizes[0], spline_order=orders[0], by=by)
    features = range(first, first + count)
    return pygam.te(*features, n_splines=list(sizes), spline_order=orders, by=by)


def _covariates(smooth: SmoothTerm, frame: pd.DataFrame) -> np.ndarray:
    return np.column_stack([evaluate(variable, frame) for variable in smooth.variables])


def _raw_columns(term: Any, covariates: np.ndarray) -> np.ndarray:
    return term.build_columns(covariates).toarray()


def _by_levels(smooth: SmoothTerm, frame: pd.DataFrame) -> list[str | None]:
    if not isinstance(smooth.by, Name):
        return [None]
    values = frame[smooth.by.name]
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return [None]
    levels = list(map(str, values.cat.categories))
    return [*levels[1:]] if values.cat.ordered else [*levels]


def _by_values(smooth: SmoothTerm, level: str | None, frame: pd.DataFrame) -> np.ndarray:
    if not isinstance(smooth.by, Name):
        return np.ones(len(frame))
    values = frame[smooth.by.name]
    return values.to_numpy(dtype=float) if level is None else (values == level).to_numpy(dtype=float)
