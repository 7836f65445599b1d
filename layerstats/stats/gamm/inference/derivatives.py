"""How steeply the curve of each level rises or falls, and how it bends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_own_names
from layerstats.stats.gamm.engine_interface import Design
from layerstats.stats.gamm.inference.curves import labels_along, level_combinations
from layerstats.stats.gamm.inference.difference import smooth_name
from layerstats.stats.gamm.inference.intervals import check_interval, estimate_curve, stretches_above_zero
from layerstats.stats.gamm.inference.reference_grid import reference_grid
from layerstats.stats.gamm.inference.result import GammResult
from layerstats.tables import PrintedResult, check_frame

# Of the range of the covariate: where truncation and rounding of the finite difference are about as small.
_STEPS = {1: 1e-5, 2: 1e-4}
_OWN = ("smooth", "order", "derivative", "std_error", "conf_low", "conf_high", "interval", "conf_level")
_OWN_OF_REGIONS = ("start", "end", "sign")


@dataclass(frozen=True, eq=False, repr=False)
class DerivativesResult(PrintedResult):
    """Derivatives of curves along a covariate.

    Attributes
    ----------
    curve
        ``smooth, <factors>, <covariate>, order, derivative, std_error, conf_low, conf_high, interval, conf_level``.
    regions
        ``smooth, <factors>, order, start, end, sign, interval, conf_level``: the stretches where the interval excludes
        zero, so that the curve changes there; ends interpolated linearly. No rows where there are none.
    covariate
        The column along which the curves run.
    notes
        Where the other columns were held.
    """

    main_tables = ("regions",)
    curve: pd.DataFrame
    regions: pd.DataFrame
    covariate: str
    notes: tuple[str, ...]


def derivatives(
    result: GammResult,
    factor_columns: str | Sequence[str] = (),
    at: Mapping[str, object] | None = None,
    order: int = 1,
    interval: str = "simultaneous",
    conf_level: float = 0.95,
    unconditional: bool = False,
    draws: int = 10_000,
    seed: int = 0,
) -> DerivativesResult:
    """Estimate derivatives of the curve of each level along a covariate, without random terms.

    The derivative of a curve is a linear function of the coefficients as the curve is: the design matrix is replaced by
    its central finite difference, (X(x + h/2) - X(x - h/2)) / h or (X(x + h) - 2 X(x) + X(x - h)) / h^2, as Simpson's
    gratia does in R. At the ends of the data the difference is taken just inside of them.

    Parameters
    ----------
    result
        A fitted model.
    factor_columns
        The factor, or several; every combination of levels in the data gets a curve. None: one curve.
    at
        See `reference_grid`: ``{"Sample": grid}``.
    order
        1 for the slope, 2 for the curvature.
    interval, conf_level, draws, seed
        See `estimate_curve`; simultaneous over each curve.
    unconditional
        Whether intervals hold the uncertainty of the smoothing parameters too; see `GammResult.design`.

    Raises
    ------
    ArgumentError
        The order is neither 1 nor 2, the covariate is not clear, or the engine has no such covariance.

    Examples
    --------
    >>> from layerstats.stats.gamm import fit
    >>> data = pd.DataFrame({"x": np.linspace(0, 1, 60)}).assign(y=lambda frame: np.sin(6 * frame["x"]))
    >>> data["y"] += np.tile([0.05, -0.05], 30)
    >>> result = fit("y ~ s(x)", data, engine="structured")
    >>> derivatives(result).regions[["start", "end", "sign"]].round(1)
       start  end      sign
    0    0.0  0.2  positive
    1    0.3  0.8  negative
    2    0.8  1.0  positive
    """
    check_choice("order", order, tuple(_STEPS))
    check_interval(interval, conf_level, draws)
    columns = (factor_columns,) if isinstance(factor_columns, str) else tuple(factor_columns)
    combinations = level_combinations(result, columns)
    grid = reference_grid(result.request, at, columns, combinations)
    check_own_names((*columns, grid.covariate), _OWN)
    check_own_names(columns, _OWN_OF_REGIONS)
    name = smooth_name(result, labels_along(result, grid.covariate), grid.covariate)
    curves, regions = [], []
    for levels in combinations:
        rows = grid.rows(levels)
        design = _difference(result, rows, grid.covariate, order, unconditional)
        estimate = estimate_curve(
            design.matrix,
            design.coefficients,
            design.covariance,
            interval=interval,
            conf_level=conf_level,
            draws=draws,
            seed=seed,
        )
        key = {"smooth": name, **dict(zip(columns, levels, strict=True))}
        kind = {"interval": interval, "conf_level": conf_level}
        values = {
            grid.covariate: grid.frame[grid.covariate],
            "order": order,
            "derivative": estimate.fit,
            "std_error": estimate.std_error,
            "conf_low": estimate.conf_low,
            "conf_high": estimate.conf_high,
        }
        curves.append(pd.DataFrame({**key, **values, **kind}))
        place = grid.frame[grid.covariate].to_numpy(dtype=float)
        found = [
            (start, end, sign)
            for bound, sign in ((estimate.conf_low, "positive"), (-estimate.conf_high, "negative"))
            for start, end in stretches_above_zero(place, bound)
        ]
        regions += [
            {**key, "order": order, "start": start, "end": end, "sign": sign, **kind}
            for start, end, sign in sorted(found)
        ]
    curve = pd.concat(curves, ignore_index=True)
    header = ["smooth", *columns, "order", "start", "end", "sign", "interval", "conf_level"]
    return DerivativesResult(
        curve=check_frame(curve, "derivatives", user_columns=[*columns, grid.covariate]),
        regions=check_frame(pd.DataFrame(regions, columns=header), "derivative_regions", user_columns=columns),
        covariate=grid.covariate,
        notes=grid.notes,
    )


def _difference(result: GammResult, rows: pd.DataFrame, covariate: str, order: int, unconditional: bool) -> Design:
    """Return the design of `rows` with its matrix differentiated along `covariate`."""
    observed = result.request.frame[covariate].to_numpy(dtype=float)
    low, high = observed.min(), observed.max()
    step = _STEPS[order] * (high - low)
    place = rows[covariate].to_numpy(dtype=float)
    # Bases have kinks at the ends of the data: cubic ones go on as straight lines.
    inside = (low <= place) & (place <= high)
    centre = np.where(inside, np.clip(place, low + step, high - step), place)
    stencil = {1: {-0.5: -1.0, 0.5: 1.0}, 2: {-1.0: 1.0, 0.0: -2.0, 1.0: 1.0}}[order]
    shifted = pd.concat([rows.assign(**{covariate: centre + shift * step}) for shift in stencil], ignore_index=True)
    design = result.design(shifted, result.random_terms, unconditional)
    pieces = np.split(design.matrix, len(stencil))
    matrix = sum(weight * piece for weight, piece in zip(stencil.values(), pieces, strict=True)) / step**order
    return Design(np.asarray(matrix), design.coefficients, design.covariance, design.term_of_column)
