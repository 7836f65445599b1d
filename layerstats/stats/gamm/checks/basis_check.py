"""Were the bases large enough? The k-index, defined as in mgcv's k.check, for every engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from layerstats.stats.gamm.data.factors import factor_levels
from layerstats.stats.gamm.engine_interface import EngineFit, FitRequest
from layerstats.stats.gamm.formula.expression import Expression, Name, evaluate, names_in
from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.tables import check_frame

_NEIGHBOURS = 3


def check_bases(
    request: FitRequest, fit: EngineFit, *, seed: int = 0, repetitions: int = 400, rows: int = 5000
) -> pd.DataFrame:
    """Compare residuals of neighbours in each smooth's covariates with residuals of random pairs.

    Where a smooth missed a pattern, neighbours have residuals alike, and half the mean squared difference of neighbours
    falls below the residual variance. The ratio is the k-index; the p-value is the share of `repetitions` random orders
    with a smaller ratio (Wood 2017, section 5.9).

    Parameters
    ----------
    request, fit
        The model.
    seed
        For the random orders, and for the choice of `rows` where there are more.

    Returns
    -------
    pandas.DataFrame
        ``term, k, edf, k_index, p_value``; NaN for smooths of factors.
    """
    generator = np.random.default_rng(seed)
    residuals, frame = fit.residuals, request.frame
    if len(frame) > rows:
        kept = generator.choice(len(frame), rows, replace=False)
        residuals, frame = residuals[kept], frame.iloc[kept]
    table = []
    for part in fit.smooth_parts:
        places = (fit.places or _places_of(request, fit))(part.label, frame)
        k_index = p_value = float("nan")
        if places is not None:
            k_index, p_value = _index(residuals, *_neighbours(places), generator, repetitions)
        table.append((part.label, part.coefficients, part.edf, k_index, p_value))
    return check_frame(pd.DataFrame(table, columns=["term", "k", "edf", "k_index", "p_value"]), "k_check")


def _index(
    residuals: np.ndarray, first: np.ndarray, second: np.ndarray, generator: np.random.Generator, repetitions: int
) -> tuple[float, float]:
    observed = np.mean((residuals[first] - residuals[second]) ** 2) / 2
    smaller = 0
    for _ in range(repetitions):
        shuffled = generator.permutation(residuals)
        smaller += np.mean((shuffled[first] - shuffled[second]) ** 2) / 2 < observed
    return float(observed / np.mean(residuals**2)), smaller / repetitions


def _neighbours(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of neighbouring rows."""
    if places.shape[1] == 1:
        order = np.argsort(places[:, 0], kind="stable")
        return order[1:], order[:-1]
    nearest = np.asarray(KDTree(places).query(places, k=_NEIGHBOURS + 1)[1])
    pairs = [_without_self(row, nearest[row]) for row in range(len(places))]
    return np.repeat(np.arange(len(places)), _NEIGHBOURS), np.concatenate(pairs)


def _without_self(row: int, nearest: np.ndarray) -> np.ndarray:
    # Among duplicated places the row itself may come anywhere, or not at all.
    return nearest[nearest != row][:_NEIGHBOURS]


def _places_of(request: FitRequest, fit: EngineFit) -> Callable[[str, pd.DataFrame], np.ndarray | None]:
    """Return `EngineFit.places` for an engine that labels smooths as the formula does."""
    levels = factor_levels(request.frame)
    owners = {label: smooth for smooth in request.formula.smooths for label in smooth.fitted_labels(levels)}
    return lambda label, frame: _places(owners[label], label, request, fit, frame)


def _places(
    smooth: SmoothTerm, label: str, request: FitRequest, fit: EngineFit, frame: pd.DataFrame
) -> np.ndarray | None:
    variables = smooth.variables
    factors = {name for name in frame.columns if isinstance(frame[name].dtype, pd.CategoricalDtype)}
    if "fs" in smooth.bases:  # mgcv looks at the covariate alone
        variables = tuple(variable for variable in variables if not factors & set(names_in(variable)))
    if any(factors & set(names_in(variable)) for variable in variables):
        return None
    places = _values(variables, frame)
    if smooth.function == "s" or len(variables) == 1:
        return places
    return _by_gradient(smooth, label, request, fit, frame, places)


def _values(variables: Sequence[Expression], frame: pd.DataFrame) -> np.ndarray:
    return np.column_stack([evaluate(variable, frame) for variable in variables])


def _by_gradient(
    smooth: SmoothTerm, label: str, request: FitRequest, fit: EngineFit, frame: pd.DataFrame, places: np.ndarray
) -> np.ndarray:
    """Scale each covariate of a tensor product by how steeply the smooth climbs along it."""
    others = [part.label for part in fit.smooth_parts if part.label != label]
    exclude = ("(Intercept)", *fit.parametric_terms, *others)

    def smooth_at(values: pd.DataFrame) -> np.ndarray:
        design = fit.design(values, exclude)
        return design.matrix @ design.coefficients

    predictors = frame.reset_index(drop=True)
    if isinstance(smooth.by, Name):
        by = predictors[smooth.by.name]
        if isinstance(by.dtype, pd.CategoricalDtype):
            level = label.removeprefix(smooth.label)
            predictors[smooth.by.name] = pd.Categorical([level] * len(by), dtype=by.dtype)
        else:
            predictors[smooth.by.name] = 1.0
    base = smooth_at(predictors)
    scaled = np.empty_like(places)
    for column, variable in enumerate(smooth.variables):
        width = np.ptp(places[:, column])
        moved = predictors.copy()
        for name in set(names_in(variable)):
            moved[name] = moved[name] + np.ptp(moved[name].to_numpy(dtype=float)) / 1000
        step = _values(smooth.variables, moved)[:, column] - places[:, column]
        moving = step != 0
        steepness = np.mean(np.abs((smooth_at(moved) - base)[moving] / step[moving]))
        scaled[:, column] = steepness * (places[:, column] - places[:, column].min()) / width
    return scaled
