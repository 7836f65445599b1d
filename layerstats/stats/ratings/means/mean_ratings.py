"""Mean ratings by condition, class, system, clip or rater, with intervals for other raters and other clips."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_choice, check_count, check_seed, check_share
from layerstats.errors import ArgumentError
from layerstats.parallel import Progress, RunOptions
from layerstats.stats.ratings.means.rating_cells import RatingCells, read_by, read_cells
from layerstats.stats.ratings.means.two_way_bootstrap import bootstrap_interval, two_way_replicates
from layerstats.stats.ratings.means.two_way_variance import TwoWayVariance
from layerstats.tables import PrintedResult, check_frame

MeanInterval = Literal["bootstrap", "pigeonhole", "t", "naive"]
INTERVALS = ("bootstrap", "pigeonhole", "t", "naive")
NOT_COMPARABLE = (
    "Opinion scores are not comparable across tests: what a score means depends on what else is heard, on the "
    "instructions and on who listens."
)


@dataclass(frozen=True, eq=False, repr=False)
class RatingMeans(PrintedResult):
    """Mean ratings.

    Attributes
    ----------
    table
        A row a group: the columns of `by`, ``ratings, raters, clips`` (how many), ``estimate`` (the mean of all
        ratings), ``std_dev`` (of single ratings), ``std_error, df, conf_low, conf_high, interval, conf_level``.
    notes
        What to know when reading it.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    notes: tuple[str, ...]


def rating_means(
    ratings: pd.DataFrame,
    by: str | Sequence[str] = "condition",
    *,
    interval: MeanInterval = "bootstrap",
    scale: tuple[int, int] | None = None,
    conf_level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
    workers: int = 1,
    client: Any = None,
    progress: Progress | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> RatingMeans:
    """Average ratings by group, with intervals for the mean that other raters would give to other clips.

    Parameters
    ----------
    ratings
        ``rater, clip, rating`` and the columns of `by`; rows of roles other than "test" are left out.
    by
        Columns whose combinations are averaged: "condition", "clip", "rater", ["system", "speaker"]; [] for all
        ratings. Of a clip's mean only raters are drawn anew, of a rater's only clips.
    interval
        "bootstrap": raters and clips are drawn again, crossed (Owen 2007), and the deviations scaled so that noise
        counts once and few units are allowed for; percentiles. "t": mean +- t standard errors. Both have the two-way
        standard error. "pigeonhole": percentiles as published by Owen, too wide where a rater rates few clips.
        "naive": 1.96 standard errors of ratings as if each had its own rater and clip, for comparison only.
    scale
        Lowest and highest rating there is, which intervals do not pass; those that were given by default.
    conf_level
        Of each interval by itself.
    draws, seed
        Of the bootstrap.
    workers, client, progress, keep
        See `layerstats.parallel.run_tasks`; `workers` are threads. Numbers depend on none of them.

    Returns
    -------
    RatingMeans
        Means and notes.

    Raises
    ------
    ArgumentError
        `by` has the rating itself, or a name of a column of the result.
    DataError
        See `check_ratings`.

    Examples
    --------
    >>> rows = [(f"r{r}", f"{c}{k}", c, 3 + (c == "b") + (r + k) % 2) for r in range(6) for c in "ab" for k in range(4)]
    >>> table = pd.DataFrame(rows, columns=["rater", "clip", "condition", "rating"])
    >>> means = rating_means(table, scale=(1, 5), interval="t").table
    >>> means[["condition", "ratings", "raters", "clips", "estimate"]].values.tolist()
    [['a', 24, 6, 4, 3.5], ['b', 24, 6, 4, 4.5]]
    """
    check_choice("interval", interval, INTERVALS)
    check_share("conf_level", conf_level)
    check_count("draws", draws)
    check_seed(seed)
    columns = read_by(by)
    given, cells = read_cells(ratings, columns, scale)
    values = given["rating"].to_numpy(dtype=float)
    ends = scale or (float(values.min()), float(values.max()))
    variance = TwoWayVariance.of(cells)
    run = RunOptions(workers, client, threads=True, progress=progress, keep=keep)
    low, high, error, freedom = _intervals(cells, variance, interval, conf_level, (draws, seed, run))
    size = len(cells.groups)
    found = {
        "ratings": cells.ratings.astype(int),
        "raters": cells.rater_sums.per_group(np.ones(len(cells.rater_sums.counts)), size).astype(int),
        "clips": cells.clip_sums.per_group(np.ones(len(cells.clip_sums.counts)), size).astype(int),
        "estimate": cells.means,
        "std_dev": _deviations(cells),
        "std_error": error,
        "df": freedom,
        "conf_low": np.clip(low, *ends),
        "conf_high": np.clip(high, *ends),
        "interval": interval,
        "conf_level": conf_level,
    }
    taken = [name for name in columns if name in found]
    if taken:
        raise ArgumentError(
            f"The table of means has a column {taken[0]!r} of its own, which would take the place of yours. Call the "
            "column of conditions something else."
        )
    table = cells.groups.assign(**found)
    return RatingMeans(check_frame(table, user_columns=columns), _notes(table, columns, interval))


def _intervals(
    cells: RatingCells, variance: TwoWayVariance, interval: str, conf_level: float, options: tuple[int, int, RunOptions]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the ends of the intervals, standard errors and degrees of freedom, each (group,)."""
    tail = (1 - conf_level) / 2
    if interval == "naive":
        error = _deviations(cells) / np.sqrt(cells.ratings)
        width = stats.norm.isf(tail) * error
        return cells.means - width, cells.means + width, error, np.full(len(error), np.nan)
    error = np.sqrt(variance.of_means)
    freedom = np.where(np.isfinite(error), variance.freedom, np.nan)
    critical = stats.t.isf(tail, freedom)
    if interval == "t":
        return cells.means - critical * error, cells.means + critical * error, error, freedom
    replicates = two_way_replicates(cells, *options)
    if interval == "bootstrap":
        return *bootstrap_interval(cells.means, replicates, error, critical, conf_level), error, freedom
    spread = np.nanstd(replicates, axis=0, ddof=1)
    low, high = np.nanquantile(replicates, [tail, 1 - tail], axis=0)
    known = spread > 0
    low, high, spread = (np.where(known, one, np.nan) for one in (low, high, spread))
    return low, high, spread, np.full(len(error), np.nan)


def _deviations(cells: RatingCells) -> np.ndarray:
    """Return the standard deviation of single ratings, (group,); NaN of one."""
    squares = np.bincount(cells.group_of, cells.squares, len(cells.groups)) - cells.ratings * cells.means**2
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.sqrt(np.clip(squares, 0, None) / (cells.ratings - 1))
    return np.where(cells.ratings > 1, deviation, np.nan)


def _notes(table: pd.DataFrame, columns: Sequence[str], interval: str) -> tuple[str, ...]:
    notes = [NOT_COMPARABLE]
    if interval == "naive":
        notes.append("Intervals are naive: they take every rating for independent, and are too narrow.")
    of = "of the means" if columns else "of the mean"
    for units, name, other in (("raters", "rater", "clips"), ("clips", "clip", "raters")):
        alone = int(np.sum(table[units].to_numpy() == 1))
        if alone and name not in columns:
            verb = "is" if alone == 1 else "are"
            notes.append(f"{alone} {of} {verb} of one {name}: intervals are for other {other} only.")
    unknown = int(np.isnan(table["conf_low"].to_numpy(dtype=float)).sum())
    if unknown:
        notes.append(
            f"{unknown} {of} {'has' if unknown == 1 else 'have'} no interval: there is one rating, or all ratings are "
            "the same, so that nothing is known of how they vary."
        )
    return tuple(notes)
