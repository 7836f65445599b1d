"""Take a model of curves of tokens apart into what refits share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.linalg import block_diag

from layerstats.checks import check_columns
from layerstats.errors import DataError, UnsupportedModelError
from layerstats.stats.gamm.batched.curves.curve_design import Component, CurveDesign, autoregressive
from layerstats.stats.gamm.batched.curves.curve_request import refit_request
from layerstats.stats.gamm.batched.curves.token_levels import constant_codes, following_columns, kind_of
from layerstats.stats.gamm.batched.curves.token_rows import TokenRows
from layerstats.stats.gamm.engine_interface import FitRequest, ModelRequest
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


def curve_design(task: FitTask, label: str, speaker: str | None = "speaker", *, response: bool = True) -> CurveDesign:
    """Take a model apart into what refits share.

    Parameters
    ----------
    task
        The model, with ``series`` and ``order``, as `layerstats.stats.gamm.fit` takes it. With ``rho="auto"`` residuals
        are independent in the design.
    label
        The column of labels, constant within tokens. Columns of the formula that are functions of it follow it.
    speaker
        The column of speakers; None for tokens that are all independent.
    response
        Whether the response is read. Without it `values` are empty, for responses that come later.

    Raises
    ------
    DataError
        A column that does not belong to label, speaker or time changes the model's curves.
    ArgumentError
        The task has no series, or ``rho="reml"``.
    """
    request, prepared = refit_request(task, response=response)
    table, token, first, token_names = _tokens(
        task, prepared.positions, [label] if speaker is None else [label, speaker]
    )
    levels = (task.factors or {}).get(label)
    label_codes, labels = constant_codes(table, label, token, first, None if levels is None else list(map(str, levels)))
    speaker_codes = np.arange(len(first)) if speaker is None else constant_codes(table, speaker, token, first)[0]
    of_label = [first[label_codes == code][0] for code in range(len(labels))]
    time = str(task.order)
    places = table[time].to_numpy(dtype=float)
    times, steps, common = _grid(places, np.bincount(token), request.series_gaps)
    parametric, dense, grouped = _terms_of(request)

    columns_at = _ColumnsAt(request.frame, time, tuple(of_label), parametric, tuple(dense))
    at = columns_at.frame_at
    fixed, everywhere = columns_at(times), columns_at.columns_of(request.frame)
    for code in range(len(labels)):
        own = np.flatnonzero(label_codes[token] == code)
        if not np.allclose(everywhere[own], columns_at.columns_of(at(of_label[code], places[own])), atol=1e-9):
            raise DataError(
                f"Tokens of one level of {label!r} differ in columns of the model that are no function of label and "
                f"{time}. Leave them out."
            )
    _check_rank(everywhere, parametric, dense)
    kinds = tuple(kind_of(term, request.frame, token, first, label_codes, speaker_codes) for term in grouped)
    _check_curves(grouped, request.frame, at(0, places), time)
    bases = [term.basis(at(0, times)) for term in grouped]
    components = [one for each in zip(grouped, kinds, bases, strict=True) for one in _components(*each)]
    names, terms = _names(parametric, dense)
    values, offset = _centred(request, parametric)
    rows = None
    if not common:
        following = following_columns(request, of_label, label_codes[token])
        rows = TokenRows(values, token, following, parametric, tuple(dense), tuple(grouped), kinds)
    return CurveDesign(
        labels=labels,
        tokens=token_names,
        columns=fixed,
        names=names,
        terms=terms,
        penalties=_penalties(len(parametric.coefficients), dense),
        penalty_terms=tuple(term.label for term in dense for _ in term.penalties),
        written=block_diag(np.eye(len(parametric.coefficients)), *(term.written for term in dense)),
        components=tuple(components),
        noise=autoregressive(steps, request.rho),
        steps=steps,
        label_of=label_codes,
        speaker_of=speaker_codes,
        values=values.reshape(len(first), -1) if common and len(values) else np.zeros((len(first), 0)),
        offset=offset,
        task=task,
        request=request,
        positions=prepared.positions,
        constant=0.5 * sum(term.restricted_offset for term in dense),
        columns_at=columns_at,
        times=times,
        rows=rows,
    )


@dataclass(frozen=True, eq=False)
class _ColumnsAt:
    """The columns of every label at any times, (label, time, column); it travels to other processes."""

    frame: pd.DataFrame
    time: str
    row_of_label: tuple[int, ...]
    parametric: ParametricPart
    dense: tuple[DenseTerm, ...]

    def __call__(self, times: np.ndarray) -> np.ndarray:
        return np.stack([self.columns_of(self.frame_at(row, times)) for row in self.row_of_label])

    def columns_of(self, frame: pd.DataFrame) -> np.ndarray:
        return np.hstack([self.parametric.columns(frame), *(term.columns(frame) for term in self.dense)])

    def frame_at(self, row: int, times: np.ndarray) -> pd.DataFrame:
        same = self.frame.iloc[np.full(len(times), row)].reset_index(drop=True)
        return same.assign(**{self.time: times}) if self.time in same else same


def _tokens(
    task: FitTask, positions: np.ndarray, others: list[str]
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return the rows in their order, each one's token as a number, and where tokens begin and their names."""
    columns = [task.series] if isinstance(task.series, str) else list(task.series or ())
    check_columns(task.data, [*columns, *others], "the data")
    table = task.data.iloc[positions].reset_index(drop=True)
    token = table.groupby(columns, sort=False, observed=True).ngroup().to_numpy()
    first = np.searchsorted(token, np.arange(token.max() + 1))
    return table, token, first, tuple(table.iloc[first][columns].astype(str).agg("/".join, axis=1))


def _check_curves(random: list[GroupedTerm], frame: pd.DataFrame, of_one_token: pd.DataFrame, time: str) -> None:
    for term in random:
        if not np.allclose(term.basis(frame), term.basis(of_one_token), atol=1e-9):
            raise DataError(f"The curves of the random term {term.label} differ between tokens, by other than {time}.")


def _grid(places: np.ndarray, sizes: np.ndarray, gaps: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return one grid of time, the steps between its points, and whether all tokens stand on it."""
    size = int(np.median(sizes))
    common = bool(np.all(sizes == size)) and np.allclose(places.reshape(-1, size), places[:size], atol=1e-9)
    times = places[:size] if common else np.linspace(places.min(), places.max(), size)
    if common and gaps is not None:
        return times, np.append(0.0, np.cumsum(gaps[1:size])), common
    return times, np.arange(size, dtype=float), common


def _centred(request: ModelRequest, parametric: ParametricPart) -> tuple[np.ndarray, float]:
    """Return the response, empty where there is none, without the mean that an intercept takes, and that mean."""
    values = request.response_values if isinstance(request, FitRequest) else np.zeros(0)
    offset = float(values.mean()) if parametric.has_intercept and len(values) else 0.0
    return values - offset, offset


def _names(parametric: ParametricPart, dense: list[DenseTerm]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the name of each fixed column, and the term that it belongs to."""
    smooths = [term.label for term in dense for _ in range(term.size)]
    names = [coefficient.name for coefficient in parametric.coefficients]
    terms = [coefficient.term for coefficient in parametric.coefficients]
    return (*names, *smooths), (*terms, *smooths)


def _penalties(parametric: int, dense: list[DenseTerm]) -> np.ndarray:
    """Return the diagonals of the penalties of dense terms, (penalty, column), after the parametric columns."""
    spans = np.cumsum([parametric, *(term.size for term in dense)])
    rows = [(start, diagonal) for start, term in zip(spans, dense, strict=False) for diagonal in term.penalties]
    penalties = np.zeros((len(rows), spans[-1]))
    for row, (start, diagonal) in enumerate(rows):
        penalties[row, start : start + len(diagonal)] = diagonal
    return penalties


def _terms_of(request: ModelRequest) -> tuple[ParametricPart, list[DenseTerm], list[GroupedTerm]]:
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
    built = [term for terms in by_smooth for term in terms]
    dense = [term for term in built if isinstance(term, DenseTerm)]
    return parametric, dense, [term for term in built if isinstance(term, GroupedTerm)]


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
