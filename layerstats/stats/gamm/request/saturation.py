"""Models that leave nothing to estimate a residual variance from: terms with as many coefficients as there are rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.gamm.engine_interface import FitRequest, ModelRequest
from layerstats.stats.gamm.formula.expression import Expression, Name
from layerstats.stats.gamm.formula.terms import Formula, SmoothTerm

# Of the squared length of the residuals' covariance: what random terms leave of it where they can take its place.
_SAME = 1e-10
# Families whose variance follows from their mean, so that a random effect of every row is extra variance.
_KNOWN_SCALE = ("poisson",)


def check_saturation(request: ModelRequest) -> None:
    """Refuse models that fit any response exactly, or whose random terms cannot be told from the residuals.

    A random effect with one row a level has a variance beside the residual one of the same row. lme4 and mgcv refuse it
    by counting, also with prior weights and with AR(1) residuals; so does this.

    Raises
    ------
    DataError
        With the term.
    """
    _check_copies(request.formula)
    rows = np.ones(len(request.frame), dtype=bool) if request.weights is None else request.weights > 0
    frame = request.frame.loc[rows]
    _check_parametric(request.formula, frame)
    by_zero = [smooth for smooth in request.formula.smooths if _is_zero(smooth.by, frame)]
    if by_zero:
        raise DataError(f"{by_zero[0].label} is a smooth times {by_zero[0].by}, which is 0 in every row. Leave it out.")
    if _scale_is_known(request):
        return
    for smooth in request.formula.random_smooths:
        levels = _level_of(smooth, frame)
        if levels is not None and levels.max() + 1 == len(frame):
            raise DataError(
                f"{smooth.label} has a level for each of the {len(frame)} rows: the variance of such a random term "
                "cannot be told from that of the residuals. Leave it out, or group by something with several rows."
            )
    _check_variances(request, frame)


def check_variance(request: FitRequest) -> None:
    """Raise `DataError` where the response varies so little or so much that squares of it are no numbers."""
    with np.errstate(all="ignore"):
        variance = float(np.var(request.response_values))
    if not 1e-200 < variance < 1e200:
        raise DataError(f"The response {request.response} has a variance of {variance:.3g}: give it in another unit.")


def _check_copies(formula: Formula) -> None:
    """Refuse two smooths of the same columns that differ in nothing but the order of these, or in k."""
    seen: dict[object, SmoothTerm] = {}
    for smooth in formula.smooths:
        if smooth.random:
            continue
        others = frozenset((name, str(value)) for name, value in smooth.options if name not in ("k", "bs"))
        key = (smooth.function, frozenset(map(str, smooth.variables)), str(smooth.by), frozenset(smooth.bases), others)
        if key in seen:
            raise DataError(f"{seen[key]} and {smooth} are smooths of the same columns: keep one of them.")
        seen[key] = smooth


def _check_parametric(formula: Formula, frame: pd.DataFrame) -> None:
    for term in formula.parametric:
        factors = [column for column in term.columns if _is_factor(frame, column)]
        if factors and len(frame.groupby(factors, observed=True, sort=False)) == len(frame):
            raise DataError(
                f"{term.label} has a level for each of the {len(frame)} rows, so that nothing is left to estimate a "
                "variance from. If it should hold numbers, look for cells that are none."
            )


def _scale_is_known(request: ModelRequest) -> bool:
    """Return whether a row can tell its own random effect from chance: counts can, single trials cannot."""
    if request.family.split("(")[0] in _KNOWN_SCALE:
        return True
    trials = request.weights
    return request.family.split("(")[0] == "binomial" and trials is not None and bool(np.median(trials) > 1)


def _check_variances(request: ModelRequest, frame: pd.DataFrame) -> None:
    """Refuse random effects whose covariances add up to that of independent residuals."""
    effects = [smooth for smooth in request.formula.random_smooths if smooth.bases == ("re",)]
    codes = [_level_of(smooth, frame) for smooth in effects]
    sizes = [_size_of(smooth, frame) for smooth in effects]
    known = [(code, size) for code, size in zip(codes, sizes, strict=True) if code is not None and size is not None]
    # Fewer columns than rows cannot be the residuals' covariance, which has full rank.
    if request.rho != 0 or sum(int(code.max()) + 1 for code, _ in known) < len(frame):
        return
    noise = np.ones(len(frame))
    if request.weights is not None:
        noise = 1 / request.weights[request.weights > 0]
    products = np.empty((len(known), len(known)))
    for first, (code_1, size_1) in enumerate(known):
        for second, (code_2, size_2) in enumerate(known[: first + 1]):
            cell = np.unique(code_1 * (int(code_2.max()) + 1) + code_2, return_inverse=True)[1]
            value = float(np.sum(np.bincount(cell, weights=size_1 * size_2) ** 2))
            products[first, second] = products[second, first] = value
    with_noise = np.array([float(np.sum(size**2 * noise)) for _, size in known])
    square = float(np.sum(noise**2))
    explained = float(with_noise @ np.linalg.lstsq(products, with_noise, rcond=None)[0])
    if square - explained <= _SAME * square:
        raise DataError(
            f"{' and '.join(smooth.label for smooth in effects)} together leave each row a variance of its own, which "
            "cannot be told from that of the residuals. Leave out the finest of them."
        )


def _level_of(smooth: SmoothTerm, frame: pd.DataFrame) -> np.ndarray | None:
    """Return the level of a random term in each row, (row,), counted from 0; None where it has expressions or none."""
    columns = [one.name for one in (*smooth.variables, smooth.by) if isinstance(one, Name)]
    factors = [column for column in columns if _is_factor(frame, column)]
    if len(columns) != len(smooth.variables) + (smooth.by is not None) or not factors:
        return None
    return frame.groupby(factors, observed=True, sort=False).ngroup().to_numpy()


def _size_of(smooth: SmoothTerm, frame: pd.DataFrame) -> np.ndarray | None:
    """Return what a random effect is multiplied with in each row, (row,)."""
    size = np.ones(len(frame))
    for one in (*smooth.variables, smooth.by):
        if isinstance(one, Name) and not _is_factor(frame, one.name):
            size = size * frame[one.name].to_numpy(dtype=float)
    return size


def _is_zero(by: Expression | None, frame: pd.DataFrame) -> bool:
    return isinstance(by, Name) and not _is_factor(frame, by.name) and not np.any(frame[by.name].to_numpy(dtype=float))


def _is_factor(frame: pd.DataFrame, column: str) -> bool:
    return isinstance(frame[column].dtype, pd.CategoricalDtype)
