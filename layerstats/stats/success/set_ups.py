"""Two set-ups compared: which has more success, by whom, over starts, networks and classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.success.attempt_frames import checked_attempts
from layerstats.stats.success.judged_starts import DENOMINATORS, JudgedStarts, judged_starts
from layerstats.stats.success.marginal_and_joint import asked_everywhere, measures, shared_estimates
from layerstats.stats.success.rate_intervals import Inference, Sampling
from layerstats.tables import check_frame


def compare_set_ups(
    attempts: pd.DataFrame,
    set_up_1: str,
    set_up_2: str,
    *,
    denominator: str = "all starts",
    networks: Sampling = "drawn",
    classes: Sampling = "fixed",
    conf_level: float = 0.95,
    adjust: AdjustMethod = "holm",
) -> pd.DataFrame:
    """Compare success of two set-ups, paired by class, by network, and by start where both began from the same.

    Always `set_up_1` minus `set_up_2`, in the classes that both have. Reversing them changes signs and nothing else.

    Parameters
    ----------
    attempts : DataFrame
        As from `attempts` or `attempts_from_frame`.
    set_up_1, set_up_2
        Which are compared.
    denominator, networks, classes, conf_level
        As for `success_rates`.
    adjust
        How p-values are adjusted, over all measures and judges of the comparison.

    Returns
    -------
    pandas.DataFrame
        A row a measure and judge: ``set_up_1, set_up_2, measure, judge, networks, classes, rate_1, rate_2, difference,
        conf_low, conf_high, statistic, df, p_value, p_adjusted, family, ...``. `pairs` are starts of one network that
        both began from (the same token, or the same seed), in `only_1` and `only_2` of them the one has success and
        the other has not, and `mcnemar_p_value` is McNemar's exact test of these, which holds for these networks and
        classes only.

    Raises
    ------
    ArgumentError
        The set-ups are the same.
    DataError
        There is no such set-up, or they share no network, judge or class.

    Examples
    --------
    >>> from layerstats.stats.success import attempts_from_frame
    >>> rows = [(set_up, "a", target, f"{target}_{number}", number, judge, target if number < most else "noise")
    ...         for set_up, most in (("none", 2), ("smooth", 8)) for target in ("no", "yes") for number in range(10)
    ...         for judge in ("a", "b")]
    >>> columns = ["set_up", "network", "target", "start", "seed", "judge", "response"]
    >>> attempts = attempts_from_frame(pd.DataFrame(rows, columns=columns))
    >>> compare_set_ups(attempts, "smooth", "none")[["judge", "difference", "only_1", "only_2"]].values.tolist()[0]
    ['target network', 0.6000000000000001, 12, 0]
    """
    check_choice("denominator", denominator, DENOMINATORS)
    attempts = checked_attempts(attempts)
    if set_up_1 == set_up_2:
        raise ArgumentError(f"Two set-ups are needed to compare, but both are {set_up_1!r}.")
    there = sorted(map(str, attempts["set_up"].unique()))
    for name in (set_up_1, set_up_2):
        if name not in there:
            raise DataError(f"There is no set-up {name!r}: there are {', '.join(map(repr, there))}.")
    inference = Inference(networks, classes, conf_level)
    sides = [attempts.loc[(attempts["set_up"] == name) & (attempts["null"] == "")] for name in (set_up_1, set_up_2)]
    shared = set(sides[0]["network"].astype(str)) & set(sides[1]["network"].astype(str))
    sides = [side.loc[side["network"].isin(shared)] for side in sides]
    if not shared:
        raise DataError(f"The set-ups {set_up_1!r} and {set_up_2!r} have no target network in common.")
    first, second = (judged_starts(side, denominator)[str(side["set_up"].iloc[0]), ""] for side in sides)
    rows = list(_compared(first, second, _same_beginnings(*sides), inference))
    if not rows:
        raise DataError(f"The set-ups {set_up_1!r} and {set_up_2!r} have no judge or no class in common.")
    table = pd.DataFrame(rows).assign(denominator=denominator)
    return check_frame(adjust_p_values(table, f"{set_up_1} - {set_up_2}, measures and judges", method=adjust))


def _same_beginnings(first: pd.DataFrame, second: pd.DataFrame) -> np.ndarray:
    """Return the starts, as `JudgedStarts.identities`, that began from the same token or the same seed in both."""
    keys, tokens, seeds = [], [], []
    for side in (first, second):
        codes = {
            name: side[name].cat.codes.to_numpy(dtype=np.int64) for name in ("start", "target", "network", "token")
        }
        sizes = {name: len(side[name].cat.categories) for name in ("target", "network")}
        key = (codes["start"] * sizes["target"] + codes["target"]) * sizes["network"] + codes["network"]
        unique, row = np.unique(key, return_index=True)
        natural = side["token"].cat.categories.get_indexer(pd.Index([""]))[0] != codes["token"]
        keys.append(unique)
        tokens.append(np.where(natural, codes["token"], -1)[row])
        seeds.append(side["seed"].to_numpy(dtype=float, na_value=np.nan)[row])
    both, one, two = np.intersect1d(*keys, assume_unique=True, return_indices=True)
    token = tokens[0][one] == tokens[1][two]
    # Of starts from noise the seed says what they began from, of starts from tokens the token does.
    return both[token & ((tokens[0][one] >= 0) | (seeds[0][one] == seeds[1][two]))]


def _compared(
    first: JudgedStarts, second: JudgedStarts, beginnings: np.ndarray, inference: Inference
) -> Iterator[dict[str, object]]:
    together = asked_everywhere(first, second)
    other = {(one.measure, one.judge): one for one in measures(second, together)}
    rows = [_rows_of(side, beginnings) for side in (first, second)]
    paired = (rows[0] >= 0) & (rows[1] >= 0)
    for one in measures(first, together):
        two = other.get((one.measure, one.judge))
        estimates = None if two is None else shared_estimates((first, one), (second, two))
        if two is None or estimates is None:
            continue
        yield {
            "set_up_1": first.set_up,
            "set_up_2": second.set_up,
            "measure": one.measure,
            "judge": one.judge,
            "networks": len(first.networks),
            "classes": len(estimates[0].by_class),
            "rate_1": estimates[0].value,
            "rate_2": estimates[1].value,
            **inference.difference(estimates[0].minus(estimates[1])),
            **_discordant(one.heard[rows[0][paired]], two.heard[rows[1][paired]]),
        }


def _rows_of(starts: JudgedStarts, beginnings: np.ndarray) -> np.ndarray:
    """Return the row of each beginning, -1 where it is not counted."""
    known = starts.identities
    order = np.argsort(known)
    place = np.minimum(np.searchsorted(known, beginnings, sorter=order), len(known) - 1)
    return np.where(known[order[place]] == beginnings, order[place], -1)


def _discordant(one: np.ndarray, two: np.ndarray) -> dict[str, float]:
    """Count pairs of starts (start, judge) in which one set-up has success and the other has not."""
    if one.shape[1] > 1:
        # What several judges say of one start is no independent pair.
        return dict.fromkeys(("pairs", "only_1", "only_2", "mcnemar_p_value"), np.nan)
    # What several people say together may lie between.
    known = np.isin(one, (0, 1)) & np.isin(two, (0, 1))
    only_1, only_2 = (int(np.sum(known & (a > b))) for a, b in ((one, two), (two, one)))
    pairs = int(known.sum())
    p_value = float(stats.binomtest(only_1, only_1 + only_2).pvalue) if only_1 + only_2 else 1.0
    return {"pairs": pairs, "only_1": only_1, "only_2": only_2, "mcnemar_p_value": p_value if pairs else np.nan}
