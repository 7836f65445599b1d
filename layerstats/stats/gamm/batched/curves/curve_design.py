"""A model of curves of tokens as what refits share: bases on one grid of time, and who has what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.batched.curves.random_levels import TOKEN
from layerstats.stats.gamm.batched.curves.token_rows import TokenRows
from layerstats.stats.gamm.engine_interface import ModelRequest
from layerstats.stats.gamm.request.task import FitTask
from layerstats.stats.gamm.smoothing_selection import penalties_compete


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
        (token, time) the response; (token, 0) where tokens differ in their times, or responses come later.
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
    request: ModelRequest
    positions: np.ndarray
    constant: float
    columns_at: Callable[[np.ndarray], np.ndarray]
    times: np.ndarray
    rows: TokenRows | None = None

    @property
    def points(self) -> int:
        """Time points of a token."""
        return self.columns.shape[1]

    @property
    def penalised(self) -> np.ndarray:
        """(column,) whether any penalty sees it."""
        return np.any(self.penalties > 0, axis=0).reshape(-1)

    @property
    def penalties_compete(self) -> bool:
        """Whether penalties can take each other's place."""
        return penalties_compete(self.penalties)

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
