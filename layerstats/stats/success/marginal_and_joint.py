"""Marginal and joint success of a set-up, over its networks and class by class, and beside its nulls."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.success.attempt_frames import NULLS, checked_attempts
from layerstats.stats.success.judged_starts import DENOMINATORS, JudgedStarts, judged_starts
from layerstats.stats.success.own_and_others import own_minus_others
from layerstats.stats.success.rate_estimates import RateEstimate, mean_rate
from layerstats.stats.success.rate_intervals import FEWEST_NETWORKS, Inference, Sampling
from layerstats.tables import PrintedResult, check_frame

OWN, OTHERS, ALL = "target network", "other networks", "all judges"
MARGINAL, JOINT = "marginal", "joint"


@dataclass(frozen=True, eq=False, repr=False)
class Success(PrintedResult):
    """How often maximized starts are heard as their target, and by whom.

    Attributes
    ----------
    summary
        A row a set-up, null, measure and judge: ``set_up, null, measure, judge, networks, classes, starts, rate,
        mean_score, conf_low, conf_high, conf_level, drawn, denominator``, and the rate of each null (`null_untrained`,
        ...). *Marginal*: the judge hears the target. *Joint*: the target network does too. Judges are the target
        network itself, the mean over other networks of its kind, each other judge, and all judges together
        (those that were asked about the nulls of the set-up too, and the starts that all of them heard).
    classes
        The same for each class (`target`).
    nulls
        Each rate minus that of each null: ``set_up, null, measure, judge, rate, null_rate, difference, conf_low,
        conf_high, statistic, df, p_value, p_adjusted, family, ...``.
    idiosyncrasy
        The target network minus other networks, which is what is idiosyncratic to one network; `null_low` and
        `null_high` are the quantiles where judges are dealt out to the targets anew, `permutation_p_value` the share of
        those deals that are as extreme.
    notes
        What was left out, in sentences.
    """

    main_tables = ("summary", "idiosyncrasy")
    summary: pd.DataFrame
    classes: pd.DataFrame
    nulls: pd.DataFrame
    idiosyncrasy: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SuccessMeasure:
    """One measure of a set-up: what is averaged over what."""

    measure: str
    judge: str
    heard: np.ndarray
    columns: tuple[str, ...]
    keep: np.ndarray | None = None
    drawn: bool = False

    def estimate(self, starts: JudgedStarts, classes: Sequence[str] | None = None) -> RateEstimate:
        """Return the mean over classes, networks and judges."""
        return mean_rate(starts, self.heard, self.columns, self.keep, drawn=self.drawn, classes=classes)


def success_rates(
    attempts: pd.DataFrame,
    *,
    denominator: str = "all starts",
    networks: Sampling = "drawn",
    classes: Sampling = "fixed",
    conf_level: float = 0.95,
    adjust: AdjustMethod = "holm",
    draws: int = 2000,
    seed: int = 0,
) -> Success:
    """Measure success of every set-up, its intervals, and how far it is from its nulls.

    Every class counts the same, and so does every pair of networks. Intervals are for other starts, and with three
    networks or more for other networks of the kind.

    Parameters
    ----------
    attempts : DataFrame
        As from `attempts` or `attempts_from_frame`.
    denominator
        What is counted: "all starts", or those that were "not the target already" for the target network.
    networks, classes
        Whether intervals are for others ("drawn") or for these ("fixed"). The column `drawn` says what they are for.
    conf_level
        Of intervals.
    adjust
        How p-values are adjusted: over all comparisons of a set-up with its nulls, and over set-ups.
    draws, seed
        Of permutations, where not all can be counted.

    Raises
    ------
    ArgumentError
        There is no such denominator.
    DataError
        Nothing is left to count.

    Examples
    --------
    >>> from layerstats.stats.success import attempts_from_frame
    >>> rows = [("a", target, f"{target}_{number}", judge, "yes" if judge == "b" else target)
    ...         for target in ("no", "yes") for number in range(10) for judge in ("a", "b")]
    >>> frame = pd.DataFrame(rows, columns=["network", "target", "start", "judge", "response"])
    >>> success_rates(attempts_from_frame(frame)).summary[["measure", "judge", "rate"]].values.tolist()
    [['marginal', 'target network', 1.0], ['marginal', 'b', 0.5], ['joint', 'b', 0.5], ['joint', 'all judges', 0.5]]
    """
    check_choice("denominator", denominator, DENOMINATORS)
    attempts = checked_attempts(attempts)
    inference = Inference(networks, classes, conf_level)
    sets = judged_starts(attempts, denominator)
    # What all judges hear is compared with nulls: they are those that were asked about these too.
    together = {set_up: asked_everywhere(*_of_set_up(sets, set_up)) for set_up, _ in sets}
    measured = {place: list(measures(starts, together[place[0]])) for place, starts in sets.items()}
    summary = [row for place, starts in sets.items() for row in _summary(starts, measured[place], inference)]
    by_class = [row for (name, _), one in sets.items() for row in _by_class(one, inference, together[name])]
    nulls = [row for place in sets if place[1] == "" for row in _against_nulls(place[0], sets, measured, inference)]
    own = [row for starts in sets.values() for row in own_minus_others(starts, inference, draws, seed)]
    key = ["set_up", "measure", "judge"]
    compared = pd.DataFrame(nulls, columns=None if nulls else pd.Index([*_NULL_COLUMNS, "p_value"]))
    families = [f"nulls, {set_up}" for set_up in compared["set_up"]]
    distances = pd.DataFrame(own, columns=None if own else pd.Index(_OWN_COLUMNS))
    return Success(
        check_frame(beside_nulls(pd.DataFrame(summary), key).assign(denominator=denominator)),
        check_frame(beside_nulls(pd.DataFrame(by_class), [*key, "target"]).assign(denominator=denominator)),
        check_frame(adjust_p_values(compared, families, method=adjust).assign(denominator=denominator)),
        check_frame(
            adjust_p_values(distances, "target network against others, set-ups", method=adjust).assign(
                denominator=denominator
            )
        ),
        (*_left_out(sets, together), *_notes(sets, measured)),
    )


_NULL_COLUMNS = ["set_up", "null", "measure", "judge", "rate", "null_rate", "networks", "null_networks", "classes"]
_OWN_COLUMNS = ["set_up", "null", "networks", "difference", "p_value"]


def asked_everywhere(*sets: JudgedStarts) -> frozenset[str]:
    """Return the judges that were asked about every one of some sets of starts."""
    return frozenset.intersection(*(frozenset(starts.judges) for starts in sets))


def _of_set_up(sets: dict[tuple[str, str], JudgedStarts], set_up: str) -> list[JudgedStarts]:
    return [starts for (name, _), starts in sets.items() if name == set_up]


def measures(starts: JudgedStarts, together: Collection[str]) -> Iterator[SuccessMeasure]:
    """Yield the measures of a set-up: marginal and joint, by target network, other networks, other judges and all.

    All judges are those of `together`.
    """
    own = starts.own()
    own_known = bool(np.isfinite(own).any())
    if own_known:
        yield SuccessMeasure(MARGINAL, OWN, own[:, None], (OWN,))
    peers = tuple(judge for judge in starts.peers if judge in starts.judges)
    chosen = [starts.column(judge) for judge in peers]
    keep = starts.by_others(peers) & starts.asked()[:, chosen]
    sides: list[tuple[str, tuple[str, ...], list[int], np.ndarray | None, bool]] = []
    if keep.any():
        sides.append((OTHERS, peers, chosen, keep, True))
    sides += [(judge, (judge,), [starts.column(judge)], None, False) for judge in starts.others]
    for measure, with_own in ((MARGINAL, 1.0), (JOINT, own[:, None]))[: 1 + own_known]:
        for judge, columns, numbers, pairs, drawn in sides:
            yield SuccessMeasure(measure, judge, starts.right[:, numbers] * with_own, columns, pairs, drawn)
    names = [judge for judge in (*peers, *starts.others) if judge in together]
    everyone = [starts.column(judge) for judge in names]
    if everyone and own_known:
        by_all = starts.right[:, everyone].copy()
        # The target network's own judgement is in `own` already, where it is a peer.
        mine = np.array([[network == name for name in names] for network in starts.networks])
        by_all[mine[starts.network_of]] = 1.0
        # Where a judge was not asked, nobody knows whether all would have heard the target: the start is left out.
        by_all[(~mine & ~starts.asked()[:, everyone])[starts.network_of]] = np.nan
        heard = by_all.prod(axis=1, keepdims=True) * own[:, None]
        if np.isfinite(heard).any():
            yield SuccessMeasure(JOINT, ALL, heard, (ALL,))


def scores_of(starts: JudgedStarts, measured: SuccessMeasure) -> float:
    """Return the mean score of the target over the same cells; NaN for joint success, or without scores."""
    if measured.measure != MARGINAL:
        return np.nan
    if measured.judge == OWN:
        score = _own_score(starts)[:, None]
    else:
        score = starts.score[:, [starts.column(judge) for judge in measured.columns]]
    if not np.isfinite(score).any():
        return np.nan
    return mean_rate(starts, score, measured.columns, measured.keep).value


def _own_score(starts: JudgedStarts) -> np.ndarray:
    columns = np.array([starts.column(name) if name in starts.judges else 0 for name in starts.networks])
    score = starts.score[np.arange(len(starts.network_of)), columns[starts.network_of]]
    return np.where(np.isfinite(starts.own()), score, np.nan)


def beside_nulls(table: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Add the rate of each null to the rows that are none."""
    for null in NULLS:
        rows = table.loc[table["null"] == null]
        if len(rows):
            rates = rows.set_index(key)["rate"]
            found = (
                pd.MultiIndex.from_arrays([table[name] for name in key])
                .map(rates.to_dict())
                .to_numpy(dtype=float, na_value=np.nan)
            )
            table = table.assign(**{f"null_{null}": np.where(table["null"] == "", found, np.nan)})
    return table


def _row(starts: JudgedStarts, measured: SuccessMeasure) -> dict[str, object]:
    return {"set_up": starts.set_up, "null": starts.null, "measure": measured.measure, "judge": measured.judge}


def _summary(starts: JudgedStarts, measured: list[SuccessMeasure], inference: Inference) -> Iterator[dict[str, object]]:
    for one in measured:
        estimate = one.estimate(starts)
        yield {
            **_row(starts, one),
            "networks": len(starts.networks),
            "classes": len(estimate.by_class),
            "starts": estimate.starts,
            "rate": estimate.value,
            "mean_score": scores_of(starts, one),
            **inference.rate(estimate),
        }


def _by_class(starts: JudgedStarts, inference: Inference, together: Collection[str]) -> Iterator[dict[str, object]]:
    for target in starts.targets:
        own = starts.of_class(target)
        for one in measures(own, together):
            estimate = one.estimate(own)
            if estimate.starts:
                yield {
                    **_row(own, one),
                    "target": target,
                    "networks": len(own.networks),
                    "starts": estimate.starts,
                    "rate": estimate.value,
                    "mean_score": scores_of(own, one),
                    **inference.rate(estimate),
                }


def _against_nulls(
    set_up: str,
    sets: dict[tuple[str, str], JudgedStarts],
    measured: dict[tuple[str, str], list[SuccessMeasure]],
    inference: Inference,
) -> Iterator[dict[str, object]]:
    place = (set_up, "")
    for null in (null for name, null in sets if name == set_up and null):
        other = {(one.measure, one.judge): one for one in measured[set_up, null]}
        for one in measured[place]:
            two = other.get((one.measure, one.judge))
            if two is None:
                continue
            estimates = shared_estimates((sets[place], one), (sets[set_up, null], two))
            if estimates is None:
                continue
            yield {
                **_row(sets[place], one),
                "null": null,
                "rate": estimates[0].value,
                "null_rate": estimates[1].value,
                "networks": len(sets[place].networks),
                "null_networks": len(sets[set_up, null].networks),
                "classes": len(estimates[0].by_class),
                **inference.difference(estimates[0].minus(estimates[1])),
            }


def shared_estimates(
    first: tuple[JudgedStarts, SuccessMeasure], second: tuple[JudgedStarts, SuccessMeasure]
) -> tuple[RateEstimate, RateEstimate] | None:
    """Return both estimates over the classes that both have, or None without any."""
    sides = [measured.estimate(starts) for starts, measured in (first, second)]
    shared = [name for name in sides[0].by_class if name in sides[1].by_class]
    if not shared:
        return None
    if any(len(side.by_class) != len(shared) for side in sides):
        sides = [measured.estimate(starts, shared) for starts, measured in (first, second)]
    return sides[0], sides[1]


def _left_out(sets: dict[tuple[str, str], JudgedStarts], together: dict[str, frozenset[str]]) -> Iterator[str]:
    for set_up, judges in together.items():
        found = next(iter(_of_set_up(sets, set_up)))
        without = [judge for judge in (*found.peers, *found.others) if judge in found.judges and judge not in judges]
        if without:
            yield (
                f"{set_up!r}: all judges are those that were asked about its nulls too, without {', '.join(without)}."
            )


def _notes(
    sets: dict[tuple[str, str], JudgedStarts], measured: dict[tuple[str, str], list[SuccessMeasure]]
) -> Iterator[str]:
    for (set_up, null), starts in sets.items():
        where = f"{set_up!r}" + (f", null {null!r}" if null else "")
        if len(starts.networks) < FEWEST_NETWORKS:
            number = len(starts.networks)
            yield (
                f"{where} has {number} target network{'s' if number > 1 else ''}: intervals are for these, since how "
                f"networks differ takes {FEWEST_NETWORKS} or more."
            )
        if not np.isfinite(starts.own()).any():
            yield f"{where}: the target networks are no judges here, without which there is no joint success."
        for one in measured[set_up, null]:
            counted = one.estimate(starts).by_class
            without = [target for target in starts.targets if target not in counted]
            if without:
                yield (
                    f"{where}, {one.measure} success, {one.judge}: {len(without)} of {len(starts.targets)} classes "
                    f"without starts in some network are left out ({', '.join(without[:5])})."
                )
