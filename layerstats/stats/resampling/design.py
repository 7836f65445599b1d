"""A model of curves of tokens as what resampling shares between refits: bases on one grid of time, and who has what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.gamm.data import PreparedData, prepare_data
from layerstats.stats.gamm.engines.base import FitRequest
from layerstats.stats.gamm.fit import FitTask
from layerstats.stats.gamm.formula import SmoothTerm
from layerstats.stats.gamm.formula_parser import parse_formula
from layerstats.stats.gamm.structured.rows import UniqueRows
from layerstats.stats.gamm.structured.smooths import DenseTerm, GroupedTerm, build_parametric, build_smooth

# What the levels of a random term are: single tokens, a speaker's tokens of one label, or all tokens of a speaker.
TOKEN, CELL, SPEAKER = "token", "cell", "speaker"


@dataclass(frozen=True, eq=False)
class Component:
    """One penalty of a random term: the same curves, with coefficients of their own for every level.

    Attributes
    ----------
    label
        The term.
    level
        ``"token"``, ``"cell"`` (a speaker's tokens of one label) or ``"speaker"``.
    basis, weights
        (time, function) and (function,): its curves have covariance ``basis @ diag(weights) @ basis.T`` at smoothing
        parameter one and scale one.
    rank
        Coefficients of a level.
    log_determinant
        Of its penalty, a level.
    """

    label: str
    level: str
    basis: np.ndarray
    weights: np.ndarray
    rank: int
    log_determinant: float

    @property
    def covariance(self) -> np.ndarray:
        """(time, time) of its curves."""
        return (self.basis * self.weights) @ self.basis.T


@dataclass(frozen=True, eq=False)
class CurveDesign:
    """A model in which every token has the same time points, its label decides its curve, and tokens nest in speakers.

    Attributes
    ----------
    labels
        The levels of the label: the reference of a factor first, else sorted.
    tokens
        Names of the tokens.
    columns
        (label, time, column) the columns without random terms.
    names, terms
        For each column its coefficient (parametric ones as R names them, others their term) and its term.
    penalties
        (penalty, column) diagonals of the smooths' penalties, and `penalty_terms` whose they are.
    components
        The random terms.
    noise
        (time, time) correlation of the residuals of a token, AR(1).
    label_of, speaker_of
        (token,) the label and speaker of each token; each token its own speaker where the model has no speakers.
    values
        (token, time) the response.
    offset
        What was subtracted from the response; it belongs to the intercept.
    task, request
        Where all this came from.
    positions
        (row,) where each row of `values` stood in the data.
    constant
        What makes the criterion that of the structured engine.
    columns_at
        Takes times to the columns there, (label, time, column).
    """

    labels: tuple[str, ...]
    tokens: tuple[str, ...]
    columns: np.ndarray
    names: tuple[str, ...]
    terms: tuple[str, ...]
    penalties: np.ndarray
    penalty_terms: tuple[str, ...]
    components: tuple[Component, ...]
    noise: np.ndarray
    label_of: np.ndarray
    speaker_of: np.ndarray
    values: np.ndarray
    offset: float
    task: FitTask
    request: FitRequest
    positions: np.ndarray
    constant: float
    columns_at: Callable[[np.ndarray], np.ndarray]

    @property
    def points(self) -> int:
        """Time points of a token."""
        return self.columns.shape[1]

    @property
    def penalised(self) -> np.ndarray:
        """(column,) whether any penalty sees it."""
        return np.any(self.penalties > 0, axis=0).reshape(-1)

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """(component,) see `Component.level`."""
        return tuple(component.level for component in self.components)

    @cached_property
    def _owners(self) -> list[np.ndarray]:
        """(component,) their bases; equal ones are the same array, since terms of tokens and speakers mostly share."""
        found: list[np.ndarray] = []
        for component in self.components:
            same = (one for one in found if np.array_equal(component.basis, one))
            found.append(next(same, component.basis))
        return found

    @cached_property
    def _distinct(self) -> list[np.ndarray]:
        return list({id(basis): basis for basis in self._owners}.values())

    @cached_property
    def curves(self) -> np.ndarray:
        """(time, curve) the functions that all random terms are made of."""
        return np.hstack([np.zeros((self.points, 0)), *self._distinct])

    @cached_property
    def weights(self) -> np.ndarray:
        """(component, curve) their variances at smoothing parameter one and scale one."""
        rows = [
            np.hstack([one.weights if basis is own else np.zeros(basis.shape[1]) for basis in self._distinct])
            for one, own in zip(self.components, self._owners, strict=True)
        ]
        return np.stack(rows) if rows else np.zeros((0, 0))

    @property
    def has_speakers(self) -> bool:
        """Whether the model has random terms of speakers."""
        return any(component.level != TOKEN for component in self.components)

    def columns_of(self, term: str) -> np.ndarray:
        """Return the positions of a term's columns."""
        place = np.flatnonzero(np.array(self.terms) == term)
        if not len(place):
            raise ArgumentError(f"There is no term {term!r}. Terms are: {', '.join(dict.fromkeys(self.terms))}.")
        return place

    def with_noise(self, rho: float) -> CurveDesign:
        """Return the same design with another AR(1) parameter."""
        return replace(self, noise=autoregressive(self.points, rho), request=replace(self.request, rho=rho))


def autoregressive(points: int, rho: float) -> np.ndarray:
    """Return the correlation matrix of an AR(1) process.

    Examples
    --------
    >>> autoregressive(3, 0.5)[0]
    array([1.  , 0.5 , 0.25])
    """
    lag = np.abs(np.subtract.outer(np.arange(points), np.arange(points)))
    return np.where(lag == 0, 1.0, float(rho) ** lag)


def curve_design(task: FitTask, label: str, speaker: str | None = "speaker") -> CurveDesign:
    """Take a model apart into what refits share.

    Parameters
    ----------
    task
        The model, with ``series``, ``order`` and a given ``rho``, as `layerstats.stats.gamm.fit` takes it.
    label
        The column of labels, constant within tokens. Columns of the formula that are functions of it follow it.
    speaker
        The column of speakers; None for tokens that are all independent.

    Raises
    ------
    DataError
        Tokens differ in their time points, or a column that does not belong to label, speaker or time changes the
        model's curves. `layerstats.stats.gamm.structured` fits such models one by one.
    ArgumentError
        The task has no series, or ``rho="auto"``.
    """
    if task.series is None or task.order is None:
        raise ArgumentError("Resampling needs to know what a token is: give 'series' and 'order' in the FitTask.")
    if task.rho == "auto":
        raise ArgumentError("Resampling holds rho at one value: fit first, and give its 'rho' in the FitTask.")
    if task.method not in ("fREML", "REML") or task.weights is not None or task.family != "gaussian":
        raise ArgumentError("Resampling refits Gaussian models by fREML or REML without prior weights.")
    columns = [task.series] if isinstance(task.series, str) else list(task.series)
    check_columns(task.data, [label, *columns, *([] if speaker is None else [speaker])], "the data")
    prepared, request = _request(task)
    table = task.data.iloc[prepared.positions].reset_index(drop=True)
    token = table.groupby(columns, sort=False, observed=True).ngroup().to_numpy()
    size = _points(token)
    first = np.arange(0, len(table), size)
    levels = (task.factors or {}).get(label)
    label_codes, labels = _constant(table, label, size, None if levels is None else list(map(str, levels)))
    speaker_codes = np.arange(len(first)) if speaker is None else _constant(table, speaker, size)[0]
    templates = [
        request.frame.iloc[first[label_codes == code][0] : first[label_codes == code][0] + size].reset_index(drop=True)
        for code in range(len(labels))
    ]
    parametric = build_parametric(request.formula, request.frame)
    built = [
        term for smooth in request.formula.smooths for term in build_smooth(smooth, _rows_of(smooth, request.frame))
    ]
    dense = [term for term in built if isinstance(term, DenseTerm)]

    def columns_at(times: np.ndarray) -> np.ndarray:
        rows = [one.iloc[np.zeros(len(times), dtype=int)].assign(**{str(task.order): times}) for one in templates]
        return np.stack([np.hstack([parametric.columns(one), *(term.columns(one) for term in dense)]) for one in rows])

    fixed = np.stack(
        [np.hstack([parametric.columns(frame), *(term.columns(frame) for term in dense)]) for frame in templates]
    )
    everywhere = np.hstack([parametric.columns(request.frame), *(term.columns(request.frame) for term in dense)])
    if not np.allclose(everywhere.reshape(len(first), size, -1), fixed[label_codes], atol=1e-9):
        raise DataError(
            f"Tokens of one level of {label!r} differ in their time points or in other columns of the model. Average "
            "series into the same number of points, or leave out columns that are no function of label and time."
        )
    components = [
        component
        for term in built
        if isinstance(term, GroupedTerm)
        for component in _components(term, request.frame, first, size, label_codes, speaker_codes)
    ]
    spans = np.cumsum([len(parametric.coefficients), *(term.size for term in dense)])
    penalties = np.zeros((sum(len(term.penalties) for term in dense), fixed.shape[2]))
    owners = [term for term in dense for _ in term.penalties]
    diagonals = [diagonal for term in dense for diagonal in term.penalties]
    for row, (term, diagonal) in enumerate(zip(owners, diagonals, strict=True)):
        start = spans[dense.index(term)]
        penalties[row, start : start + term.size] = diagonal
    offset = float(request.response_values.mean()) if parametric.has_intercept else 0.0
    names = [coefficient.name for coefficient in parametric.coefficients]
    terms = [coefficient.term for coefficient in parametric.coefficients]
    for term in dense:
        names += [term.label] * term.size
        terms += [term.label] * term.size
    return CurveDesign(
        labels=labels,
        tokens=tuple(table.iloc[first][columns].astype(str).agg("/".join, axis=1)),
        columns=fixed,
        names=tuple(names),
        terms=tuple(terms),
        penalties=penalties,
        penalty_terms=tuple(term.label for term in owners),
        components=tuple(components),
        noise=autoregressive(size, request.rho),
        label_of=label_codes,
        speaker_of=speaker_codes,
        values=(request.response_values - offset).reshape(len(first), size),
        offset=offset,
        task=task,
        request=request,
        positions=prepared.positions,
        constant=0.5 * sum(term.restricted_offset for term in dense),
        columns_at=columns_at,
    )


def _request(task: FitTask) -> tuple[PreparedData, FitRequest]:
    """Return the checked data and the request, as `layerstats.stats.gamm.fit` makes them."""
    formula = parse_formula(task.formula)
    rho = float(task.rho or 0)
    prepared = prepare_data(
        formula,
        task.data,
        factors=task.factors,
        ordered=task.ordered,
        series=task.series,
        order=task.order,
        autoregressive=rho != 0,
    )
    request = FitRequest(
        formula=formula,
        frame=prepared.frame,
        response=str(formula.response),
        response_values=prepared.response_values,
        method=task.method,
        rho=rho,
        series_start=prepared.series_start,
    )
    return prepared, request


def _points(token: np.ndarray) -> int:
    sizes = np.bincount(token)
    if np.any(sizes != sizes[0]):
        raise DataError(
            f"Tokens have between {sizes.min()} and {sizes.max()} rows. Fast refits need as many for each: average "
            "series into fewer points (see bin_series)."
        )
    return int(sizes[0])


def _constant(
    table: pd.DataFrame, column: str, size: int, order: list[str] | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the code of each token in a column that is constant within tokens, and the levels, sorted or as given."""
    codes, levels = pd.factorize(table[column], sort=True)
    if order is not None and set(order) == set(map(str, levels)):
        codes = np.where(codes < 0, -1, np.array([order.index(str(level)) for level in levels])[codes])
        levels = order
    by_token = codes.reshape(-1, size)
    if np.any(by_token != by_token[:, :1]) or np.any(codes < 0):
        raise DataError(f"Column {column!r} must have one value in every token, and none may be missing.")
    return by_token[:, 0], tuple(map(str, levels))


def _rows_of(smooth: SmoothTerm, frame: pd.DataFrame) -> UniqueRows:
    numeric = [column for column in smooth.columns if not isinstance(frame[column].dtype, pd.CategoricalDtype)]
    return UniqueRows.of(frame, numeric)


def _components(
    term: GroupedTerm, frame: pd.DataFrame, first: np.ndarray, size: int, label: np.ndarray, speaker: np.ndarray
) -> list[Component]:
    basis = term.basis(frame).reshape(len(first), size, -1)
    if not np.allclose(basis, basis[:1], atol=1e-9):
        raise DataError(f"The curves of the random term {term.label} differ between tokens: its 'by' or time points.")
    levels = term.level_of(frame).reshape(len(first), size)
    if np.any(levels != levels[:, :1]):
        raise DataError(f"The random term {term.label} changes its level within a token.")
    level = _kind(levels[:, 0], label, speaker)
    if level is None:
        raise DataError(
            f"The random term {term.label} is neither of tokens, nor of speakers, nor of speakers' tokens of one label."
        )
    return [
        Component(
            label=term.label,
            level=level,
            basis=basis[0],
            weights=np.where(used, 1 / np.where(used, diagonal, 1.0), 0.0),
            rank=int(used.sum()),
            log_determinant=float(np.log(diagonal[used]).sum()),
        )
        for diagonal in term.penalties
        for used in [diagonal > 0]
    ]


def _kind(level: np.ndarray, label: np.ndarray, speaker: np.ndarray) -> str | None:
    """Return what a partition of tokens is."""

    def same(codes: np.ndarray) -> bool:
        pairs = len(np.unique(np.stack([level, codes]), axis=1).T)
        return pairs == len(np.unique(level)) == len(np.unique(codes))

    if len(np.unique(level)) == len(level):
        return TOKEN
    if same(speaker):
        return SPEAKER
    return CELL if same(speaker * (label.max() + 1) + label) else None


__all__ = ["CELL", "SPEAKER", "TOKEN", "Component", "CurveDesign", "autoregressive", "curve_design"]
