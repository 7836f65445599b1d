"""Matrices of success: target networks by judges, and for each pair what was maximized by what was heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns
from layerstats.stats.proportions import effective_wilson, wilson_interval
from layerstats.stats.success.attempt_frames import NULLS, checked_attempts
from layerstats.stats.success.judged_starts import DENOMINATORS, JudgedStarts, counted_attempts, judged_starts
from layerstats.stats.success.marginal_and_joint import OTHERS
from layerstats.stats.success.rate_estimates import mean_rate
from layerstats.stats.success.rate_intervals import Inference, Sampling
from layerstats.stats.success.rater_moves import RaterMoves
from layerstats.tables import PrintedResult, check_frame

ALL_NETWORKS = "all networks"
_PAIR = ["set_up", "null", "network", "judge", "target"]


@dataclass(frozen=True, eq=False, repr=False)
class SuccessMatrix(PrintedResult):
    """Who hears what in whose maximizations.

    Attributes
    ----------
    networks
        A row a target network and judge: ``set_up, network, judge, classes, starts, rate, mean_score, conf_low,
        conf_high, conf_level, drawn, null_..., denominator``; every class counts the same. The judge "other networks"
        is the mean over the other target networks, the network "all networks" that over target networks other than the
        judge; "other networks" of "all networks" is the mean off the diagonal.
    heard
        A row a target and response of each pair: ``set_up, network, target, judge, response, starts, count, rate,
        mean_score, conf_low, conf_high, conf_level, null_..., denominator``; Wilson's intervals, of three people or
        more for other people too. Mean scores of responses other than the target need `scores`.
    """

    main_tables = ("networks",)
    networks: pd.DataFrame
    heard: pd.DataFrame


def success_matrix(
    attempts: pd.DataFrame,
    scores: pd.DataFrame | None = None,
    *,
    denominator: str = "all starts",
    networks: Sampling = "drawn",
    classes: Sampling = "fixed",
    conf_level: float = 0.95,
) -> SuccessMatrix:
    """Lay success out by target network and judge, and what was heard by target and response.

    Parameters
    ----------
    attempts : DataFrame
        As from `attempts` or `attempts_from_frame`.
    scores : DataFrame, optional
        As from `heard_scores`, with the same denominator: mean scores of all responses.
    denominator, networks, classes, conf_level
        As for `success_rates`. Single cells are for these networks; means over networks are for others.

    Raises
    ------
    ArgumentError
        There is no such denominator.
    DataError
        Nothing is left to count.

    Examples
    --------
    >>> from layerstats.stats.success import attempts_from_frame
    >>> rows = [(network, target, f"{target}_{number}", judge, target if judge == network else "yes")
    ...         for network in "ab" for target in ("no", "yes") for number in range(10) for judge in "ab"]
    >>> frame = pd.DataFrame(rows, columns=["network", "target", "start", "judge", "response"])
    >>> cells = success_matrix(attempts_from_frame(frame)).networks.set_index(["network", "judge"])
    >>> cells.loc[[("a", "a"), ("a", "b"), ("all networks", "other networks")], "rate"].tolist()
    [1.0, 0.5, 0.5]
    """
    check_choice("denominator", denominator, DENOMINATORS)
    attempts = checked_attempts(attempts)
    inference = Inference(networks, classes, conf_level)
    sets = judged_starts(attempts, denominator)
    cells = [row for starts in sets.values() for row in _cells(starts, inference)]
    table = pd.DataFrame(cells)
    heard = _heard(counted_attempts(attempts, denominator), scores, conf_level)
    return SuccessMatrix(
        check_frame(_with_nulls(table, ["set_up", "judge"]).assign(denominator=denominator)),
        check_frame(_with_nulls(heard, ["set_up", "judge", "target", "response"]).assign(denominator=denominator)),
    )


def _cells(starts: JudgedStarts, inference: Inference) -> Iterator[dict[str, object]]:
    """Yield the cells of one set-up, then its margins."""
    peers = tuple(judge for judge in starts.peers if judge in starts.judges)
    everyone = np.ones((len(starts.networks), 1), dtype=bool)
    for number, network in enumerate(starts.networks):
        row = np.zeros_like(everyone)
        row[number] = True
        for judge in starts.judges:
            yield from _cell(starts, (network, judge), (judge,), row, inference)
        others = row & starts.by_others(peers)
        yield from _cell(starts, (network, OTHERS), peers, others, inference)
    for judge in starts.judges:
        others = everyone & (np.array(starts.networks) != judge)[:, None]
        yield from _cell(starts, (ALL_NETWORKS, judge), (judge,), others, inference)
    yield from _cell(starts, (ALL_NETWORKS, OTHERS), peers, starts.by_others(peers), inference, drawn=True)


def _cell(
    starts: JudgedStarts,
    place: tuple[str, str],
    judges: tuple[str, ...],
    keep: np.ndarray,
    inference: Inference,
    drawn: bool = False,
) -> Iterator[dict[str, object]]:
    if not keep.any():
        return
    columns = [starts.column(judge) for judge in judges]
    estimate = mean_rate(starts, starts.right[:, columns], judges, keep, drawn=drawn)
    if not estimate.starts:
        return
    score = starts.score[:, columns]
    mean_score = mean_rate(starts, score, judges, keep).value if np.isfinite(score).any() else np.nan
    yield {
        "set_up": starts.set_up,
        "null": starts.null,
        "network": place[0],
        "judge": place[1],
        "classes": len(estimate.by_class),
        "starts": estimate.starts,
        "rate": estimate.value,
        "mean_score": mean_score,
        **inference.rate(estimate),
    }


def _heard(attempts: pd.DataFrame, scores: pd.DataFrame | None, conf_level: float) -> pd.DataFrame:
    """Return what was heard by pair of network and judge, target and response; a judge's responses in all of them."""
    # Where several people are one judge, each of a start counts as a part of it.
    people = np.ones(len(attempts))
    if "rater" in attempts:
        people = pd.Series(attempts.groupby([*_PAIR, "start"], observed=True)["judge"].transform("size")).to_numpy()
    parts = attempts.loc[:, [*_PAIR, "response", "score"]].assign(part=1 / people)
    grouped = parts.groupby(_PAIR, observed=True)
    asked = _as_text(pd.DataFrame({"starts": grouped["part"].sum().round(), "mean_score": grouped["score"].mean()}))
    counts = _as_text(pd.DataFrame({"count": parts.groupby([*_PAIR, "response"], observed=True)["part"].sum()}))
    own = asked.assign(response=asked["target"]).drop(columns="starts")
    given = own if scores is None else _checked_scores(scores)
    key, alike = [*_PAIR, "response"], ["set_up", "judge", "target", "response"]
    responses = pd.concat([part[alike] for part in (counts, own, given)]).drop_duplicates()
    table = asked.drop(columns="mean_score").merge(responses, on=alike[:-1])
    table = table.merge(counts, on=key, how="left").merge(given, on=key, how="left").sort_values(key, ignore_index=True)
    count = table["count"].fillna(0.0).to_numpy()
    low, high = wilson_interval(count, table["starts"].to_numpy(), conf_level)
    table = table.assign(count=count, rate=count / table["starts"], conf_low=low, conf_high=high, conf_level=conf_level)
    table = _for_other_people(table, attempts, conf_level)
    names = ["set_up", "null", "network", "target", "judge", "response", "starts", "count", "rate", "mean_score"]
    return table.loc[:, [*names, "conf_low", "conf_high", "conf_level"]]


def _for_other_people(table: pd.DataFrame, attempts: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    """Return cells with the intervals of three people or more for other people."""
    if "rater" not in attempts:
        return table
    names = attempts["rater"]
    said = attempts.loc[np.asarray(names.notna()) & np.asarray(names.astype(str) != "")]
    columns = pd.DataFrame(said[[*_PAIR, "response", "start", "rater"]].astype("str"))
    by_pair = dict(iter(columns.groupby(_PAIR)))
    low, high = table["conf_low"].to_numpy(copy=True), table["conf_high"].to_numpy(copy=True)
    for row, cell in enumerate(table[[*_PAIR, "response"]].itertuples(index=False, name=None)):
        own = by_pair.get(cell[:-1])
        ends = None if own is None else _people_heard(own, cell[-1], conf_level)
        if ends is not None:
            low[row], high[row] = ends
    return table.assign(conf_low=low, conf_high=high)


def _people_heard(answers: pd.DataFrame, response: str, conf_level: float) -> tuple[float, float] | None:
    """Return the interval of how often people hear a response in the starts of a cell; None with too few of either."""
    start, rater = (pd.factorize(answers[name])[0] for name in ("start", "rater"))
    heard = np.asarray(answers["response"] == response, dtype=float)
    asked = np.bincount(start)
    share = np.bincount(start, heard) / asked
    rate, starts = float(share.mean()), len(share)
    moves = RaterMoves(rater, start, (heard - rate) / (starts * asked[start]))
    if not moves.is_enough() or starts < 2:
        return None
    variance, freedom = moves.added_to(float(share.var(ddof=1)) / starts, np.inf)
    return effective_wilson(rate, variance, freedom, starts, conf_level)


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a grouped table with what it was grouped by as columns of text."""
    names = list(table.index.names)
    return table.reset_index().astype(dict.fromkeys(names, "str"))


def _checked_scores(scores: pd.DataFrame) -> pd.DataFrame:
    columns = [*_PAIR, "response", "mean_score"]
    check_columns(scores, columns, "the mean scores")
    return scores.loc[:, columns].astype(dict.fromkeys(columns[:-1], "str"))


def _with_nulls(table: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return the rows that are no null, each with its nulls' rates.

    A null of the same target network is that of the row's. One of other target networks is the mean over these; what
    each of them hears in its own starts then stands beside what a network hears in its own.
    """
    nulls = table["null"]
    real = table.loc[nulls == ""].drop(columns="null").reset_index(drop=True)
    for null in NULLS:
        rows = table.loc[nulls == null]
        if rows.empty:
            continue
        apart = rows.loc[~rows["network"].isin(real["network"])]
        means = apart.assign(judge=_role(apart)).groupby(key)["rate"].mean().reset_index()
        own = real[[*key, "network"]].merge(rows[[*key, "network", "rate"]], on=[*key, "network"], how="left")["rate"]
        other = real.assign(judge=_role(real))[key].merge(means, on=key, how="left")["rate"]
        real = real.assign(**{f"null_{null}": own.fillna(other)})
    return real


def _role(table: pd.DataFrame) -> pd.Series:
    """Return the judge, empty where it is the target network itself."""
    return pd.Series(table["judge"].where(table["judge"] != table["network"], ""))
