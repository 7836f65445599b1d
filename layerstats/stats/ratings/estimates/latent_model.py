"""A fitted model of ordered categories as estimates need it: a function of its parameters, at cells of its factors."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.stats.ratings.estimates.category_probabilities import category_probabilities

WEIGHTS = ("equal", "observed")
_MOST_CELLS = 100_000
# Of a standard error, in central differences.
_STEP = 1e-4


@dataclass(frozen=True, eq=False)
class LatentParameters:
    """The parameters of a model, each where it belongs.

    Attributes
    ----------
    thresholds
        (category - 1,) rising.
    coefficients
        (coefficient,) of the fixed part.
    scale_coefficients
        (scale coefficient,) of the log of the scale; empty without scale effects.
    covariances
        For each random term, (column, column).
    """

    thresholds: np.ndarray
    coefficients: np.ndarray
    scale_coefficients: np.ndarray
    covariances: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class LatentDesigns:
    """The design of some rows.

    Attributes
    ----------
    fixed
        (row, coefficient).
    scale
        (row, scale coefficient).
    random
        For each random term, (row, column): 1 of an intercept, the values of slopes.
    """

    fixed: np.ndarray
    scale: np.ndarray
    random: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class LatentModel:
    """What estimates take of a fitted model, whoever fitted it.

    Attributes
    ----------
    link
        "logit" or "probit".
    categories
        Names of the categories that were used, in order.
    scores
        (category,) what they count in a mean.
    parameters, covariance
        (parameter,) and (parameter, parameter) as the engine has them.
    unpack
        Takes such parameters apart.
    designs
        Takes a frame with the columns of `frame` to its design.
    frame
        The columns of the fixed part (and of scale and slopes) in the data; factors are categorical.
    random_codes
        For each random factor, (row,) the level of each row of `frame`.
    random_slopes
        For each random factor, the columns whose slopes vary by its levels.
    """

    link: str
    categories: tuple[str, ...]
    scores: np.ndarray
    parameters: np.ndarray
    covariance: np.ndarray
    unpack: Callable[[np.ndarray], LatentParameters]
    designs: Callable[[pd.DataFrame], LatentDesigns]
    frame: pd.DataFrame
    random_codes: tuple[np.ndarray, ...] = ()
    random_slopes: tuple[frozenset[str], ...] = ()

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest value that a mean can have."""
        return float(self.scores.min()), float(self.scores.max())

    def probabilities(self, parameters: np.ndarray, designs: LatentDesigns, integrate: bool = True) -> np.ndarray:
        """Return the probabilities of categories, (row, category), over random effects or where these are zero."""
        parts = self.unpack(parameters)
        variance = np.zeros(len(designs.fixed))
        if integrate:
            for design, covariance in zip(designs.random, parts.covariances, strict=True):
                variance += np.einsum("ij,jk,ik->i", design, covariance, design)
        scale = np.exp(designs.scale @ parts.scale_coefficients)
        predictor = designs.fixed @ parts.coefficients
        return category_probabilities(parts.thresholds, predictor, scale, np.maximum(variance, 0), self.link)

    def predictors(self, parameters: np.ndarray, designs: LatentDesigns) -> np.ndarray:
        """Return the fixed part of the linear predictor, (row,)."""
        return designs.fixed @ self.unpack(parameters).coefficients

    def spread(self, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return how far a function moves when parameters move by a root of their covariance, (value, parameter).

        Times its transpose this is the covariance of the values (delta method). By central differences along the root,
        so that neither the units of a covariate nor where it has its zero matter.
        """
        error = np.sqrt(np.maximum(np.diag(self.covariance), 0))
        size = np.where(error > 0, error, 1.0)
        values, vectors = np.linalg.eigh(self.covariance / np.outer(size, size))
        root = size[:, None] * vectors * np.sqrt(np.maximum(values, 0))
        columns = []
        for step in _STEP * root.T:
            change = function(self.parameters + step) - function(self.parameters - step)
            columns.append(np.asarray(change).reshape(-1) / (2 * _STEP))
        return np.column_stack(columns)


@dataclass(frozen=True, eq=False)
class LatentCells:
    """Cells of a model that estimates are averaged over.

    Attributes
    ----------
    groups
        A row an estimate: the columns that estimates are by.
    weights
        (group, cell), rows sum to 1.
    designs
        Of the cells.
    notes
        What other columns were held at or averaged over.
    """

    groups: pd.DataFrame
    weights: np.ndarray
    designs: LatentDesigns
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The groups in words: levels, joined by commas."""
        return tuple(", ".join(map(str, row)) for row in self.groups.itertuples(index=False))


def latent_cells(
    model: LatentModel,
    by: str | Sequence[str],
    weights: str = "equal",
    hold: Mapping[str, object] | None = None,
) -> LatentCells:
    """Return the cells at which estimates by some columns are made.

    Parameters
    ----------
    model : LatentModel
        The model.
    by : str or sequence of str
        Columns of its fixed part: every combination of their levels is a group. Numbers need values in `hold`.
    weights : str
        "equal": other factors at each of their levels, which all count the same, and numbers at their means, as
        emmeans does; "observed": other columns as the rows of the data have them.
    hold : mapping, optional
        Values of columns: one value, or several for a column of `by`.

    Raises
    ------
    ArgumentError
        A column is not in the model, or has no such level.
    """
    check_choice("weights", weights, WEIGHTS)
    columns = [by] if isinstance(by, str) else list(by)
    held = dict(hold or {})
    for column in [*columns, *held]:
        if column not in model.frame:
            listed = ", ".join(map(repr, model.frame.columns)) or "none"
            raise ArgumentError(f"Column {column!r} is no part of the model. Its columns are: {listed}.")
    places = {column: _places(model.frame, column, held, several=True) for column in columns}
    groups = pd.DataFrame(list(itertools.product(*places.values())), columns=pd.Index(columns))
    others = [column for column in map(str, model.frame.columns) if column not in columns]
    if weights == "observed":
        cells, shares, notes = _observed(model.frame, others, held)
    else:
        cells, shares, notes = _equal(model.frame, others, held)
    if len(groups) * len(cells) > _MOST_CELLS:
        raise ArgumentError(
            f"The crossing of all levels has {len(groups)} x {len(cells)} cells, which are more than {_MOST_CELLS}: "
            "hold some columns with 'hold', or use fewer columns in 'by'."
        )
    frame = groups.merge(cells, how="cross") if len(others) else groups
    for column in model.frame:
        if isinstance(model.frame[column].dtype, pd.CategoricalDtype):
            frame[column] = pd.Categorical(frame[column], dtype=model.frame[column].dtype)
    rows = pd.DataFrame(frame, columns=model.frame.columns)
    return LatentCells(groups, np.kron(np.eye(len(groups)), shares), model.designs(rows), notes)


def _places(frame: pd.DataFrame, column: str, held: Mapping[str, object], several: bool) -> list[object]:
    """Return the values of a column: those that are asked for, the levels of a factor, or the mean of numbers."""
    given = held.get(column)
    values = list(given) if isinstance(given, (list, tuple, np.ndarray)) else [given]
    if column in held and len(values) > 1 and not several:
        raise ArgumentError(f"Give one value of column {column!r} in 'hold', or name it in 'by', but got {given!r}.")
    if isinstance(frame[column].dtype, pd.CategoricalDtype):
        levels = frame[column].cat.categories.tolist()
        for value in values if column in held else ():
            check_choice(f"level of {column}", value, levels)
        return values if column in held else levels
    if column not in held and several:
        raise ArgumentError(
            f"Column {column!r} holds numbers and so has no levels: give the values at which estimates are wanted, "
            f"for instance hold={{{column!r}: [0, 1]}}."
        )
    return values if column in held else [float(np.mean(frame[column].to_numpy(dtype=float)))]


def _equal(
    frame: pd.DataFrame, others: Sequence[str], held: Mapping[str, object]
) -> tuple[pd.DataFrame, np.ndarray, tuple[str, ...]]:
    places = {column: _places(frame, column, held, several=False) for column in others}
    cells = pd.DataFrame(list(itertools.product(*places.values())), columns=pd.Index(others))
    averaged = [column for column, values in places.items() if len(values) > 1]
    numbers = [column for column in others if len(places[column]) == 1 and column not in held]
    notes = []
    if averaged:
        notes.append(f"Averaged over the levels of {' and '.join(averaged)}, which count equally.")
    notes += [
        f"{column} is held at its mean, {places[column][0]:.4g}."
        for column in numbers
        if pd.api.types.is_numeric_dtype(frame[column])
    ]
    return cells, np.full((1, len(cells)), 1 / len(cells)), tuple(notes)


def _observed(
    frame: pd.DataFrame, others: Sequence[str], held: Mapping[str, object]
) -> tuple[pd.DataFrame, np.ndarray, tuple[str, ...]]:
    free = [column for column in others if column not in held]
    if not free:
        return _equal(frame, others, held)
    counts = frame.value_counts(free, sort=False)
    counted, shares = counts.index.to_frame(index=False), counts.to_numpy(dtype=float)
    values = {column: _places(frame, column, held, several=False)[0] for column in others if column in held}
    note = f"Averaged over {' and '.join(free)} as in the rows of the data."
    return counted.assign(**values), (shares / shares.sum())[None, :], (note,)
