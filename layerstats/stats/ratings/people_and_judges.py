"""Are clips that a machine recognises those that people recognise? Agreement of each judge with listeners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_columns, check_complete, check_count, check_seed, check_share
from layerstats.errors import DataError
from layerstats.stats.multiplicity import adjust_p_values
from layerstats.stats.ratings.cleaning.rule_protocol import as_numbers, is_right
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.tables import check_frame

RANK, KAPPA, BISERIAL = "rank correlation", "kappa", "point-biserial correlation"
OTHER_PEOPLE = "other people"
FAMILY = "agreement of machine judges with people"
# Splits of the raters into halves that the agreement of people with people is averaged over.
HALVES = 50


@dataclass(frozen=True, eq=False)
class _Answered:
    """Answers as arrays: of which rater and clip, and what each is worth (right or wrong, or a rating)."""

    rater: np.ndarray
    clip: np.ndarray
    worth: np.ndarray
    raters: int
    clips: int
    classes: np.ndarray
    right_or_wrong: bool

    def means(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return weighted mean and sum of weights of each clip, (clip,), from weights of raters."""
        own = weights[self.rater]
        total = np.bincount(self.clip, own, self.clips)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.bincount(self.clip, own * self.worth, self.clips) / total, total


# From (answers, what a judge says of each clip, weights of raters, weights of clips) to one number.
_Measure = Callable[[_Answered, np.ndarray, np.ndarray, np.ndarray], float]


def judge_agreement(
    people: pd.DataFrame,
    judges: pd.DataFrame,
    *,
    key: Sequence[str] = ("clip",),
    target: str = "target",
    draws: int = 1000,
    permutations: int = 1999,
    conf_level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how far machine judges recognise the clips that people recognise.

    - Rank correlation (Spearman) over clips: share of raters who are right, or their mean rating, with the judge's
      score of the target; with whether it recognises the target where it has no scores.
    - Kappa (Cohen 1960) of single answers: a rater is right or not, the judge is right or not about the same clip.
    - Point-biserial correlation, of ratings: mean rating with whether the judge recognises the target.

    Intervals are for other raters and other clips: both are drawn with replacement (Owen 2007), and the bootstrap's
    standard error of Fisher's z makes the interval, which is on the safe side. The null is that of a judge that
    recognises as much in every class, but not the same clips: its answers are permuted among the clips of a class.

    Parameters
    ----------
    people : DataFrame
        A row an answer: `rater`, the columns of `key`, and either `response` and the target (identification), or
        `rating` (opinion). Rows of a role other than "test" are left out.
    judges : DataFrame
        A row a clip and judge: `judge`, the columns of `key`, `response` (what it hears) and `score` (of the target;
        may be missing).
    key : sequence of str
        Columns that say which clip: ("set_up", "network", "start") of outcomes of maximizations, for instance.
    target : str
        Column of `people` with what was said or aimed at; `expected` is taken where it is not there.
    draws, permutations : int
        Of the bootstrap and of the null.
    conf_level : float
        Of the intervals.
    seed : int
        Of everything that is drawn.

    Returns
    -------
    DataFrame
        A row a judge and measure: ``judge, measure, raters, clips, answers, estimate, conf_low, conf_high, conf_level,
        null_low, null_high, p_value, p_adjusted, adjust_method, family, tests``. "other people" is how far people agree
        with people: halves of the raters with each other, and two raters of one clip; it is not tested. A measure of
        which nothing varies is missing.

    Raises
    ------
    DataError
        A column is missing or incomplete, a rater heard a clip twice, a judge was asked twice, or no clip was heard by
        both.

    Examples
    --------
    >>> clips = [f"c{n}" for n in range(12)]
    >>> heard = [(f"r{r}", clip, "yes" if n % 3 or r == 3 else "no") for r in range(4) for n, clip in enumerate(clips)]
    >>> people = pd.DataFrame(heard, columns=["rater", "clip", "response"]).assign(target="yes")
    >>> said = ["yes" if n % 3 else "no" for n in range(12)]
    >>> judge = pd.DataFrame({"clip": clips, "judge": "network", "response": said})
    >>> found = judge_agreement(people, judge, draws=50, permutations=99).set_index(["judge", "measure"])["estimate"]
    >>> found["network"].round(2).to_dict()
    {'rank correlation': 1.0, 'kappa': 0.8}
    """
    for name, value in (("draws", draws), ("permutations", permutations)):
        check_count(name, value)
    check_seed(seed)
    check_share("conf_level", conf_level)
    key = list(key)
    heard = _heard_by_people(people, key, target)
    said = _said_by_judges(judges, key)
    rows = []
    for judge, own in said.groupby("judge", sort=False):
        answered, given = _laid_out(heard, own, key, str(judge))
        for number, (measure, values, compute) in enumerate(_measures(answered, given)):
            generator = replicate_generator(seed, number)
            row = _inferred(answered, values, compute, generator, draws, permutations, conf_level)
            rows.append({"judge": str(judge), "measure": measure, **row})
    every, _ = _laid_out(heard, None, key, OTHER_PEOPLE)
    rows += [{"judge": OTHER_PEOPLE, **row} for row in _people_with_people(every, seed, draws, conf_level)]
    return check_frame(adjust_p_values(pd.DataFrame(rows).assign(conf_level=conf_level), FAMILY))


def _heard_by_people(people: pd.DataFrame, key: list[str], target: str) -> pd.DataFrame:
    """Return `rater`, the key, `worth` and `class` of the answers that count; `right_or_wrong` is in the attributes."""
    what = "the answers"
    check_columns(people, ["rater", *key], what)
    rows = people.loc[(people["role"] == "test").to_numpy()] if "role" in people else people
    opinion = "rating" in rows and bool(rows["rating"].notna().to_numpy().any())
    place = target if target in rows else "expected"
    if opinion:
        worth = as_numbers(rows["rating"])
    else:
        check_columns(rows, ["response", place], what)
        told = rows.loc[rows["response"].notna().to_numpy()]
        rows, worth = (
            told,
            is_right(pd.DataFrame({"response": told["response"], "expected": told[place]})).astype(float),
        )
    check_columns(rows, [place], what)
    classes = rows[place].astype(str).to_numpy()
    table = pd.DataFrame(rows[["rater", *key]].astype("str")).assign(**{"worth": worth, "class": classes})
    check_complete(rows, ["rater", *key], what)
    table = table.loc[np.isfinite(table["worth"].to_numpy())].reset_index(drop=True)
    twice = table.duplicated(["rater", *key])
    if twice.any():
        first = table.loc[twice, ["rater", *key]].to_numpy().tolist()[0]
        raise DataError(f"The rater {first[0]!r} answered {', '.join(first[1:])} twice; keep one of these rows.")
    if table.empty:
        raise DataError("Nobody answered: there is no rating and no response to a clip of the role 'test'.")
    table.attrs["right_or_wrong"] = not opinion
    return table


def _said_by_judges(judges: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    what = "the judgements"
    check_columns(judges, ["judge", "response", *key], what)
    check_complete(judges, ["judge", *key], what)
    table = pd.DataFrame(judges[["judge", *key, "response"]].astype("str"))
    table = table.assign(score=as_numbers(judges["score"]) if "score" in judges else np.nan)
    table = table.loc[judges["response"].notna().to_numpy()]
    twice = table.duplicated(["judge", *key])
    if twice.any():
        first = table.loc[twice, ["judge", *key]].to_numpy().tolist()[0]
        raise DataError(f"The judge {first[0]!r} was asked about {', '.join(first[1:])} twice; keep one of these rows.")
    return table


def _laid_out(
    heard: pd.DataFrame, said: pd.DataFrame | None, key: list[str], judge: str
) -> tuple[_Answered, pd.DataFrame]:
    """Return the answers to the clips that a judge was asked about, and what it said of each of these."""
    table = heard if said is None else heard.merge(said[key].drop_duplicates(), on=key)
    if table.empty:
        raise DataError(f"The judge {judge!r} was asked about no clip that people heard: are clips called the same?")
    grouped = table.groupby(key, sort=True)
    clip, rater = grouped.ngroup().to_numpy(dtype=int), pd.factorize(table["rater"])[0]
    clips = pd.DataFrame(grouped[["class"]].first().reset_index())
    answered = _Answered(
        rater, clip, table["worth"].to_numpy(dtype=float), int(rater.max()) + 1, len(clips),
        pd.factorize(clips["class"])[0], bool(heard.attrs["right_or_wrong"]),
    )  # fmt: skip
    if said is None:
        return answered, clips
    given = clips.merge(said, on=key, how="left")
    recognised = is_right(pd.DataFrame({"response": given["response"], "expected": given["class"]})).astype(float)
    return answered, given.assign(recognised=recognised)


def _measures(answered: _Answered, given: pd.DataFrame) -> list[tuple[str, np.ndarray, _Measure]]:
    recognised, score = (given[name].to_numpy(dtype=float) for name in ("recognised", "score"))
    scored = bool(np.isfinite(score).all())
    binary = (KAPPA, recognised, _kappa) if answered.right_or_wrong else (BISERIAL, recognised, _pearson_of_means)
    return [(RANK, score if scored else recognised, _rank_correlation), binary]


def _rank_correlation(answered: _Answered, values: np.ndarray, raters: np.ndarray, clips: np.ndarray) -> float:
    means, total = answered.means(raters)
    used = (total > 0) & (clips > 0)
    weights = clips[used]
    return _correlation(_ranks(means[used], weights), _ranks(values[used], weights), weights)


def _pearson_of_means(answered: _Answered, values: np.ndarray, raters: np.ndarray, clips: np.ndarray) -> float:
    means, total = answered.means(raters)
    used = (total > 0) & (clips > 0)
    return _correlation(means[used], values[used], clips[used])


def _kappa(answered: _Answered, values: np.ndarray, raters: np.ndarray, clips: np.ndarray) -> float:
    weights = raters[answered.rater] * clips[answered.clip]
    total = weights.sum()
    if total <= 0:
        return np.nan
    said, worth = values[answered.clip], answered.worth
    agree = weights @ (said == worth) / total
    right, recognised = weights @ worth / total, weights @ said / total
    chance = right * recognised + (1 - right) * (1 - recognised)
    return float((agree - chance) / (1 - chance)) if chance < 1 - 1e-12 else np.nan


def _ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return mid-ranks of values that stand there `weights` times each."""
    # Shares are quotients: what is equal must not be parted by rounding.
    _, place = np.unique(np.round(values, 12), return_inverse=True)
    size = np.bincount(place, weights)
    return (np.cumsum(size) - size / 2)[place]


def _correlation(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> float:
    total = weights.sum()
    if total <= 0:
        return np.nan
    one, other = one - weights @ one / total, other - weights @ other / total
    scale = (weights @ one**2) * (weights @ other**2)
    return float(np.clip((weights @ (one * other)) / np.sqrt(scale), -1, 1)) if scale > 1e-20 else np.nan


def _inferred(
    answered: _Answered,
    values: np.ndarray,
    compute: _Measure,
    generator: np.random.Generator,
    draws: int,
    permutations: int,
    conf_level: float,
) -> dict[str, float]:
    ones = np.ones(answered.raters), np.ones(answered.clips)
    estimate = compute(answered, values, *ones)
    drawn = np.array(
        [compute(answered, values, *_drawn(answered, generator)) for _ in range(draws)] if np.isfinite(estimate) else []
    )
    order = np.argsort(answered.classes, kind="stable")
    null = []
    exchangeable = np.bincount(answered.classes).max() > 1 and np.isfinite(estimate)
    for _ in range(permutations if exchangeable else 0):
        shuffled = np.empty_like(values)
        shuffled[order] = values[np.lexsort((generator.random(answered.clips), answered.classes))]
        null.append(compute(answered, shuffled, *ones))
    return {
        **_interval(answered, estimate, drawn, conf_level),
        **_null_of(estimate, np.array(null), conf_level),
    }


def _drawn(answered: _Answered, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each rater and each clip is drawn."""
    sizes = (answered.raters, answered.clips)
    raters, clips = (np.bincount(generator.integers(size, size=size), minlength=size).astype(float) for size in sizes)
    return raters, clips


def _interval(answered: _Answered, estimate: float, drawn: np.ndarray, conf_level: float) -> dict[str, float]:
    """Return the interval by the bootstrap's standard error of Fisher's z; unknown with one rater or clip."""
    found = {
        "raters": answered.raters, "clips": answered.clips, "answers": len(answered.worth), "estimate": estimate,
        "conf_low": np.nan, "conf_high": np.nan,
    }  # fmt: skip
    drawn = drawn[np.isfinite(drawn)]
    freedom = min(answered.raters, answered.clips) - 1
    if len(drawn) < 2 or freedom < 1:
        return found
    # All answers agree in some samples: there z is infinite, and the largest that a correlation here can show counts.
    limit = 1 - 1 / (answered.clips + 1)
    error = np.arctanh(np.clip(drawn, -limit, limit)).std(ddof=1)
    width = stats.t.isf((1 - conf_level) / 2, freedom) * error
    centre = np.arctanh(np.clip(estimate, -limit, limit))
    low, high = np.tanh(centre - width), np.tanh(centre + width)
    return {**found, "conf_low": float(min(low, estimate)), "conf_high": float(max(high, estimate))}


def _null_of(estimate: float, null: np.ndarray, conf_level: float) -> dict[str, float]:
    null = null[np.isfinite(null)]
    if not len(null):
        return {"null_low": np.nan, "null_high": np.nan, "p_value": np.nan}
    low, high = np.quantile(null, [(1 - conf_level) / 2, (1 + conf_level) / 2])
    # Rounding must not tell apart what is equal.
    tails = [np.count_nonzero(null >= estimate - 1e-12), np.count_nonzero(null <= estimate + 1e-12)]
    p_value = min(2 * (1 + min(tails)) / (1 + len(null)), 1.0)
    return {"null_low": float(low), "null_high": float(high), "p_value": p_value}


def _people_with_people(answered: _Answered, seed: int, draws: int, conf_level: float) -> list[dict[str, object]]:
    """Return how far people agree with people: halves of raters, and of right and wrong answers two raters."""
    generator = replicate_generator(seed, len(FAMILY))

    def halves(raters: np.ndarray, clips: np.ndarray) -> float:
        # A rater who is drawn twice is in one half: halves share nobody.
        first = generator.permutation(answered.raters) < answered.raters // 2
        means = [answered.means(raters * side) for side in (first, ~first)]
        used = (means[0][1] > 0) & (means[1][1] > 0) & (clips > 0)
        weights = clips[used]
        return _correlation(_ranks(means[0][0][used], weights), _ranks(means[1][0][used], weights), weights)

    ones = np.ones(answered.raters), np.ones(answered.clips)
    splits = np.array([halves(*ones) for _ in range(HALVES)])
    estimate = float(np.mean(splits[np.isfinite(splits)])) if np.isfinite(splits).any() else np.nan
    drawn = np.array([halves(*_drawn(answered, generator)) for _ in range(draws)])
    rows: list[dict[str, object]] = [{"measure": RANK, **_interval(answered, estimate, drawn, conf_level)}]
    if answered.right_or_wrong:
        drawn = np.array([_kappa_of_pairs(answered, *_drawn(answered, generator)) for _ in range(draws)])
        estimate = _kappa_of_pairs(answered, *ones)
        rows.append({"measure": KAPPA, **_interval(answered, estimate, drawn, conf_level)})
    return [{**row, "null_low": np.nan, "null_high": np.nan, "p_value": np.nan} for row in rows]


def _kappa_of_pairs(answered: _Answered, raters: np.ndarray, clips: np.ndarray) -> float:
    """Return kappa of two different raters of one clip, every clip with two or more counting the same."""
    own = raters[answered.rater]
    sums = [np.bincount(answered.clip, own * part, answered.clips) for part in (1 - answered.worth, answered.worth)]
    same = [np.bincount(answered.clip, own**2 * part, answered.clips) for part in (1 - answered.worth, answered.worth)]
    total, alone = sums[0] + sums[1], same[0] + same[1]
    pairs = total**2 - alone
    used = (pairs > 1e-12) & (clips > 0)
    if not used.any():
        return np.nan
    weights = clips[used] / clips[used].sum()
    agree = weights @ ((sums[0] ** 2 - same[0] + sums[1] ** 2 - same[1])[used] / pairs[used])
    right = weights @ (sums[1] / np.where(total > 0, total, 1))[used]
    chance = right**2 + (1 - right) ** 2
    return float((agree - chance) / (1 - chance)) if chance < 1 - 1e-12 else np.nan
