"""How often listeners hear what is there, by a mixed logistic model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_count, check_share
from layerstats.errors import ArgumentError, DataError, FitError
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.proportions import wilson_interval
from layerstats.stats.ratings.choices.choice_rows import (
    answers_of_task,
    logit_test,
    random_terms,
    shares_with_df,
    without_model,
)
from layerstats.stats.ratings.choices.discrimination import abx_sensitivity
from layerstats.stats.ratings.estimates.category_estimates import choose_pairs
from layerstats.stats.ratings.estimates.level_counts import DISTRIBUTIONS
from layerstats.stats.ratings.mixed_models import ClmmResult, clmm
from layerstats.tables import PrintedResult, check_frame

_CELL = "cell"
_ALL = "all"


@dataclass(frozen=True, eq=False, repr=False)
class IdentificationRates(PrintedResult):
    """How often what was said was heard.

    Attributes
    ----------
    table
        A row a level: ``<by>, answers, raters, clips, right_answers, estimate, std_error, conf_low, conf_high,
        conf_level, chance, statistic, p_value, p_adjusted, adjust_method, family, tests, naive_rate, naive_low,
        naive_high``, of ABX also ``d_prime, d_prime_low, d_prime_high``. `estimate` is the share of right answers of a
        new rater about a new clip; the test is against chance, where it is known.
    contrasts
        Differences of these shares: ``contrast, level_1, level_2, at, estimate, std_error, statistic, conf_low,
        conf_high, conf_level, p_value, p_adjusted, adjust_method, family, tests``; no rows where there is one level.
    model
        The mixed model; None where all answers were right, or all wrong, or where it could not be fitted, which notes
        say.
    notes
        What was decided.
    """

    main_tables = ("table", "contrasts")
    table: pd.DataFrame
    contrasts: pd.DataFrame
    model: ClmmResult | None
    notes: tuple[str, ...]


def identification_rates(
    answers: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    alternatives: int | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    reference: str | None = None,
    random: str | None = None,
    adjust: AdjustMethod = "holm",
    distribution: str = "normal",
    conf_level: float = 0.95,
) -> IdentificationRates:
    """Estimate how often the right answer is given, over raters and clips.

    A mixed logistic model of whether the response is the expected one has the levels of `by` and intercepts of raters
    and clips; shares are integrated over these. Capitals and spaces at the ends of typed answers do not count.

    Parameters
    ----------
    answers : DataFrame
        ``rater, clip, response, expected``, and the columns `by`. Rows of other tasks and roles are left out.
    by : str or sequence of str
        What shares are wanted by, for instance ``"condition"``.
    alternatives : int, optional
        How many answers could be chosen from, all as likely: chance is one of them. 2 of ABX; without it, as of typed
        answers, nothing is tested against chance.
    pairs, reference
        Which levels are compared, see `level_contrasts`; all pairs by default.
    random : str, optional
        Random terms in lme4's language; by default intercepts of raters and clips.
    adjust : str
        How p-values are adjusted, over levels (against chance) and over differences.
    distribution : str
        "normal", or "t", which counts the raters and clips that an estimate rests on: normal intervals are too narrow,
        and tests find too much, where these are few (see `scale_means`).
    conf_level : float
        Of the intervals.

    Raises
    ------
    DataError
        A column is missing or incomplete.

    Examples
    --------
    >>> rows = [("r1", "c1", "Ask"), ("r1", "c2", "ask"), ("r2", "c1", "ask"), ("r2", "c2", "wash")]
    >>> heard = pd.DataFrame(rows, columns=["rater", "clip", "response"]).assign(expected="ask")
    >>> int(identification_rates(heard).table["right_answers"].iloc[0])
    3
    """
    check_share("conf_level", conf_level)
    check_choice("distribution", distribution, DISTRIBUTIONS)
    columns = [by] if isinstance(by, str) else list(by)
    table = answers_of_task(
        answers, ["rater", "clip", "response", "expected", *columns], ["identification", "abx"], "the answers"
    )
    chance, is_abx = _chance(table, alternatives)
    right = table["response"].str.casefold() == table["expected"].str.casefold()
    cell = table[columns].agg(", ".join, axis=1) if columns else pd.Series(_ALL, index=table.index)
    table = table.assign(correct=right.map({True: "right", False: "wrong"}), **{_CELL: cell})
    counts = _counts(table, columns, conf_level)
    alike = counts.loc[
        counts["right_answers"].isin([0]) | (counts["right_answers"] == counts["answers"]), _CELL
    ].tolist()
    notes: tuple[str, ...] = ()
    if alike:
        notes = (
            f"All answers were right, or all wrong, of {', '.join(alike)}: the model says nothing of it, and the naive "
            "interval, which takes answers for independent, is all there is.",
        )
    modelled = pd.DataFrame(table.loc[~table[_CELL].isin(alike)])
    what = " and ".join(columns)
    if modelled.empty:
        rates = _tested(counts, None, chance, is_abx, adjust, conf_level, what)
        return IdentificationRates(_shown(rates, columns), _no_contrasts(), None, notes)
    terms, own = random_terms(modelled) if random is None else (random, ())
    fixed = _CELL if len(set(modelled[_CELL])) > 1 else "1"
    levels = {"correct": ["wrong", "right"], **({_CELL: sorted(set(modelled[_CELL]))} if fixed == _CELL else {})}
    try:
        model = clmm(f"correct ~ {fixed}{f' + {terms}' if terms else ''}", modelled, levels=levels)
    except FitError as error:
        rates = _tested(counts, None, chance, is_abx, adjust, conf_level, what)
        return IdentificationRates(_shown(rates, columns), _no_contrasts(), None, (*notes, without_model(error)))
    by_cell = _CELL if fixed == _CELL else None
    estimates = shares_with_df(model.latent_model(), by_cell, conf_level, distribution)
    if _CELL not in estimates:
        estimates.insert(0, _CELL, modelled[_CELL].iloc[0])
    estimates = estimates.set_index(_CELL).reindex(counts[_CELL]).reset_index()
    rates = _tested(counts, estimates, chance, is_abx, adjust, conf_level, what)
    contrasts = _no_contrasts()
    if fixed == _CELL:
        chosen, family = choose_pairs(counts[_CELL].tolist(), pairs, reference, columns)
        contrasts = _contrasts(model, chosen, family, adjust, conf_level, distribution)
    return IdentificationRates(_shown(rates, columns), contrasts, model, (*notes, *own, *model.notes))


def _chance(table: pd.DataFrame, alternatives: int | None) -> tuple[float, bool]:
    """Return the share of right answers by chance (NaN where it is not known), and whether this is ABX."""
    tasks = set(table["task"]) if "task" in table else set()
    if len(tasks) > 1:
        raise DataError("Answers of ABX and of identification have different levels of chance: analyse each by itself.")
    is_abx = tasks == {"abx"}
    if alternatives is None:
        return (0.5 if is_abx else np.nan), is_abx
    check_count("alternatives", alternatives)
    if alternatives < 2 or (is_abx and alternatives != 2):
        raise ArgumentError(f"There must be two alternatives or more, and two of ABX, but got {alternatives!r}.")
    return 1 / alternatives, is_abx


def _counts(table: pd.DataFrame, columns: Sequence[str], conf_level: float) -> pd.DataFrame:
    rows = []
    for cell, own in table.groupby(_CELL, sort=True):
        rows.append(
            {
                **{column: own[column].iloc[0] for column in columns},
                _CELL: cell,
                "answers": len(own),
                "raters": own["rater"].nunique(),
                "clips": own["clip"].nunique(),
                "right_answers": int(np.sum(own["correct"].to_numpy() == "right")),
            }
        )
    counts = pd.DataFrame(rows)
    low, high = wilson_interval(counts["right_answers"].to_numpy(), counts["answers"].to_numpy(), conf_level)
    return counts.assign(naive_rate=counts["right_answers"] / counts["answers"], naive_low=low, naive_high=high)


def _tested(
    counts: pd.DataFrame,
    estimates: pd.DataFrame | None,
    chance: float,
    is_abx: bool,
    adjust: AdjustMethod,
    conf_level: float,
    what: str,
) -> pd.DataFrame:
    naive = ["naive_rate", "naive_low", "naive_high"]
    names = ["estimate", "std_error", "conf_low", "conf_high"]
    values = {name: np.nan if estimates is None else estimates[name].to_numpy(dtype=float) for name in names}
    table = counts.drop(columns=naive).assign(**values, conf_level=conf_level, chance=chance)
    df = np.inf if estimates is None else estimates["df"].to_numpy(dtype=float)
    statistic, p_value = logit_test(table["estimate"].to_numpy(), table["std_error"].to_numpy(), chance, df)
    family = f"right answers against chance, of every level of {what}" if what else "right answers against chance"
    table = adjust_p_values(table.assign(statistic=statistic, p_value=p_value), family, method=adjust)
    if is_abx:
        ends = {"d_prime": "estimate", "d_prime_low": "conf_low", "d_prime_high": "conf_high"}
        table = table.assign(**{name: abx_sensitivity(table[source].to_numpy()) for name, source in ends.items()})
    return table.assign(**{name: counts[name] for name in naive})


def _contrasts(
    model: ClmmResult,
    chosen: Sequence[tuple[str, str]],
    family: str,
    adjust: AdjustMethod,
    conf_level: float,
    distribution: str,
) -> pd.DataFrame:
    known = set(model.levels[_CELL])
    kept = [pair for pair in chosen if set(pair) <= known]
    if not kept:
        return _no_contrasts()
    options = {"adjust": adjust, "conf_level": conf_level, "distribution": distribution}
    table = model.contrasts(_CELL, pairs=kept, at="mean", **options)
    return table.assign(family=f"right answers, {family}")


def _shown(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    return check_frame(table.drop(columns=_CELL), user_columns=columns)


def _no_contrasts() -> pd.DataFrame:
    names = ["contrast", "level_1", "level_2", "at", "estimate", "std_error", "statistic", "conf_low", "conf_high"]
    return pd.DataFrame(
        columns=pd.Index([*names, "conf_level", "p_value", "p_adjusted", "adjust_method", "family", "tests"])
    )
