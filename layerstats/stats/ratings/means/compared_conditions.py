"""Differences of mean ratings between conditions: intervals, tests, and equivalence within a margin."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_choice, check_count, check_not_negative, check_positive, check_seed, check_share
from layerstats.errors import DataError
from layerstats.parallel import Progress, RunOptions
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.ratings.estimates.category_estimates import add_equivalence, choose_pairs
from layerstats.stats.ratings.means.exchanged_conditions import exchange_p_values
from layerstats.stats.ratings.means.mean_ratings import NOT_COMPARABLE
from layerstats.stats.ratings.means.rating_cells import RatingCells, read_by, read_cells
from layerstats.stats.ratings.means.two_way_bootstrap import bootstrap_interval, two_way_replicates
from layerstats.stats.ratings.means.two_way_variance import TwoWayVariance
from layerstats.tables import PrintedResult, check_frame

INTERVALS = ("bootstrap", "t")
# Ways to exchange labels, below which the null cannot tell much.
_FEW_WAYS = 100


@dataclass(frozen=True, eq=False, repr=False)
class RatingComparison(PrintedResult):
    """Differences of mean ratings.

    Attributes
    ----------
    table
        A row a pair: ``level_1, level_2, estimate`` (the mean of level_1 minus that of level_2), ``std_error, df,
        statistic, conf_low, conf_high, interval, conf_level, p_value, p_adjusted, adjust_method, family, tests``;
        ``p_permutation, permutations``, of the null in which the labels of clips are exchanged; and where a margin is
        given ``equivalence_margin, p_equivalence, p_equivalence_adjusted``.
    notes
        What to know when reading it.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    notes: tuple[str, ...]


def compare_conditions(
    ratings: pd.DataFrame,
    by: str | Sequence[str] = "condition",
    *,
    pairs: Sequence[tuple[str, str]] | None = None,
    reference: str | None = None,
    margin: float | None = None,
    interval: Literal["bootstrap", "t"] = "bootstrap",
    scale: tuple[int, int] | None = None,
    conf_level: float = 0.95,
    adjust: AdjustMethod = "holm",
    family: str | None = None,
    permutations: int = 999,
    draws: int = 2000,
    seed: int = 0,
    workers: int = 1,
    client: Any = None,
    progress: Progress | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> RatingComparison:
    """Compare mean ratings of conditions, where raters and clips are samples of others.

    Standard errors have the variances between raters and between clips, and what raters (and clips, where they are
    heard in several conditions) have in common; p-values are of t with Satterthwaite's degrees of freedom.

    Parameters
    ----------
    ratings
        ``rater, clip, rating`` and the columns of `by`; rows of roles other than "test" are left out.
    by
        Column of the conditions; of several columns their combinations, written "command, decoder".
    pairs
        Conditions to compare, (level_1, level_2) each: level_1 - level_2. By default every pair.
    reference
        Compare all others with this one instead: other - reference.
    margin
        Differences below it, in points of the scale, are as good as none: equivalence is tested too.
    interval
        "bootstrap": percentiles of raters and clips drawn again, crossed, with the spread of the two-way standard
        error; "t". See `rating_means`.
    scale
        Lowest and highest rating there is.
    conf_level
        Of each interval by itself.
    adjust, family
        See `adjust_p_values`; the family is named after the pairs unless it has a name.
    permutations
        Of the null: the mean of every rater who heard both conditions is taken off, and labels are exchanged among
        clips that the same raters heard, or, where some clip has none such of the other label, among all. 0 for none.
    draws, seed
        Of the bootstrap and the permutations.
    workers, client, progress, keep
        See `layerstats.parallel.run_tasks`; `workers` are threads. Numbers depend on none of them.

    Returns
    -------
    RatingComparison
        Differences and notes.

    Raises
    ------
    ArgumentError
        There is no such condition, or nothing to compare.
    DataError
        There is one condition only; or see `check_ratings`.

    Examples
    --------
    >>> rows = [(f"r{r}", f"{c}{k}", c, 2 + (c == "b") + (r + k) % 2) for r in range(6) for c in "ab" for k in range(4)]
    >>> table = pd.DataFrame(rows, columns=["rater", "clip", "condition", "rating"])
    >>> compared = compare_conditions(table, reference="a", margin=0.5, scale=(1, 5)).table
    >>> compared[["level_1", "level_2", "estimate"]].values.tolist()
    [['b', 'a', 1.0]]
    """
    check_choice("interval", interval, INTERVALS)
    check_share("conf_level", conf_level)
    check_count("draws", draws)
    check_not_negative("permutations", permutations)
    check_seed(seed)
    if margin is not None:
        check_positive("margin", margin)
    columns = read_by(by)
    _, cells = read_cells(ratings, columns, scale)
    names = _names(cells, columns)
    chosen, every = choose_pairs(names, pairs, reference, columns)
    table = _differences(cells, names, chosen, conf_level)
    run = RunOptions(workers, client, threads=True, progress=progress, keep=keep)
    first, last = (run.share(0, 2), run.share(1, 2)) if interval == "bootstrap" and permutations else (run, run)
    if interval == "bootstrap":
        replicates = two_way_replicates(cells, draws, seed, first)
        table = _bootstrapped(table, names, replicates, conf_level)
    table = table.assign(interval=interval, conf_level=conf_level)
    table = adjust_p_values(table, family or every, method=adjust)
    fewest = np.inf
    if permutations:
        codes = [(names.index(one), names.index(two)) for one, two in chosen]
        null, ways = exchange_p_values(cells, codes, int(permutations), seed, last)
        table = table.assign(p_permutation=null, permutations=int(permutations))
        fewest = float(ways.min())
    if margin is not None:
        table = add_equivalence(table, margin, adjust)
    return RatingComparison(check_frame(table), _notes(cells, table, fewest))


def _names(cells: RatingCells, columns: Sequence[str]) -> list[str]:
    if len(cells.groups) < 2:
        one = ", ".join(map(str, cells.groups.iloc[0])) if columns else "all ratings"
        raise DataError(f"There is one condition only, {one!r}: there is nothing to compare.")
    return [", ".join(map(str, row)) for row in cells.groups.itertuples(index=False, name=None)]


def _differences(
    cells: RatingCells, names: Sequence[str], pairs: Sequence[tuple[str, str]], conf_level: float
) -> pd.DataFrame:
    variance = TwoWayVariance.of(cells)
    codes = [(names.index(one), names.index(two)) for one, two in pairs]
    # In one order, so that swapping two conditions turns signs and nothing else.
    found = np.array([variance.of_difference(*sorted(pair)) for pair in codes])
    error = np.sqrt(np.where(found[:, 0] > 0, found[:, 0], np.nan))
    freedom = np.where(np.isfinite(error), found[:, 1], np.nan)
    estimate = np.array([cells.means[one] - cells.means[two] for one, two in codes])
    width = stats.t.isf((1 - conf_level) / 2, freedom) * error
    return pd.DataFrame(
        {
            "level_1": [one for one, _ in pairs],
            "level_2": [two for _, two in pairs],
            "estimate": estimate,
            "std_error": error,
            "df": freedom,
            "statistic": estimate / error,
            "conf_low": estimate - width,
            "conf_high": estimate + width,
            "p_value": 2 * stats.t.sf(np.abs(estimate / error), freedom),
        }
    )


def _bootstrapped(table: pd.DataFrame, names: Sequence[str], replicates: np.ndarray, conf_level: float) -> pd.DataFrame:
    place = {name: number for number, name in enumerate(names)}
    low, high = np.full((2, len(table)), np.nan)
    critical = stats.t.isf((1 - conf_level) / 2, table["df"].to_numpy())
    for row, (one, two) in enumerate(zip(table["level_1"], table["level_2"], strict=True)):
        drawn = replicates[:, place[one]] - replicates[:, place[two]]
        ends = (table[name].to_numpy()[row : row + 1] for name in ("estimate", "std_error"))
        estimate, error = ends
        own = bootstrap_interval(estimate, drawn[:, None], error, critical[row : row + 1], conf_level)
        low[row], high[row] = own[0][0], own[1][0]
    return table.assign(conf_low=low, conf_high=high)


def _notes(cells: RatingCells, table: pd.DataFrame, fewest: float) -> tuple[str, ...]:
    notes = [NOT_COMPARABLE]
    heard = np.bincount(cells.rater_sums.unit_of, minlength=len(cells.raters))
    some = int(np.sum(heard < len(cells.groups)))
    if some:
        notes.append(
            f"{some} of {len(cells.raters)} raters did not hear every condition: how strict they are is part of the "
            "differences. A mixed model (clmm) takes it out."
        )
    if fewest < _FEW_WAYS:
        notes.append(
            f"Of so few clips labels can be exchanged in {fewest:.0f} ways only: there p_permutation says little."
        )
    unknown = int(np.isnan(table["std_error"].to_numpy(dtype=float)).sum())
    if unknown:
        notes.append(f"{unknown} differences have no interval: nothing is known of how the ratings of both vary.")
    return tuple(notes)
