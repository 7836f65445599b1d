"""How often what else is made of answers errs, where the truth is known: shares, agreement, and equivalence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.parallel import RunOptions
from layerstats.stats.ratings.agreement import icc, krippendorff_alpha
from layerstats.stats.ratings.calibration.rating_calibration import ALPHA, SCALE, SHIFT, TRUTHS
from layerstats.stats.ratings.calibration.rating_worlds import CONDITIONS, RatingWorld
from layerstats.stats.ratings.choices import identification_rates, preference_shares
from layerstats.stats.ratings.estimates.level_counts import DISTRIBUTIONS
from layerstats.stats.ratings.means import compare_conditions
from layerstats.stats.ratings.people_and_judges import KAPPA, RANK, judge_agreement
from layerstats.stats.resampling.calibration import block_sums, run_study
from layerstats.stats.resampling.seeds import replicate_generator

_RIGHT = (0.0,)
ANSWER_WORLDS = (
    RatingWorld("right or wrong: 20 raters, 20 clips, crossed", 20, 20, 20, thresholds=_RIGHT),
    RatingWorld("right or wrong: 40 raters, 40 clips, 5 raters a clip", 40, 40, 5, thresholds=_RIGHT),
    RatingWorld("right or wrong: 8 raters, 20 clips, crossed", 8, 20, 8, thresholds=_RIGHT),
    RatingWorld("1 to 5: 20 raters, 20 clips, crossed", 20, 20, 20),
    RatingWorld("1 to 5: 40 raters, 40 clips, 5 raters a clip", 40, 40, 5),
    RatingWorld("1 to 5: 6 raters, 30 clips, crossed", 6, 30, 6),
)
# Mixed models with each of DISTRIBUTIONS.
_MIXED = ("mixed model", "mixed model, t")
_DRAWS = 199
# Data sets of this many clips of each condition say what a judge's agreement is.
_MANY_CLIPS, _MANY_TIMES = 500, 10
_BEST, _OTHER = CONDITIONS[1], CONDITIONS[0]
# Recipe, quantity and what it counts.
_Counted = Iterator[tuple[str, str, float]]


def calibrate_answers(
    worlds: Iterable[RatingWorld | str] = ANSWER_WORLDS,
    truths: Iterable[str] = TRUTHS,
    datasets: int = 300,
    seed: int = 0,
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Count how often intervals of shares and of agreement cover, and how often their tests and equivalence err.

    Answers that are right or wrong are analysed as preferences, as identifications and as people beside a judge.
    Ratings from 1 to 5 serve agreement ("none") and equivalence ("level"), for a margin that is the true difference, so
    that a test at .05 should find equivalence in .05.

    Parameters
    ----------
    worlds
        What varies; those of `ANSWER_WORLDS` by name, or by number from 0.
    truths
        "none": conditions are alike, and the judge hears nothing of clips. "level": b is better by 1 on the logit
        scale, and the judge hears half of what makes clips differ.
    datasets, seed, progress, run
        See `calibrate_ratings`.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, share, std_error, datasets``.

    Raises
    ------
    ArgumentError
        There is no such world or truth.

    Examples
    --------
    >>> found = calibrate_answers([RatingWorld("6 raters", 6, 5, 6)], ["none"], datasets=1)
    >>> sorted(found["quantity"].unique())
    ['covers agreement', 'covers, other raters', 'covers, these raters']
    """
    simulate = partial(simulate_answers, seed=seed)
    return run_study(worlds, truths, datasets, simulate, progress, run, known=ANSWER_WORLDS, known_truths=TRUTHS)


def simulate_answers(world: RatingWorld, truth: str, numbers: range, seed: int = 0) -> pd.DataFrame:
    """Analyse some data sets of a world: see `simulate_ratings`."""
    counted: list[tuple[str, str, float]] = []
    for number in numbers:
        generator = replicate_generator(seed, *world.name.encode(), number)
        drawn = world.draw(generator, 0.0 if truth == "none" else SHIFT)
        counted += _of_scale(world, truth, drawn, number)
        if len(world.thresholds) == 1:
            counted += _of_judge(world, truth, drawn, generator, number)
    return block_sums(world.name, truth, numbers, counted)


def _of_scale(world: RatingWorld, truth: str, drawn: pd.DataFrame, number: int) -> _Counted:
    if len(world.thresholds) == 1:
        yield from _of_preference(world, truth, drawn)
        yield from _of_identification(world, truth, drawn)
    elif truth == "none":
        yield from _of_agreement(world, drawn, number)
    else:
        yield from _of_equivalence(world, drawn)


def _of_preference(world: RatingWorld, truth: str, drawn: pd.DataFrame) -> _Counted:
    """Count tests against one half, of the clips of condition b as pairs."""
    pairs = drawn.loc[drawn["condition"] == _BEST]
    chosen = pd.DataFrame(pairs[["rater", "clip"]]).assign(condition_a="natural", condition_b="vocoded")
    chosen = chosen.assign(response=np.where(pairs["rating"].to_numpy() == 2, "a", "b"))
    share = _share(world, truth, _BEST)
    for distribution, name in zip(DISTRIBUTIONS, _MIXED, strict=True):
        found = preference_shares(chosen, distribution=distribution)
        yield f"preference, {name}", "fitted", float(found.model is not None)
        recipes = [(f"preference, {name}", "conf")] if found.model is not None else []
        recipes += [("preference, naive", "naive")] if distribution == DISTRIBUTIONS[0] else []
        for recipe, prefix in recipes:
            low, high = (float(found.table[f"{prefix}_{end}"].iloc[0]) for end in ("low", "high"))
            yield recipe, "covers share", float(low <= share <= high)
            yield recipe, "rejects", float(not low <= 0.5 <= high)


def _of_identification(world: RatingWorld, truth: str, drawn: pd.DataFrame) -> _Counted:
    """Count tests of the difference of two conditions, and intervals of their shares."""
    right = drawn["rating"].to_numpy() == 2
    heard = pd.DataFrame(drawn[["rater", "clip", "condition"]])
    heard = heard.assign(response=np.where(right, "ask", "wash"), expected="ask")
    shares = np.array([_share(world, truth, condition) for condition in CONDITIONS])

    def covered(table: pd.DataFrame, prefix: str) -> float:
        low, high = (table.set_index("condition").loc[list(CONDITIONS), f"{prefix}_{end}"] for end in ("low", "high"))
        return float(np.mean((low <= shares) & (shares <= high)))

    for distribution, name in zip(DISTRIBUTIONS, _MIXED, strict=True):
        recipe = f"identification, {name}"
        options = {"alternatives": 2, "pairs": [(_BEST, _OTHER)], "distribution": distribution}
        rates = identification_rates(heard, "condition", **options)
        yield recipe, "fitted", float(rates.model is not None)
        if rates.model is None:
            continue
        row, difference = rates.contrasts.iloc[0], shares[1] - shares[0]
        yield recipe, "covers share", covered(rates.table, "conf")
        yield recipe, "rejects", float(row["p_value"] <= ALPHA)
        yield recipe, "covers difference", float(row["conf_low"] <= difference <= row["conf_high"])
        if distribution == DISTRIBUTIONS[0]:
            yield "identification, naive", "covers share", covered(rates.table, "naive")
    tested: Any = stats.chi2_contingency(pd.crosstab(drawn["condition"], right).to_numpy(), correction=False)
    yield "identification, naive", "rejects", float(tested.pvalue <= ALPHA)


def _of_judge(
    world: RatingWorld, truth: str, drawn: pd.DataFrame, generator: np.random.Generator, number: int
) -> _Counted:
    """Count tests and intervals of a judge's agreement with people."""
    heard, judge = _people_and_judge(truth, drawn, generator)
    found = judge_agreement(heard, judge, draws=_DRAWS, permutations=_DRAWS, seed=number)
    rows = found.loc[found["judge"] == "network"].set_index("measure")
    wanted = (0.0, 0.0) if truth == "none" else _true_agreement(world)
    for measure, value in zip((RANK, KAPPA), wanted, strict=True):
        row, recipe = rows.loc[measure], f"judge, {measure}"
        yield recipe, "rejects", float(row["p_value"] <= ALPHA)
        yield recipe, "covers agreement", float(row["conf_low"] <= value <= row["conf_high"])
    answers = heard.merge(judge, on="clip", suffixes=("", "_judge"))
    naive: Any = stats.spearmanr((answers["response"] == "ask").to_numpy(dtype=float), answers["score"].to_numpy())
    yield "judge, rank correlation of single answers, naive", "rejects", float(naive.pvalue <= ALPHA)


def _people_and_judge(
    truth: str, drawn: pd.DataFrame, generator: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    heard = pd.DataFrame(drawn[["rater", "clip"]])
    heard = heard.assign(response=np.where(drawn["rating"].to_numpy() == 2, "ask", "wash"), target="ask")
    clips = drawn.drop_duplicates("clip")
    score = generator.normal(size=len(clips))
    if truth != "none":
        score += clips["clip_effect"].to_numpy()
    judge = pd.DataFrame({"judge": "network", "clip": clips["clip"].to_numpy(), "score": score})
    return heard, judge.assign(response=np.where(score > 0, "ask", "wash"))


@cache
def _true_agreement(world: RatingWorld) -> tuple[float, float]:
    """Return rank correlation and kappa of so many raters with the judge over very many clips."""
    many, found = replace(world, clips=_MANY_CLIPS), []
    for number in range(_MANY_TIMES):
        generator = replicate_generator(0, *b"many clips", number)
        heard, judge = _people_and_judge("level", many.draw(generator, SHIFT), generator)
        rows = judge_agreement(heard, judge, draws=1, permutations=1).set_index(["judge", "measure"])["estimate"]
        found.append([rows["network", RANK], rows["network", KAPPA]])
    rank, kappa = np.mean(found, axis=0)
    return float(rank), float(kappa)


def _of_agreement(world: RatingWorld, drawn: pd.DataFrame, number: int) -> _Counted:
    """Count intervals of agreement."""
    for kind, value in zip(("ICC(2)", "ICC(3)"), world.intraclass(), strict=True):
        own = icc(drawn, kind)
        yield kind, "covers agreement", float(own.conf_low <= value <= own.conf_high)
    alpha = krippendorff_alpha(drawn, "interval", draws=_DRAWS, seed=number)
    these = world.alpha(drawn.drop_duplicates("rater")["rater_effect"].to_numpy())
    for quantity, value in (("covers, these raters", these), ("covers, other raters", world.intraclass()[0])):
        yield "Krippendorff's alpha", quantity, float(alpha.conf_low <= value <= alpha.conf_high)


def _of_equivalence(world: RatingWorld, drawn: pd.DataFrame) -> _Counted:
    """Count tests of equivalence whose margin is the true difference."""
    margin = world.mean(_BEST, SHIFT) - world.mean(_OTHER, SHIFT)
    options = {"pairs": [(_BEST, _OTHER)], "interval": "t", "scale": SCALE, "permutations": 0}
    row = compare_conditions(drawn, margin=margin, **options).table.iloc[0]
    yield "equivalence, two-way t", "rejects", float(row["p_equivalence"] <= ALPHA)
    best = (drawn["condition"] == _BEST).to_numpy()
    values = drawn["rating"].to_numpy()
    tested: Any = stats.ttest_ind(values[best], values[~best], equal_var=False)
    naive = tested.confidence_interval(1 - 2 * ALPHA)
    yield "equivalence, naive", "rejects", float(-margin < naive.low and naive.high < margin)


def _share(world: RatingWorld, truth: str, condition: str) -> float:
    return world.mean(condition, 0.0 if truth == "none" else SHIFT) - 1
