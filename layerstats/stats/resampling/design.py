"""A model of curves of tokens as what resampling shares between refits: bases on one grid of time, and who has what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.linalg import block_diag

from layerstats.checks import check_columns
from layerstats.errors import ArgumentError, DataError, UnsupportedModelError
from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.request.task import FitTask
from layerstats.stats.gamm.structured.aliased import null_combinations
from layerstats.stats.gamm.structured.setup_rows import setup_rows
from layerstats.stats.gamm.structured.smooths import (
    DenseTerm,
    GroupedTerm,
    ParametricPart,
    build_parametric,
    build_smooth,
    with_side_conditions,
)
from layerstats.stats.gamm.structured.unique_rows import UniqueRows
from layerstats.stats.gamm.structured.unsupported import Unsupported
from layerstats.stats.resampling.kinds import CELL, SPEAKER, TOKEN
from layerstats.stats.resampling.request import checked_request
from layerstats.stats.resampling.rows import Rows
from layerstats.stats.resampling.token_levels import constant_codes, following_columns, kind_of


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
    """A model in which its label decides a token's curve, and tokens nest in speakers.

    Where tokens have the same times, refits read sums of them. Otherwise they read `rows`, and the times of the design
    are as many as the median token has, equally spaced: there, curves are compared.

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
    written
        (column, mgcv's column) takes mgcv's coefficients to these.
    components
        The random terms.
    noise
        (time, time) correlation of the residuals of a token, AR(1).
    steps
        (time,) where the times stand in usual steps, of which the lags of AR(1) are counted.
    label_of, speaker_of
        (token,) the label and speaker of each token; each token its own speaker where the model has no speakers.
    values
        (token, time) the response; (token, 0) where tokens differ in their times.
    offset
        What was subtracted from the response; it belongs to the intercept.
    task, request
        Where all this came from.
    positions
        (row,) where each row of `values` stood in the data.
    constant
        What makes the criterion that of the structured engine.
    times
        (time,)
    columns_at
        Takes times to the columns there, (label, time, column).
    rows
        What refits read where tokens differ in their times, else None.
    """

    labels: tuple[str, ...]
    tokens: tuple[str, ...]
    columns: np.ndarray
    names: tuple[str, ...]
    terms: tuple[str, ...]
    penalties: np.ndarray
    penalty_terms: tuple[str, ...]
    written: np.ndarray
    components: tuple[Component, ...]
    noise: np.ndarray
    steps: np.ndarray
    label_of: np.ndarray
    speaker_of: np.ndarray
    values: np.ndarray
    offset: float
    task: FitTask
    request: FitRequest
    positions: np.ndarray
    constant: float
    columns_at: Callable[[np.ndarray], np.ndarray]
    times: np.ndarray
    rows: Rows | None = None

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

    def columns_at_rows(self) -> np.ndarray:
        """Return the columns in the rows of the data, (row, column), where tokens have times of their own."""
        if self.rows is None:
            raise ArgumentError("Tokens have the same times: read `columns` instead.")
        frame = self.request.frame
        return np.hstack([self.rows.parametric.columns(frame), *(term.columns(frame) for term in self.rows.dense)])

    def with_noise(self, rho: float) -> CurveDesign:
        """Return the same design with another AR(1) parameter."""
        return replace(self, noise=autoregressive(self.steps, rho), request=replace(self.request, rho=rho))


def autoregressive(steps: np.ndarray, rho: float) -> np.ndarray:
    """Return the correlation matrix of an AR(1) process at these steps.

    Examples
    --------
    >>> autoregressive(np.array([0, 1, 3]), 0.5)[0]
    array([1.   , 0.5  , 0.125])
    """
    lag = np.abs(np.subtract.outer(steps, steps))
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
        A column that does not belong to label, speaker or time changes the model's curves.
    ArgumentError
        The task has no series, or ``rho="auto"``.
    """
    prepared, request = checked_request(task)
    columns = [task.series] if isinstance(task.series, str) else list(task.series or ())
    check_columns(task.data, [label, *columns, *([] if speaker is None else [speaker])], "the data")
    table = task.data.iloc[prepared.positions].reset_index(drop=True)
    token = table.groupby(columns, sort=False, observed=True).ngroup().to_numpy()
    sizes = np.bincount(token)
    first = np.cumsum(sizes) - sizes
    levels = (task.factors or {}).get(label)
    label_codes, labels = constant_codes(table, label, token, first, None if levels is None else list(map(str, levels)))
    speaker_codes = np.arange(len(first)) if speaker is None else constant_codes(table, speaker, token, first)[0]
    of_label = [first[label_codes == code][0] for code in range(len(labels))]
    time = str(task.order)
    places = table[time].to_numpy(dtype=float)
    size = int(np.median(sizes))
    common = bool(np.all(sizes == size)) and np.allclose(places.reshape(-1, size), places[:size], atol=1e-9)
    times = places[:size] if common else np.linspace(places.min(), places.max(), size)
    steps = np.arange(size, dtype=float)
    if common and request.series_gaps is not None:
        steps = np.append(0.0, np.cumsum(request.series_gaps[1:size]))
    parametric, built = _terms_of(request)
    dense = [term for term in built if isinstance(term, DenseTerm)]
    grouped = [term for term in built if isinstance(term, GroupedTerm)]

    def at(row: int, at_times: np.ndarray) -> pd.DataFrame:
        same = request.frame.iloc[np.full(len(at_times), row)].reset_index(drop=True)
        return same.assign(**{time: at_times}) if time in same else same

    def columns_of(frame: pd.DataFrame) -> np.ndarray:
        return np.hstack([parametric.columns(frame), *(term.columns(frame) for term in dense)])

    def columns_at(at_times: np.ndarray) -> np.ndarray:
        return np.stack([columns_of(at(row, at_times)) for row in of_label])

    fixed, everywhere = columns_at(times), columns_of(request.frame)
    for code in range(len(labels)):
        own = np.flatnonzero(label_codes[token] == code)
        if not np.allclose(everywhere[own], columns_of(at(of_label[code], places[own])), atol=1e-9):
            raise DataError(
                f"Tokens of one level of {label!r} differ in columns of the model that are no function of label and "
                f"{time}. Leave them out."
            )
    _check_rank(everywhere, parametric, dense)
    kinds = tuple(kind_of(term, request.frame, token, first, label_codes, speaker_codes) for term in grouped)
    components = []
    for term, kind in zip(grouped, kinds, strict=True):
        if not np.allclose(term.basis(request.frame), term.basis(at(0, places)), atol=1e-9):
            raise DataError(f"The curves of the random term {term.label} differ between tokens, by other than {time}.")
        components += _components(term, kind, term.basis(at(0, times)))
    spans = np.cumsum([len(parametric.coefficients), *(term.size for term in dense)])
    penalties = np.zeros((sum(len(term.penalties) for term in dense), fixed.shape[2]))
    owners = [term for term in dense for _ in term.penalties]
    diagonals = [diagonal for term in dense for diagonal in term.penalties]
    for row, (term, diagonal) in enumerate(zip(owners, diagonals, strict=True)):
        start = spans[dense.index(term)]
        penalties[row, start : start + term.size] = diagonal
    offset = float(request.response_values.mean()) if parametric.has_intercept else 0.0
    values = request.response_values - offset
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
        written=block_diag(np.eye(spans[0]), *(term.written for term in dense)),
        components=tuple(components),
        noise=autoregressive(steps, request.rho),
        steps=steps,
        label_of=label_codes,
        speaker_of=speaker_codes,
        values=values.reshape(len(first), size) if common else np.zeros((len(first), 0)),
        offset=offset,
        task=task,
        request=request,
        positions=prepared.positions,
        constant=0.5 * sum(term.restricted_offset for term in dense),
        columns_at=columns_at,
        times=times,
        rows=None
        if common
        else Rows(
            values,
            token,
            following_columns(request, of_label, label_codes[token]),
            parametric,
            tuple(dense),
            tuple(grouped),
            kinds,
        ),
    )


def _terms_of(request: FitRequest) -> tuple[ParametricPart, list[DenseTerm | GroupedTerm]]:
    try:
        parametric = build_parametric(request.formula, request.frame)
        setup = setup_rows(request)
        by_smooth = [build_smooth(smooth, _rows_of(smooth, setup)) for smooth in request.formula.smooths]
        contained = with_side_conditions(list(zip(request.formula.smooths, by_smooth, strict=True)), parametric, setup)
    except Unsupported as error:
        raise UnsupportedModelError(f"Resampling does not express {error}.") from error
    if contained:
        raise UnsupportedModelError(
            f"{request.formula} has smooths that contain each other, whose penalties resampling cannot have: write "
            "ti() for the larger one."
        )
    return parametric, [term for terms in by_smooth for term in terms]


def _check_rank(columns: np.ndarray, parametric: ParametricPart, dense: list[DenseTerm]) -> None:
    """Refuse models of which `fit` leaves out a column: refits take all, and have no answer to some.

    Parameters
    ----------
    columns
        (row, column) of the parametric part, then of `dense`.
    """
    names = [coefficient.name for coefficient in parametric.coefficients]
    free = [np.ones(len(names), dtype=bool)]
    for term in dense:
        names += [f"the unpenalised part of {term.label}"] * term.size
        free.append(~term.penalised)
    unpenalised = np.flatnonzero(np.concatenate(free))
    combinations = null_combinations(columns[:, unpenalised])
    if len(combinations):
        share = np.abs(combinations * np.linalg.norm(columns[:, unpenalised], axis=0)).max(axis=0)
        which = ", ".join(dict.fromkeys(names[column] for column in unpenalised[share > 1e-6 * share.max()]))
        raise UnsupportedModelError(
            f"The data cannot tell {which} from each other (`fit` leaves a column out, refits cannot): write the model "
            "without one of these terms, or the smooth by an ordered factor."
        )


def _rows_of(smooth: SmoothTerm, frame: pd.DataFrame) -> UniqueRows:
    numeric = [column for column in smooth.columns if not isinstance(frame[column].dtype, pd.CategoricalDtype)]
    return UniqueRows.of(frame, numeric)


def _components(term: GroupedTerm, kind: str, basis: np.ndarray) -> list[Component]:
    return [
        Component(
            label=term.label,
            level=kind,
            basis=basis,
            weights=np.where(used, 1 / np.where(used, diagonal, 1.0), 0.0),
            rank=int(used.sum()),
            log_determinant=float(np.log(diagonal[used]).sum()),
        )
        for diagonal in term.penalties
        for used in [diagonal > 0]
    ]


__all__ = ["CELL", "SPEAKER", "TOKEN", "Component", "CurveDesign", "autoregressive", "curve_design"]
