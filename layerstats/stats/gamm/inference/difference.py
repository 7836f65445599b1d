"""The difference between the curves of two levels, and where it is not zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_own_names
from layerstats.errors import ArgumentError
from layerstats.stats.gamm.data.factors import level_names
from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.inference.dependent_columns import Levels
from layerstats.stats.gamm.inference.intervals import check_interval, estimate_curve, stretches_above_zero
from layerstats.stats.gamm.inference.reference_grid import ReferenceGrid, fixed_columns, reference_grid
from layerstats.stats.gamm.inference.result import GammResult
from layerstats.tables import PrintedResult, check_frame

_OWN = ("smooth", "level_1", "level_2", "diff", "std_error", "conf_low", "conf_high", "interval", "conf_level")


@dataclass(frozen=True, eq=False, repr=False)
class DifferenceResult(PrintedResult):
    """A difference curve, always `level_1` minus `level_2`.

    Attributes
    ----------
    curve
        ``smooth, level_1, level_2, <covariate>, diff, std_error, conf_low, conf_high, interval, conf_level``.
    regions
        ``level_1, level_2, start, end, sign, interval, conf_level``: the stretches where the interval excludes zero,
        ends interpolated linearly. No rows where there are none.
    covariate
        The column along which the curves run.
    critical_value
        Standard errors from the difference to the end of the interval.
    notes
        Where the other columns were held, and which follow the factors.
    """

    main_tables = ("regions",)
    curve: pd.DataFrame
    regions: pd.DataFrame
    covariate: str
    critical_value: float
    notes: tuple[str, ...]


def difference(
    result: GammResult,
    factor_columns: str | Sequence[str],
    level_1: str | Sequence[str],
    level_2: str | Sequence[str],
    at: Mapping[str, object] | None = None,
    include_parametric: bool = True,
    interval: str = "simultaneous",
    conf_level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> DifferenceResult:
    """Estimate ``level_1 - level_2`` along a covariate, without random terms.

    Parameters
    ----------
    result
        A fitted model, with smooths by a factor or difference smooths of an ordered factor.
    factor_columns
        The factor, or several that are set together. What is a function of them in the data follows by itself: ordered
        copies, indicators, interactions that are a column.
    level_1, level_2
        A level, or one level for each of `factor_columns`.
    at
        See `reference_grid`: ``{"Sample": grid}``.
    include_parametric
        False leaves out the difference in level and compares shapes only.
    interval, conf_level, draws, seed
        See `estimate_curve`. Reversing the levels mirrors the intervals exactly.

    Raises
    ------
    ArgumentError
        A level does not exist, both are the same, the covariate is not clear, or a column that follows the factors
        cannot be set.

    Examples
    --------
    >>> from layerstats.stats.gamm import fit
    >>> x = np.tile(np.linspace(0, 1, 40), 2)
    >>> data = pd.DataFrame({"x": x, "word": np.repeat(["ask", "wash"], 40)})
    >>> data["y"] = np.where(data["word"] == "ask", x, 0.0) + np.tile([0.05, -0.05], 40)
    >>> model = fit("y ~ word + s(x, by=word)", data, engine="structured")
    >>> difference(model, "word", "ask", "wash").regions[["start", "end"]].round(1)
       start  end
    0    0.1  1.0
    """
    check_interval(interval, conf_level, draws)
    grid, first, second = difference_grid(result.request, factor_columns, level_1, level_2, at)
    designs = [result.design(grid.rows(levels), exclude=result.random_terms) for levels in (first, second)]
    contrast = designs[0].matrix - designs[1].matrix
    is_smooth = np.isin(designs[0].term_of_column, result.smooth_labels)
    if not include_parametric:
        contrast = contrast * is_smooth
    if not np.any(contrast):
        raise ArgumentError(
            f"In this model {':'.join(first)!r} and {':'.join(second)!r} do not differ along {grid.covariate!r}"
            f"{'' if include_parametric else ' but in level'}: there is nothing to estimate."
        )
    estimate = estimate_curve(
        contrast,
        designs[0].coefficients,
        designs[0].covariance,
        interval=interval,
        conf_level=conf_level,
        draws=draws,
        seed=seed,
    )
    used = {term for term, column in zip(designs[0].term_of_column, contrast.T, strict=True) if np.any(column)}
    curve = pd.DataFrame(
        {
            "smooth": smooth_name(result, used, grid.covariate),
            "level_1": ":".join(dict.fromkeys(first)),
            "level_2": ":".join(dict.fromkeys(second)),
            grid.covariate: grid.frame[grid.covariate],
            "diff": estimate.fit,
            "std_error": estimate.std_error,
            "conf_low": estimate.conf_low,
            "conf_high": estimate.conf_high,
            "interval": interval,
            "conf_level": conf_level,
        }
    )
    check_frame(curve, "difference", user_columns=[grid.covariate])
    return DifferenceResult(curve, _regions(curve, grid.covariate), grid.covariate, estimate.critical_value, grid.notes)


def difference_grid(
    request: FitRequest,
    factor_columns: str | Sequence[str],
    level_1: str | Sequence[str],
    level_2: str | Sequence[str],
    at: Mapping[str, object] | None = None,
) -> tuple[ReferenceGrid, Levels, Levels]:
    """Return the rows at which levels are compared, and both levels; the model need not be fitted yet.

    Raises
    ------
    ArgumentError
        As `difference`.
    """
    columns = (factor_columns,) if isinstance(factor_columns, str) else tuple(factor_columns)
    first, second = _levels(columns, level_1), _levels(columns, level_2)
    if first == second:
        raise ArgumentError(f"The levels to compare must differ, but both are {':'.join(first)!r}.")
    grid = reference_grid(request, at, columns, (first, second), contrast=True)
    check_own_names([grid.covariate], _OWN)
    if not {*columns, *grid.placed.dependent[first]} & set(fixed_columns(request)):
        raise ArgumentError(
            f"{', '.join(map(repr, columns))} is in random terms alone, which a difference leaves out: the model says "
            "nothing else of its levels. Write it as a term to compare them."
        )
    return grid, first, second


def smooth_name(result: GammResult, fitted_labels: set[str], covariate: str) -> str:
    """Return how the formula calls the smooths behind `fitted_labels`, or the covariate where there are none."""
    names = [part.written.name for part in result.engine_fit.smooth_parts if part.label in fitted_labels]
    return " + ".join(dict.fromkeys(names)) or covariate


def _levels(columns: tuple[str, ...], level: str | Sequence[str]) -> Levels:
    if not columns:
        raise ArgumentError("The 'factor_columns' parameter must name at least one column, but got none.")
    given = [level] * len(columns) if isinstance(level, str) or not isinstance(level, Iterable) else list(level)
    levels = tuple(str(level_names(pd.Series([one])).iloc[0]) for one in given)
    if len(levels) != len(columns):
        raise ArgumentError(f"Give one level for each of {', '.join(map(repr, columns))}, but got {level!r} instead.")
    return levels


def _regions(curve: pd.DataFrame, covariate: str) -> pd.DataFrame:
    place = curve[covariate].to_numpy(dtype=float)
    found = [
        (start, end, sign)
        for bound, sign in ((curve["conf_low"], "positive"), (-curve["conf_high"], "negative"))
        for start, end in stretches_above_zero(place, bound.to_numpy(dtype=float))
    ]
    rows = [
        {
            "level_1": curve["level_1"].iloc[0],
            "level_2": curve["level_2"].iloc[0],
            "start": start,
            "end": end,
            "sign": sign,
            "interval": curve["interval"].iloc[0],
            "conf_level": curve["conf_level"].iloc[0],
        }
        for start, end, sign in sorted(found)
    ]
    columns = ["level_1", "level_2", "start", "end", "sign", "interval", "conf_level"]
    return check_frame(pd.DataFrame(rows, columns=columns), "regions")
