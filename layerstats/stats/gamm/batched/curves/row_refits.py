"""Refits of series that differ in their times: one by one, by the structured engine, with bases built once.

Sums over tokens need common times. Without them a refit takes the structured engine's time: some 50 ms for 200 tokens,
200 ms for a thousand, and a second where twenty speakers have smooths too, instead of one to four milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.random_levels import CELL, SPEAKER, TOKEN
from layerstats.stats.gamm.batched.curves.token_rows import TokenRows
from layerstats.stats.gamm.checks.autocorrelation import series_autocorrelation
from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.structured.fitting import StructuredFit, criterion_of, fit_structured
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.optimum import Optimum
from layerstats.stats.gamm.structured.unique_rows import UniqueRows
from layerstats.stats.gamm.structured.whitening import neighbour_correlation

_LEVEL = {kind: f".{kind}" for kind in (TOKEN, CELL, SPEAKER)}


@dataclass(frozen=True, eq=False)
class RowData:
    """Replicates of a design by rows, as `summarise` takes them: labels, values, and how often speakers were drawn."""

    design: CurveDesign
    rows: TokenRows
    label_of: np.ndarray
    responses: np.ndarray | None
    multiplicity: np.ndarray | None

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return len(self.label_of)

    @property
    def observations(self) -> np.ndarray:
        """(replicate,) rows."""
        if self.multiplicity is None:
            return np.full(self.replicates, float(len(self.rows.token)))
        return self.multiplicity[:, self.design.speaker_of] @ np.bincount(self.rows.token).astype(float)

    def take(self, rows: np.ndarray) -> RowData:
        """Return some replicates."""
        responses = None if self.responses is None else self.responses[rows]
        drawn = None if self.multiplicity is None else self.multiplicity[rows]
        return replace(self, label_of=self.label_of[rows], responses=responses, multiplicity=drawn)


@dataclass(frozen=True, eq=False)
class RowFit:
    """One replicate, fitted."""

    fit: StructuredFit
    order: np.ndarray
    columns: int
    token: np.ndarray
    labels: int

    @property
    def log_smoothing(self) -> np.ndarray:
        """(penalty,) in the order of the design."""
        return np.log(self.fit.optimum.solution.smoothing)[self.order]

    def lag_one(self) -> float:
        """Return the lag-1 autocorrelation of the residuals within series."""
        residuals = self.fit.residuals(self.fit.fitted())[0]
        request = self.fit.request
        return series_autocorrelation(residuals, request.series_start, 1, request.series_gaps)[0]

    def token_variance(self) -> float:
        """Return the variance of series about their label's curve, as `layerstats.stats.effect_size` defines it."""
        model = self.fit.model
        fixed = model.dense_columns(model.rows.frame)[:, : self.columns] @ self.fit.coefficients[: self.columns]
        squares = (self.fit.request.response_values - fixed[model.rows.place]) ** 2
        each = np.bincount(self.token, weights=squares) / np.bincount(self.token)
        return float(each.sum() / (len(each) - self.labels))


def fit_rows(data: RowData, number: int, held: np.ndarray | None = None) -> RowFit:
    """Fit a replicate; `held` are log smoothing parameters, in the order of the design, to fit it at."""
    design, rows = data.design, data.rows
    times = np.ones(len(design.label_of), dtype=np.int64)
    if data.multiplicity is not None:
        times = data.multiplicity[number, design.speaker_of].astype(np.int64)
    tokens = np.repeat(np.arange(len(times)), times)
    copy = np.arange(len(tokens)) - np.repeat(np.cumsum(times) - times, times)
    # The copies of a speaker are different speakers, and series stay in one piece.
    speaker = pd.factorize(design.speaker_of[tokens] + copy * (int(design.speaker_of.max()) + 1))[0]
    label = data.label_of[number][tokens]
    sizes = np.bincount(rows.token)
    first = np.cumsum(sizes) - sizes
    token = np.repeat(np.arange(len(tokens)), sizes[tokens])
    start = np.append(True, token[1:] != token[:-1])
    within = np.arange(len(token)) - np.flatnonzero(start)[token]
    place = np.repeat(first[tokens], sizes[tokens]) + within
    levels = {TOKEN: np.arange(len(tokens)), SPEAKER: speaker, CELL: speaker * len(design.labels) + label}
    frame = _frame(design, rows, place, label[token], {kind: own[token] for kind, own in levels.items()})
    model = _model(design, rows, frame)
    values = (rows.response if data.responses is None else data.responses[number])[place]
    gaps = None if design.request.series_gaps is None else design.request.series_gaps[place]
    request = replace(design.request, frame=frame, series_start=start, series_gaps=gaps).with_response(values)
    if held is None:
        fit = fit_structured(request, model)
    else:
        fit = _fit_held(request, model, held[np.argsort(_order(design, model))])
    return RowFit(fit, _order(design, model), len(design.names), token, len(design.labels))


def _frame(
    design: CurveDesign, rows: TokenRows, place: np.ndarray, label: np.ndarray, levels: dict[str, np.ndarray]
) -> pd.DataFrame:
    source = design.request.frame
    frame = source.iloc[place].reset_index(drop=True)
    for column, values in rows.follow.items():
        dtype = source[column].dtype
        frame[column] = pd.Categorical(values[label], dtype=dtype) if dtype == "category" else values[label]
    for kind in set(rows.kinds):
        codes = pd.factorize(levels[kind])[0]
        frame[_LEVEL[kind]] = pd.Categorical.from_codes(codes, categories=range(int(codes.max()) + 1))
    return frame


def _model(design: CurveDesign, rows: TokenRows, frame: pd.DataFrame) -> Model:
    grouped = [
        replace(term, factor=(_LEVEL[kind],), levels=(len(frame[_LEVEL[kind]].cat.categories),))
        for term, kind in zip(rows.grouped, rows.kinds, strict=True)
    ]
    # From the inside: tokens, then the next kind, whose coefficients are solved group by group.
    apart = [kind for kind in (TOKEN, CELL, SPEAKER) if kind in rows.kinds][:2]
    of_kind = {kind: tuple(one for one, own in zip(grouped, rows.kinds, strict=True) if own == kind) for kind in _LEVEL}
    blocks, outer = (of_kind[apart[n]] if len(apart) > n else () for n in range(2))
    if len(blocks) > 1 or any(term.random for term in grouped):
        # What the engine itself leaves in the dense corner.
        apart, outer = apart[:1], ()
    beside = tuple(term.as_dense() for term, kind in zip(grouped, rows.kinds, strict=True) if kind not in apart)
    unused = {column for term in rows.grouped for column in term.factor} | {_LEVEL[kind] for kind in apart}
    columns = [column for column in frame.columns if column not in unused]
    return Model(
        parametric=rows.parametric,
        dense=(*rows.dense, *beside),
        blocks=blocks,
        outer=outer,
        labels=tuple(term.label for term in (*rows.dense, *rows.grouped)),
        rows=UniqueRows.of(frame, columns),
        level=blocks[0].level_of(frame) if blocks else np.zeros(len(frame), dtype=np.int64),
        group=outer[0].level_of(frame) if outer else np.zeros(len(frame), dtype=np.int64),
        factor_smooths=(),
    )


def _order(design: CurveDesign, model: Model) -> np.ndarray:
    """Return where each penalty of the design stands among those of the model."""
    terms = (*model.dense, *model.blocks, *model.outer)
    labels = [term.label for term in terms for _ in term.penalties]
    wanted = [*design.penalty_terms, *(component.label for component in design.components)]
    places = {label: [n for n, one in enumerate(labels) if one == label] for label in set(labels)}
    return np.array([places[label].pop(0) for label in wanted], dtype=np.int64)


def _fit_held(request: FitRequest, model: Model, log_smoothing: np.ndarray) -> StructuredFit:
    criterion = criterion_of(request, model, request.rho)
    solution = criterion.solve(log_smoothing)
    scale = criterion.best_log_scale(solution)
    optimum = Optimum(
        solution, scale, criterion.value(solution, scale), criterion.derivatives(solution, scale), 0, True
    )
    coefficients = solution.coefficients.copy()
    coefficients[0] += criterion.system.offset
    return StructuredFit(request, model, optimum, coefficients, solution.level_coefficients())


def simulate_rows(
    design: CurveDesign,
    rows: TokenRows,
    means: np.ndarray,
    variance: np.ndarray,
    scale: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw a data set, (row,): the fixed part `means`, random curves of these variances, and AR(1) noise."""
    label = design.label_of[rows.token]
    codes = {TOKEN: rows.token, SPEAKER: design.speaker_of[rows.token]}
    codes[CELL] = codes[SPEAKER] * len(design.labels) + label
    values, number = means.copy(), 0
    for term, kind in zip(rows.grouped, rows.kinds, strict=True):
        basis = term.basis(design.request.frame)
        for penalty in term.penalties:
            used = penalty > 0
            drawn = generator.standard_normal((int(codes[kind].max()) + 1, int(used.sum())))
            scaled = basis[:, used] * np.sqrt(variance[number] / penalty[used])
            values += (scaled * drawn[codes[kind]]).sum(axis=1)
            number += 1
    noise = generator.standard_normal(len(values))
    correlation = np.broadcast_to(neighbour_correlation(design.request, design.request.rho), len(noise))
    for row in range(1, len(noise)):
        if rows.token[row] == rows.token[row - 1]:
            noise[row] = correlation[row] * noise[row - 1] + np.sqrt(1 - correlation[row] ** 2) * noise[row]
    return values + np.sqrt(scale) * noise


def check_no_noise(noise: np.ndarray | None) -> None:
    """Raise `ArgumentError` where replicates are to differ in their AR(1) parameter."""
    if noise is not None:
        raise ArgumentError("Series that differ in their times have one AR(1) parameter for all replicates.")
