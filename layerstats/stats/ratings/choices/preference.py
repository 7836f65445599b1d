"""Which of two conditions listeners prefer, by a mixed model of ordered choices."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_share
from layerstats.errors import DataError, FitError
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.proportions import wilson_interval
from layerstats.stats.ratings.choices.choice_rows import (
    answers_of_task,
    logit_test,
    random_terms,
    shares_with_df,
    without_model,
)
from layerstats.stats.ratings.estimates import LatentModel, latent_cells
from layerstats.stats.ratings.estimates.category_estimates import bounded_interval, estimate_function
from layerstats.stats.ratings.estimates.level_counts import DISTRIBUTIONS, level_counts
from layerstats.stats.ratings.mixed_models import ClmmResult, clmm
from layerstats.tables import PrintedResult, check_frame

CHOICES = ("b", "same", "a")
_SCORES = {"b": 0.0, "same": 0.5, "a": 1.0}
_CONDITIONS = ("condition_a", "condition_b")


@dataclass(frozen=True, eq=False, repr=False)
class PreferenceShares(PrintedResult):
    """How often one condition is preferred to another.

    Attributes
    ----------
    table
        A row a pair of conditions: ``contrast, level_1, level_2, answers, raters, clips, preferred_1, same,
        preferred_2, estimate, std_error, conf_low, conf_high, conf_level, statistic, p_value, p_adjusted,
        adjust_method, family, tests, naive_rate, naive_low, naive_high``. `estimate` is the share of a new rater and
        a new clip that prefers level_1, "same" counting half for each; the test is against one half.
    order
        Whether what is heard first is preferred: ``answers, estimate, std_error, conf_low, conf_high, conf_level,
        statistic, p_value``, the share that prefers the first; no rows where orders are not known or do not vary.
    model
        The mixed model; None where all answers were the same, or where it could not be fitted, which notes say.
    notes
        What was decided.
    """

    main_tables = ("table", "order")
    table: pd.DataFrame
    order: pd.DataFrame
    model: ClmmResult | None
    notes: tuple[str, ...]


def preference_shares(
    answers: pd.DataFrame,
    conditions: tuple[str, str] = _CONDITIONS,
    *,
    random: str | None = None,
    adjust: AdjustMethod = "holm",
    distribution: str = "normal",
    conf_level: float = 0.95,
) -> PreferenceShares:
    """Estimate how often a condition is preferred to another, over raters and clips.

    Choices are ordered: the second condition, the same, the first. A cumulative-link mixed model (logit) has the pair
    of conditions, the order in which they were played, and intercepts of raters and clips; without answers "same" it
    is the mixed logistic model. Shares are integrated over random effects and averaged over both orders.

    Parameters
    ----------
    answers : DataFrame
        ``rater, clip, response`` ("a", "b" or "same"), the two `conditions`, and where known `swapped`: whether a was
        played as the second. Rows of other tasks and roles are left out.
    conditions : pair of str
        Columns with the condition of a and of b.
    random : str, optional
        Random terms in lme4's language; by default intercepts of raters and clips.
    adjust : str
        How p-values are adjusted over pairs of conditions.
    distribution : str
        "normal", or "t", which counts the raters and clips that an estimate rests on: normal intervals are too narrow,
        and tests find too much, where these are few (see `scale_means`).
    conf_level : float
        Of the intervals.

    Raises
    ------
    DataError
        A column is missing, or an answer is none of the three.

    Examples
    --------
    >>> rows = [("r1", "c1", "a"), ("r1", "c2", "b"), ("r2", "c1", "a"), ("r2", "c2", "a"), ("r3", "c1", "b")]
    >>> heard = pd.DataFrame(rows, columns=["rater", "clip", "response"])
    >>> heard = heard.assign(condition_a="natural", condition_b="synthetic")
    >>> shares = preference_shares(heard).table.iloc[0]
    >>> print(shares["contrast"], shares["preferred_1"])
    natural - synthetic 3
    """
    check_share("conf_level", conf_level)
    check_choice("distribution", distribution, DISTRIBUTIONS)
    table = _oriented(
        answers_of_task(answers, ["rater", "clip", "response", *conditions], ["preference"], "the answers"), conditions
    )
    ordered, notes = _orders(table)
    counts = _counts(table, conf_level)
    chosen = counts[["preferred_1", "same", "preferred_2"]].max(axis=1)
    alike = counts.loc[chosen == counts["answers"], "contrast"].tolist()
    if alike:
        notes += (
            f"Every answer about {', '.join(alike)} was the same: the model says nothing of it, and the naive "
            "interval, which takes answers for independent, is all there is.",
        )
    modelled = pd.DataFrame(table.loc[~table["pair"].isin(alike)])
    if modelled.empty:
        return PreferenceShares(_with_tests(counts, None, adjust, conf_level), _no_order(), None, notes)
    try:
        model, own = _fit(modelled, ordered, random)
    except FitError as error:
        return PreferenceShares(
            _with_tests(counts, None, adjust, conf_level), _no_order(), None, (*notes, without_model(error))
        )
    latent = replace(model.latent_model(), scores=np.array([_SCORES[choice] for choice in model.categories]))
    pairs = shares_with_df(latent, "pair" if "pair" in latent.frame else None, conf_level, distribution)
    if "pair" not in pairs:
        pairs.insert(0, "pair", modelled["pair"].iloc[0])
    estimates = pairs.set_index("pair").reindex(counts["contrast"]).reset_index(drop=True)
    order = _order_effect(latent, modelled, conf_level, distribution) if "order" in latent.frame else _no_order()
    return PreferenceShares(
        _with_tests(counts, estimates, adjust, conf_level), order, model, (*notes, *own, *model.notes)
    )


def _oriented(table: pd.DataFrame, conditions: tuple[str, str]) -> pd.DataFrame:
    """Return answers with `choice` about pairs of conditions that are always in the same order, `first` as played."""
    response = table["response"].str.lower()
    wrong = ~response.isin(CHOICES)
    if wrong.any():
        raise DataError(
            f"{int(wrong.sum())} of {len(table)} answers of preference are none of a, b and same, the first "
            f"{table.loc[wrong, 'response'].iloc[0]!r} at row {table.index[wrong][0]}."
        )
    one, other = (np.asarray(table[column]) for column in conditions)
    alike = np.flatnonzero(one == other)
    if len(alike):
        raise DataError(f"Row {table.index[alike[0]]} compares the condition {one[alike[0]]!r} with itself.")
    seen = {frozenset(pair): pair for pair in sorted(set(zip(one, other, strict=True)), reverse=True)}
    kept = np.array([seen[frozenset(pair)] == pair for pair in zip(one, other, strict=True)])
    first = np.where(kept, one, other)
    second = np.where(kept, other, one)
    mirrored = {"a": "b", "b": "a", "same": "same"}
    choice = np.where(kept, response, response.map(mirrored))
    pair = [f"{left} - {right}" for left, right in zip(first, second, strict=True)]
    return table.assign(level_1=first, level_2=second, pair=pair, choice=choice, __kept=kept)


def _orders(table: pd.DataFrame) -> tuple[bool, tuple[str, ...]]:
    """Add which condition of the pair was played first, where that is known and varies."""
    if "swapped" not in table or np.asarray(table["swapped"].isna(), dtype=bool).any():
        return False, ("The order of playing is not known ('swapped'): an effect of it is part of the shares.",)
    swapped = table["swapped"].astype(str).str.lower().isin(["true", "1", "1.0", "yes"]).to_numpy()
    table["order"] = np.where(swapped != table["__kept"].to_numpy(), "level_1 first", "level_2 first")
    if len(set(table["order"])) < 2:
        return False, ("One order of playing only: an effect of it is part of the shares.",)
    return True, ()


def _counts(table: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    rows = []
    for _, own in table.groupby(["level_1", "level_2"], sort=True):
        level_1, level_2 = own["level_1"].iloc[0], own["level_2"].iloc[0]
        wins, same, losses = (int(np.sum(own["choice"].to_numpy() == choice)) for choice in ("a", "same", "b"))
        rows.append(
            {
                "contrast": f"{level_1} - {level_2}",
                "level_1": level_1,
                "level_2": level_2,
                "answers": len(own),
                "raters": own["rater"].nunique(),
                "clips": own["clip"].nunique(),
                "preferred_1": wins,
                "same": same,
                "preferred_2": losses,
            }
        )
    counts = pd.DataFrame(rows)
    trials = counts["answers"].to_numpy(dtype=float)
    wins = counts["preferred_1"].to_numpy() + counts["same"].to_numpy() / 2
    low, high = wilson_interval(wins, trials, conf_level)
    return counts.assign(naive_rate=wins / trials, naive_low=low, naive_high=high)


def _fit(table: pd.DataFrame, ordered: bool, random: str | None) -> tuple[ClmmResult, tuple[str, ...]]:
    terms, notes = random_terms(table) if random is None else (random, ())
    fixed = [column for column, use in (("pair", len(set(table["pair"])) > 1), ("order", ordered)) if use]
    right = " + ".join([*(fixed or ["1"]), *([terms] if terms else [])])
    used = [choice for choice in CHOICES if choice in set(table["choice"])]
    levels = {"choice": used, **({"pair": sorted(set(table["pair"]))} if "pair" in fixed else {})}
    levels |= {"order": ["level_1 first", "level_2 first"]} if ordered else {}
    return clmm(f"choice ~ {right}", table, levels=levels), notes


def _with_tests(
    counts: pd.DataFrame, estimates: pd.DataFrame | None, adjust: AdjustMethod, conf_level: float
) -> pd.DataFrame:
    names = ["estimate", "std_error", "conf_low", "conf_high"]
    naive = ["naive_rate", "naive_low", "naive_high"]
    values = {name: np.nan if estimates is None else estimates[name].to_numpy(dtype=float) for name in names}
    table = counts.drop(columns=naive).assign(**values, conf_level=conf_level)
    df = np.inf if estimates is None else estimates["df"].to_numpy(dtype=float)
    statistic, p_value = logit_test(table["estimate"].to_numpy(), table["std_error"].to_numpy(), 0.5, df)
    table = adjust_p_values(
        table.assign(statistic=statistic, p_value=p_value), "preference of all pairs of conditions", method=adjust
    )
    return check_frame(table.assign(**{name: counts[name] for name in naive}))


def _order_effect(latent: LatentModel, table: pd.DataFrame, conf_level: float, distribution: str) -> pd.DataFrame:
    """Return the share that prefers what is played first, with both orders of a pair counting equally."""
    cells = latent_cells(latent, "order")

    def first(parameters: np.ndarray) -> np.ndarray:
        shares = cells.weights @ (latent.probabilities(parameters, cells.designs) @ latent.scores)
        return np.array([(shares[0] + 1 - shares[1]) / 2])

    value, covariance = estimate_function(latent, first)
    std_error = np.sqrt(np.diag(covariance))
    df = level_counts(latent, ["order"], cells.groups, distribution).differences
    low, high = bounded_interval(value, std_error, 0.0, 1.0, conf_level, df)
    statistic, p_value = logit_test(value, std_error, 0.5, df)
    return check_frame(
        pd.DataFrame(
            {
                "answers": len(table),
                "estimate": value,
                "std_error": std_error,
                "conf_low": low,
                "conf_high": high,
                "conf_level": conf_level,
                "statistic": statistic,
                "p_value": p_value,
            }
        )
    )


def _no_order() -> pd.DataFrame:
    names = ["answers", "estimate", "std_error", "conf_low", "conf_high", "conf_level", "statistic", "p_value"]
    return pd.DataFrame(columns=pd.Index(names))
