"""How often intervals of mean ratings cover, and how often tests of conditions err, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.errors import FitError
from layerstats.parallel import RunOptions
from layerstats.stats.gamm import fit
from layerstats.stats.ratings.calibration.rating_worlds import CONDITIONS, RatingWorld
from layerstats.stats.ratings.means import compare_conditions, rating_means
from layerstats.stats.ratings.mixed_models import ClmmResult, clmm
from layerstats.stats.resampling.calibration import block_sums, run_study
from layerstats.stats.resampling.seeds import replicate_generator

ALPHA = 0.05
SCALE = (1, 5)
RATING_WORLDS = (
    RatingWorld("20 raters, 10 clips, crossed", 20, 10, 20),
    RatingWorld("40 raters, 40 clips, 5 raters a clip", 40, 40, 5),
    RatingWorld("6 raters, 30 clips, crossed", 6, 30, 6),
    RatingWorld("20 raters, 10 clips, raters alike", 20, 10, 20, rater_sd=0.0),
    RatingWorld("20 raters, 10 clips, clips alike", 20, 10, 20, clip_sd=0.0),
    RatingWorld("20 raters, 10 clips, raters' own differences", 20, 10, 20, slope_sd=1.0),
    RatingWorld("20 raters, 10 clips, most rated 1", 20, 10, 20, level=-3.0),
)
TRUTHS = ("none", "level")
# On the logit scale: how much better condition b is where there is a difference.
SHIFT = 1.0
_DRAWS = 499
_PERMUTATIONS = 199
_BEST, _OTHER = CONDITIONS[1], CONDITIONS[0]
_ALIKE = "rating ~ condition + (1 | rater) + (1 | clip)"
_OWN = "rating ~ condition + (1 + condition | rater) + (1 | clip)"
# Formulas of mixed models, and the distribution of their tests and intervals, by recipe.
_CATEGORY_MODELS = {
    "CLMM": (_ALIKE, "normal"),
    "CLMM, t": (_ALIKE, "t"),
    "CLMM, raters' own differences": (_OWN, "normal"),
    "CLMM, raters' own differences, t": (_OWN, "t"),
}


@dataclass
class _Drawn:
    """A data set, and the mixed models that were fitted to it, by formula: several recipes are of one fit."""

    ratings: pd.DataFrame
    number: int
    models: dict[str, ClmmResult] = field(default_factory=dict)

    def model(self, formula: str) -> ClmmResult:
        if formula not in self.models:
            self.models[formula] = clmm(formula, self.ratings)
        return self.models[formula]


@dataclass(frozen=True)
class _Difference:
    """What a method says of b - a on the scale; ends are missing where it says nothing of that."""

    p_value: float
    conf_low: float = np.nan
    conf_high: float = np.nan
    means: tuple[tuple[float, float], ...] = ()


def calibrate_ratings(
    worlds: Iterable[RatingWorld | str] = RATING_WORLDS,
    truths: Iterable[str] = TRUTHS,
    datasets: int = 1000,
    seed: int = 0,
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Count how often intervals of mean ratings cover, and how often tests of two conditions reject.

    Parameters
    ----------
    worlds
        What varies; those of this package by name, or by number from 0.
    truths
        "none": conditions are alike. "level": b is better by 1 on the logit scale.
    datasets
        For each world and truth.
    seed
        A data set depends on it and on its own number alone.
    progress
        Called after every block with the result so far.
    run
        Where blocks are simulated; by default here, one after another. Numbers do not depend on it.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, share, std_error, datasets``, as `layerstats.stats.calibrate` gives them. The
        recipe is the method; quantities: "rejects" at .05, "covers difference" (of mean ratings b - a), "covers means"
        (the share of the two means that their 95 % intervals cover) and "fitted", where a method may refuse.

    Raises
    ------
    ArgumentError
        There is no such world or truth.

    Examples
    --------
    >>> found = calibrate_ratings([RatingWorld("6 raters", 6, 5, 6)], ["none"], datasets=1)
    >>> sorted(found["quantity"].unique())
    ['covers difference', 'covers means', 'fitted', 'rejects']
    """
    simulate = partial(simulate_ratings, seed=seed)
    return run_study(worlds, truths, datasets, simulate, progress, run, known=RATING_WORLDS, known_truths=TRUTHS)


def simulate_ratings(world: RatingWorld, truth: str, numbers: range, seed: int = 0) -> pd.DataFrame:
    """Analyse some data sets of a world; `layerstats.stats.resampling.calibration.shares_of` puts blocks together.

    Parameters
    ----------
    world
        Of `RATING_WORLDS`, or another.
    truth
        "none" or "level".
    numbers
        Of data sets: each depends on its own number and the seed alone.
    seed
        Of everything.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, first, total, squares, datasets``.
    """
    shift = 0.0 if truth == "none" else SHIFT
    true_means = [world.mean(condition, shift) for condition in CONDITIONS]
    counted: list[tuple[str, str, float]] = []
    for number in numbers:
        ratings = world.draw(replicate_generator(seed, *world.name.encode(), number), shift)
        drawn = _Drawn(ratings, number)
        for recipe, method in METHODS.items():
            counted += _count(recipe, method, drawn, true_means)
    return block_sums(world.name, truth, numbers, counted)


def _count(
    recipe: str, method: Callable[[_Drawn, str], _Difference], drawn: _Drawn, true_means: list[float]
) -> Iterator[tuple[str, str, float]]:
    """Yield what one method's answer for one data set counts."""
    try:
        found = method(drawn, recipe)
    except FitError:
        yield recipe, "fitted", 0.0
        return
    if recipe in _CATEGORY_MODELS:
        yield recipe, "fitted", 1.0
    yield recipe, "rejects", float(found.p_value <= ALPHA)
    if np.isfinite(found.conf_low):
        yield recipe, "covers difference", float(found.conf_low <= true_means[1] - true_means[0] <= found.conf_high)
    if found.means:
        inside = [low <= truth <= high for (low, high), truth in zip(found.means, true_means, strict=True)]
        yield recipe, "covers means", float(np.mean(inside))


def _naive(drawn: _Drawn, _recipe: str) -> _Difference:
    """Welch's test of all ratings, as if each had its own rater and clip."""
    table = rating_means(drawn.ratings, interval="naive", scale=SCALE).table
    return _welch(drawn.ratings, _ends(table))


def _paired_raters(drawn: _Drawn, _recipe: str) -> _Difference:
    """Paired t test of raters' means: clips are taken for all that there are."""
    means = drawn.ratings.pivot_table(index="rater", columns="condition", values="rating").dropna()
    differences = means[_BEST].to_numpy() - means[_OTHER].to_numpy()
    return _tested(stats.ttest_1samp(differences, 0.0))


def _means_of_clips(drawn: _Drawn, _recipe: str) -> _Difference:
    """Welch's test of clips' means: raters are taken for all that there are."""
    return _welch(pd.DataFrame(drawn.ratings.groupby(["condition", "clip"], as_index=False)["rating"].mean()))


def _two_way(drawn: _Drawn, recipe: str) -> _Difference:
    """Two-way standard errors (t) or bootstrap: an interval that leaves out zero rejects."""
    interval = "t" if recipe == "two-way t" else "bootstrap"
    options = {"interval": interval, "scale": SCALE, "draws": _DRAWS, "seed": drawn.number}
    row = compare_conditions(drawn.ratings, pairs=[(_BEST, _OTHER)], permutations=0, **options).table.iloc[0]
    leaves_out_zero = not row["conf_low"] <= 0 <= row["conf_high"]
    p_value = float(row["p_value"]) if interval == "t" else float(not leaves_out_zero)
    means = rating_means(drawn.ratings, **options).table
    return _Difference(p_value, float(row["conf_low"]), float(row["conf_high"]), _ends(means))


def _permutation(drawn: _Drawn, _recipe: str) -> _Difference:
    """Labels of clips exchanged."""
    options = {"interval": "t", "scale": SCALE, "permutations": _PERMUTATIONS, "seed": drawn.number}
    return _Difference(
        float(compare_conditions(drawn.ratings, pairs=[(_BEST, _OTHER)], **options).table["p_permutation"].iloc[0])
    )


def _linear_model(drawn: _Drawn, _recipe: str) -> _Difference:
    """Linear mixed model with crossed intercepts, by the structured engine."""
    formula = "rating ~ condition + s(rater, bs = 're') + s(clip, bs = 're')"
    row = fit(formula, drawn.ratings, method="REML", engine="structured").parametric.set_index("term").loc["conditionb"]
    half = stats.norm.isf(ALPHA / 2) * row["std_error"]
    return _Difference(float(row["p_value"]), float(row["estimate"] - half), float(row["estimate"] + half))


def _category_model(drawn: _Drawn, recipe: str) -> _Difference:
    """Cumulative link mixed model: the test on the latent scale, the interval of mean ratings."""
    formula, distribution = _CATEGORY_MODELS[recipe]
    model = drawn.model(formula)
    latent, row = (
        model.contrasts("condition", pairs=[(_BEST, _OTHER)], at=at, distribution=distribution).iloc[0]
        for at in ("latent", "mean")
    )
    means = model.means("condition", distribution=distribution)
    return _Difference(float(latent["p_value"]), float(row["conf_low"]), float(row["conf_high"]), _ends(means))


def _welch(table: pd.DataFrame, means: tuple[tuple[float, float], ...] = ()) -> _Difference:
    """Welch's test of b - a in the column `rating`."""
    values = table["rating"].to_numpy(dtype=float)
    second = (table["condition"] == _BEST).to_numpy()
    return _tested(stats.ttest_ind(values[second], values[~second], equal_var=False), means)


def _tested(tested: Any, means: tuple[tuple[float, float], ...] = ()) -> _Difference:
    ends = tested.confidence_interval()
    return _Difference(float(tested.pvalue), float(ends.low), float(ends.high), means)


def _ends(means: pd.DataFrame) -> tuple[tuple[float, float], ...]:
    rows = means.set_index("condition").loc[list(CONDITIONS), ["conf_low", "conf_high"]]
    return tuple((float(low), float(high)) for low, high in rows.to_numpy())


METHODS: dict[str, Callable[[_Drawn, str], _Difference]] = {
    "naive": _naive,
    "raters' means, paired t": _paired_raters,
    "clips' means, t": _means_of_clips,
    "two-way t": _two_way,
    "two-way bootstrap": _two_way,
    "permutation": _permutation,
    "LMM": _linear_model,
    **dict.fromkeys(_CATEGORY_MODELS, _category_model),
}
