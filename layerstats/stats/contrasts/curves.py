"""Curves of groups and differences between them, from one design matrix of a fitted model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.stats.effect_sizes import EffectSize, TokenSpread, effect_size, token_spread
from layerstats.stats.gamm.inference.intervals import estimate_curve, stretches_above_zero
from layerstats.stats.series import Series

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult

POINTS = 100


@dataclass(frozen=True)
class IntervalOptions:
    """How intervals of curves, differences and effect sizes are made.

    Examples
    --------
    >>> IntervalOptions(conf_level=0.99).interval
    'simultaneous'
    """

    interval: str = "simultaneous"
    conf_level: float = 0.95
    draws: int = 10_000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class GroupCurves:
    """The fixed part of a model on a grid of time, for each group; random terms are excluded.

    Attributes
    ----------
    axis
        Name of the column that curves run along in tables: ``"time_ms"`` of the clip, or normalised ``"time"``.
    grid
        (time,) equally spaced, in units of `axis`.
    matrices
        For each group (time, coefficient).
    coefficients, covariance
        (coefficient,) and (coefficient, coefficient).
    """

    axis: str
    grid: np.ndarray
    matrices: dict[str, np.ndarray]
    coefficients: np.ndarray
    covariance: np.ndarray

    def value(self, group: str) -> np.ndarray:
        """Return the curve of a group, (time,)."""
        return self.matrices[group] @ self.coefficients


def group_curves(result: GammResult, series: Series, group: str, levels: Sequence[str]) -> GroupCurves:
    """Evaluate the fixed part of a fitted model for each level of a column on 100 equally spaced times.

    Other covariates (the duration of the word) stand at their median.
    """
    return cell_curves(result, series, {level: {group: level} for level in levels})


def cell_curves(result: GammResult, series: Series, cells: Mapping[str, Mapping[str, str]]) -> GroupCurves:
    """Evaluate the fixed part of a fitted model for each cell: a name, and the level of every factor there."""
    frame = series.frame
    grid = np.linspace(frame[series.covariate].min(), frame[series.covariate].max(), POINTS)
    levels = pd.DataFrame(list(cells.values())).astype(str)
    rows = levels.loc[np.repeat(levels.index.to_numpy(), POINTS)].reset_index(drop=True)
    rows[series.covariate] = np.tile(grid, len(cells))
    if "duration_s" in frame.columns:
        rows["duration_s"] = frame.drop_duplicates(series.identifier)["duration_s"].median()
    design = result.design(rows, exclude=result.random_terms)
    blocks = np.split(design.matrix, len(cells))
    return GroupCurves(
        axis="time" if series.covariate == "time" else "time_ms",
        grid=grid if series.covariate == "time" else _milliseconds(frame, grid),
        matrices=dict(zip(cells, blocks, strict=True)),
        coefficients=design.coefficients,
        covariance=design.covariance,
    )


def curve_table(curves: GroupCurves, options: IntervalOptions, column: str) -> pd.DataFrame:
    """Return the curve of each group with its interval: `column`, the axis, ``fit, std_error, conf_low, ...``."""
    parts = []
    for level, matrix in curves.matrices.items():
        curve = estimate_curve(matrix, curves.coefficients, curves.covariance, **vars(options))
        parts.append(
            pd.DataFrame(
                {
                    column: level,
                    curves.axis: curves.grid,
                    "fit": curve.fit,
                    "std_error": curve.std_error,
                    "conf_low": curve.conf_low,
                    "conf_high": curve.conf_high,
                    "interval": options.interval,
                    "conf_level": options.conf_level,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def difference_tables(
    curves: GroupCurves, pairs: Sequence[tuple[str, str]], options: IntervalOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the difference curves of pairs of groups and the stretches where their intervals exclude zero.

    Each pair is the first minus the second; turned round, every difference changes its sign and nothing else.

    Returns
    -------
    tuple of pandas.DataFrame
        ``level_1, level_2, <axis>, smooth, diff, std_error, conf_low, conf_high, interval, conf_level`` and ``level_1,
        level_2, start, end, sign, interval, conf_level``.
    """
    tables, regions = [], []
    labels = {"interval": options.interval, "conf_level": options.conf_level}
    for first, second in pairs:
        matrix = curves.matrices[first] - curves.matrices[second]
        curve = estimate_curve(matrix, curves.coefficients, curves.covariance, **vars(options))
        names = {"level_1": first, "level_2": second}
        columns = {curves.axis: curves.grid, "diff": curve.fit, "std_error": curve.std_error}
        columns |= {"conf_low": curve.conf_low, "conf_high": curve.conf_high}
        tables.append(pd.DataFrame({"smooth": curves.axis, **names, **columns, **labels}))
        found = [
            (start, end, sign)
            for sign, bound in (("positive", curve.conf_low), ("negative", -curve.conf_high))
            for start, end in stretches_above_zero(curves.grid, bound)
        ]
        regions += [{**names, "start": start, "end": end, "sign": sign, **labels} for start, end, sign in sorted(found)]
    columns = ["level_1", "level_2", "start", "end", "sign", "interval", "conf_level"]
    table = pd.DataFrame(regions, columns=columns)
    numbers = {"start": float, "end": float, "conf_level": float}
    return pd.concat(tables, ignore_index=True), table.astype({name: numbers.get(name, str) for name in columns})


def difference_effect(
    curves: GroupCurves, series: Series, group: str, pair: tuple[str, str], options: IntervalOptions
) -> EffectSize:
    """Return the effect size of the difference between two groups; the order of the pair does not matter.

    The standard deviation is that of the tokens of these two groups about their groups' curves.
    """
    pair = (min(pair), max(pair))
    frame = series.frame.loc[series.frame[group].isin(pair)]
    spread = spread_about(curves, series, group, frame)
    return curve_effect(curves.matrices[pair[0]] - curves.matrices[pair[1]], curves, spread, options)


def spread_about(curves: GroupCurves, series: Series, group: str, frame: pd.DataFrame | None = None) -> TokenSpread:
    """Return the standard deviation of tokens about the curves of their groups; of all rows, or those of `frame`."""
    frame = series.frame if frame is None else frame
    return token_spread(frame, _at_rows(curves, series, group, frame), identifier=series.identifier, group=group)


def distances(curves: GroupCurves, series: Series, group: str) -> pd.DataFrame:
    """Return how far each series lies from the curve of its group: a row a series, with `group` and `distance`.

    The distance is the root mean square over the series' points; other columns are those of its first point.
    """
    frame = series.frame
    squared = (frame["value"].to_numpy() - _at_rows(curves, series, group, frame)) ** 2
    first = frame.drop_duplicates(series.identifier)
    means = pd.Series(frame.assign(_squared=squared).groupby(series.identifier, sort=False)["_squared"].mean())
    distance = np.sqrt(means.loc[first[series.identifier]].to_numpy())
    return first.assign(group=first[group].astype(str), distance=distance).reset_index(drop=True)


def _at_rows(curves: GroupCurves, series: Series, group: str, frame: pd.DataFrame) -> np.ndarray:
    """Return the curve of its group at each row, (row,)."""
    along = frame[series.covariate].to_numpy()
    low, high = series.frame[series.covariate].min(), series.frame[series.covariate].max()
    places = np.linspace(low, high, len(curves.grid))
    predicted = np.empty(len(frame))
    for level in pd.unique(frame.loc[:, group]):
        rows = (frame[group] == level).to_numpy()
        predicted[rows] = np.interp(along[rows], places, curves.value(level))
    return predicted


def curve_effect(matrix: np.ndarray, curves: GroupCurves, spread: TokenSpread, options: IntervalOptions) -> EffectSize:
    """Return the effect size of the curve that a matrix, (time, coefficient), makes of the coefficients."""
    return effect_size(
        matrix @ curves.coefficients,
        matrix @ curves.covariance @ matrix.T,
        spread,
        conf_level=options.conf_level,
        draws=options.draws,
        seed=options.seed,
    )


def _milliseconds(frame: pd.DataFrame, grid: np.ndarray) -> np.ndarray:
    """Return the times of samples: on the clip's axis they are a straight line."""
    ends = frame.sort_values("sample").iloc[[0, -1]]
    return np.interp(grid, ends["sample"].to_numpy(dtype=float), ends["time_s"].to_numpy() * 1000)
