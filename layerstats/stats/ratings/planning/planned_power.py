"""How many raters and clips find a difference of mean ratings? Ratings are drawn from variances and analysed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_choice, check_positive, check_seed, check_share
from layerstats.errors import ArgumentError, FitError
from layerstats.parallel import Progress, RunOptions
from layerstats.stats.proportions import wilson
from layerstats.stats.ratings.means.rating_cells import RatingCells
from layerstats.stats.ratings.means.two_way_variance import TwoWayVariance
from layerstats.stats.ratings.mixed_models import clmm
from layerstats.stats.ratings.planning.dealt_clips import assign_clips
from layerstats.stats.ratings.planning.rating_variances import RatingVariances
from layerstats.stats.resampling.blocks import check_replicates, in_blocks
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.tables import check_frame

ANALYSES = ("two_way", "clmm")
_CONDITIONS = ("first", "second")
# The two p-values of a data set, and the tests that they are of.
_TESTS = ("difference", "equivalence")
# Draws that one worker does at a time.
_BLOCK = 25


def rating_power(
    difference: float,
    raters: Sequence[int],
    clips: Sequence[int],
    *,
    raters_per_clip: int | None = None,
    variances: RatingVariances | None = None,
    margin: float | None = None,
    analysis: str = "two_way",
    scale: tuple[int, int] = (1, 5),
    mean: float = 3.0,
    alpha: float = 0.05,
    conf_level: float = 0.95,
    replicates: int = 500,
    seed: int = 0,
    workers: int = 1,
    client: Any = None,
    progress: Progress | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Estimate by simulation how often planned tests find a difference of two conditions.

    A rating is the mean of its condition plus normal effects of its rater, of its rater within the condition and of its
    clip, plus noise. Clips are dealt to raters as `layerstats.listening.make_design` deals them.

    Parameters
    ----------
    difference
        True difference of the two conditions, in points of the scale; 0 for the level of the tests, or for the power of
        the test of equivalence.
    raters, clips
        Planned numbers of raters, and of clips of each condition; all combinations.
    raters_per_clip
        How many raters hear each clip; all by default.
    variances
        What ratings vary with, assumed, or of a pilot (`RatingVariances.of`).
    margin
        Margin of equivalence, in points: two one-sided tests are counted too.
    analysis
        "two_way", the t test of `compare_conditions` with its variances between raters and between clips; ratings are
        not rounded for it. "clmm", a mixed model of ordered categories with raters and clips random, whose ratings are
        rounded to the points of `scale`; equivalence is that of means on the scale. It takes much longer.
    scale, mean
        Of "clmm": lowest and highest rating, and the mean of the two conditions before rounding.
    alpha
        Level of the tests.
    conf_level, replicates
        Of the intervals of power (Wilson's), and how many data sets are drawn.
    seed
        Of the drawn ratings.
    workers, client, progress, keep
        See `layerstats.parallel.run_tasks`; `workers` are threads. Numbers depend on none of them.

    Returns
    -------
    DataFrame
        ``raters, clips_per_condition, raters_per_clip, clips_per_rater`` (the mean number), ``analysis, test``
        ("difference", "equivalence"), ``true_difference, power, conf_low, conf_high, conf_level, alpha, replicates``,
        and where there is a margin ``equivalence_margin``. Data sets that a model cannot be fitted to count as not
        found.

    Raises
    ------
    ArgumentError
        A plan is not possible: fewer raters than hear each clip, or raters who would hear nothing.

    Examples
    --------
    >>> few, many = rating_power(0.5, [20], [10, 40], raters_per_clip=5, replicates=100)["power"]
    >>> few < 0.6 < many
    True
    """
    if not np.isfinite(difference):
        raise ArgumentError(f"The 'difference' parameter must be a finite number, but got {difference!r} instead.")
    check_choice("analysis", analysis, ANALYSES)
    check_share("alpha", alpha)
    check_share("conf_level", conf_level)
    check_replicates(replicates)
    check_seed(seed)
    if margin is not None:
        check_positive("margin", margin)
    plans = [_Plan.of(people, each, raters_per_clip, seed) for people in raters for each in clips]
    if not plans:
        raise ArgumentError(f"Plans need numbers of raters and of clips, but got {raters!r} and {clips!r}.")
    world = _World(float(difference), variances or RatingVariances(), margin, analysis, scale, mean)
    rows: list[dict[str, Any]] = []
    run = RunOptions(workers, client, threads=True, progress=progress, keep=keep)
    for number, plan in enumerate(plans):
        compute = partial(_p_values, world, plan, seed)
        found = in_blocks(compute, replicates, run.share(number, len(plans)), _BLOCK) <= alpha
        for test, rejected in zip(_TESTS if margin is not None else _TESTS[:1], found.T, strict=False):
            share = wilson(int(rejected.sum()), replicates, conf_level)
            told = {"analysis": analysis, "test": test, "true_difference": difference, "power": share.estimate}
            ends = {"conf_low": share.conf_low, "conf_high": share.conf_high, "conf_level": conf_level}
            rows.append({**plan.told(), **told, **ends, "alpha": alpha, "replicates": replicates})
    table = pd.DataFrame(rows)
    return check_frame(table if margin is None else table.assign(equivalence_margin=margin))


def _p_values(world: _World, plan: _Plan, seed: int, numbers: range) -> np.ndarray:
    return np.array([world.p_values(plan, replicate_generator(seed, *plan.key, each)) for each in numbers])


def smallest_plans(table: pd.DataFrame, power: float = 0.8) -> pd.DataFrame:
    """Return of each number of clips, and each test, the plan with the fewest raters that reaches a power.

    Parameters
    ----------
    table
        Of `rating_power`.
    power
        What is to be reached.

    Examples
    --------
    >>> table = rating_power(0.7, [5, 20, 40], [40], raters_per_clip=5, replicates=50)
    >>> smallest_plans(table)["raters"].tolist()
    [20]
    """
    check_share("power", power)
    reached = table.loc[table["power"] >= power].sort_values(["test", "clips_per_condition", "raters"])
    return reached.drop_duplicates(["test", "clips_per_condition"]).reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class _Plan:
    """Who hears what: (rating,) of each its rater, its clip and its condition."""

    raters: int
    clips: int
    raters_per_clip: int
    rater_of: np.ndarray
    clip_of: np.ndarray

    @classmethod
    def of(cls, raters: int, clips: int, raters_per_clip: int | None, seed: int) -> _Plan:
        each = raters if raters_per_clip is None else raters_per_clip
        for name, number, least in (("raters", raters, 2), ("clips", clips, 2), ("raters_per_clip", each, 1)):
            if number < least:
                raise ArgumentError(f"Plans need {name} of {least} or more, but got {number!r}.")
        if 2 * clips * each < raters:
            most = 2 * clips * each
            raise ArgumentError(
                f"{raters} raters for 2 x {clips} clips with {each} raters each: some would hear nothing. Possible are "
                f"{each} to {most} raters."
            )
        strata = [(name,) for name in _CONDITIONS for _ in range(clips)]
        rng = replicate_generator(seed, raters, clips, each)
        dealt = assign_clips(strata, each, raters, rng)
        rater_of = np.repeat(np.arange(raters), [len(own) for own in dealt])
        return cls(raters, clips, each, rater_of, np.concatenate([np.array(own) for own in dealt]))

    @property
    def key(self) -> tuple[int, int, int]:
        return self.raters, self.clips, self.raters_per_clip

    def told(self) -> dict[str, Any]:
        heard = 2 * self.clips * self.raters_per_clip / self.raters
        names = ("raters", "clips_per_condition", "raters_per_clip")
        return {**dict(zip(names, self.key, strict=True)), "clips_per_rater": heard}

    def table(self, ratings: np.ndarray) -> pd.DataFrame:
        second = self.clip_of >= self.clips
        columns = {"rater": self.rater_of, "clip": self.clip_of, "condition": np.where(second, *_CONDITIONS[::-1])}
        return pd.DataFrame({**columns, "rating": ratings})


@dataclass(frozen=True)
class _World:
    """What is true, and how it is analysed."""

    difference: float
    variances: RatingVariances
    margin: float | None
    analysis: str
    scale: tuple[int, int]
    mean: float

    def p_values(self, plan: _Plan, rng: np.random.Generator) -> tuple[float, float]:
        """Draw ratings, and return the p-values of no difference and of no equivalence."""
        drawn, own = rng.normal, self.variances
        second = plan.clip_of >= plan.clips
        rater = drawn(0, own.rater, plan.raters)[plan.rater_of]
        within = drawn(0, own.rater_by_condition, (2, plan.raters))[second.astype(int), plan.rater_of]
        clip = drawn(0, own.clip, 2 * plan.clips)[plan.clip_of]
        gap = self.difference * (0.5 - second)
        ratings = self.mean + gap + rater + within + clip + drawn(0, own.noise, len(rater))
        if self.analysis == "two_way":
            return self._two_way(plan.table(ratings))
        return self._clmm(plan.table(np.clip(np.rint(ratings), *self.scale).astype(int)))

    def _two_way(self, table: pd.DataFrame) -> tuple[float, float]:
        cells = RatingCells.of(table, ["condition"])
        variance, freedom = TwoWayVariance.of(cells).of_difference(0, 1)
        return self._tests(float(cells.means[0] - cells.means[1]), float(np.sqrt(variance)), freedom)

    def _tests(self, estimate: float, error: float, freedom: float) -> tuple[float, float]:
        if not error > 0:
            return 1.0, 1.0
        different = 2 * float(stats.t.sf(abs(estimate) / error, freedom))
        equivalent = 1.0 if self.margin is None else float(stats.t.sf((self.margin - abs(estimate)) / error, freedom))
        return different, equivalent

    def _clmm(self, table: pd.DataFrame) -> tuple[float, float]:
        formula = "rating ~ condition + (1 | rater) + (1 | clip)"
        if self.variances.rater_by_condition:
            formula = "rating ~ condition + (1 + condition | rater) + (1 | clip)"
        try:
            model = clmm(formula, table)
        except FitError:
            return 1.0, 1.0
        different = float(model.coefficients["p_value"].iloc[0])
        if self.margin is None:
            return different, 1.0
        means = model.contrasts("condition", at="mean", margin=self.margin)
        return different, float(means["p_equivalence"].iloc[0])
