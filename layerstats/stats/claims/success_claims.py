"""Claims of maximizations: whether others hear the target, more than in nulls, and under which set-up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pandas as pd

from layerstats.stats.claims.findings import MISSING, ClaimFinding, OtherChoice, family_of
from layerstats.stats.success.marginal_and_joint import ALL, JOINT, MARGINAL, OTHERS, OWN, Success
from layerstats.stats.success.rate_intervals import FEWEST_NETWORKS

# Natural tokens are no null of a maximization but what it is compared with: they are words, said by people.
NATURAL = "natural"
NULL_NAMES = {
    "untrained": "maximizing untrained networks",
    "shuffled": "maximizing a network of shuffled labels",
    "zero_steps": "no steps at all",
    "random_direction": "steps in random directions",
    NATURAL: "natural words that the network takes for the target",
}


def success_findings(result: Success, *, judge: str = "", measure: str = MARGINAL) -> list[ClaimFinding]:
    """Return how much oftener each set-up is heard as its target than under the null it exceeds least.

    A set-up is said to be heard oftener than under its nulls where it is so for each of them: what stands in a row is
    the null with the largest p-value. Then, where networks judge themselves and each other, what is idiosyncratic.

    Parameters
    ----------
    result
        From `success_rates`.
    judge
        Who hears the target; other networks where there are any, else the first that is not the target network.
    measure
        "marginal" or "joint".
    """
    nulls = result.nulls.loc[result.nulls["measure"] == measure]
    found: list[ClaimFinding] = []
    for set_up, rows in nulls.groupby("set_up", sort=False):
        who = judge or first_judge(rows["judge"])
        own = rows.loc[rows["judge"] == who]
        made = own.loc[own["null"] != NATURAL]
        own = made if len(made) else own
        if len(own):
            least = own.sort_values(["p_value", "difference"], ascending=[True, False], na_position="first")
            found.append(_over_null(least.to_dict("records")[-1], str(set_up), len(own)))
    if judge or measure != MARGINAL:
        return found
    mine = result.idiosyncrasy
    rows = mine.loc[mine["null"] == ""].to_dict("records") if len(mine) else []
    return found + [_own(row) for row in rows]


def first_judge(judges: Iterable[str]) -> str:
    """Return whose judgement is claimed first: other networks, else whoever is not the target network."""
    names = list(dict.fromkeys(map(str, judges)))
    other = [name for name in names if name not in (OWN, ALL)]
    return OTHERS if OTHERS in names else (other or names or [""])[0]


def stored_success(result: Success) -> list[OtherChoice]:
    """Return the other judges and the joint measure, which are in the same tables."""
    judges = list(dict.fromkeys(result.nulls["judge"])) if len(result.nulls) else []
    first = first_judge(judges)
    others = [name for name in judges if name not in (first, ALL, OWN)]
    found = [OtherChoice("judge", name, first, success_findings(result, judge=name)) for name in others]
    joint = success_findings(result, measure=JOINT)
    return found + ([OtherChoice("measure", JOINT, MARGINAL, joint)] if joint else [])


def _over_null(row: Mapping, set_up: str, nulls: int) -> ClaimFinding:
    judge, null = who_hears(str(row["judge"])), NULL_NAMES.get(str(row["null"]), str(row["null"]))
    what = f"Words maximized {with_set_up(set_up)}"
    every = "each of its nulls" if nulls > 1 else f"its null, {null}"
    less = row["difference"] < 0
    return ClaimFinding(
        key=f"{set_up}:nulls",
        shown=f"{what} are heard as their target by {judge} less often than after {null}"
        if less
        else f"{what} are heard as their target by {judge} more often than under {every}",
        not_shown=f"{what} were not shown to be heard as their target by {judge} more often than after {null}",
        effect=f"rate minus that after {null}" + (", the closest of its nulls" if nulls > 1 else ""),
        estimate=row["difference"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=("success_nulls", "success", "success_by_class"),
        null=null,
        failed_checks=few_networks(row["networks"]),
    )


def _own(row: Mapping) -> ClaimFinding:
    set_up = str(row["set_up"])
    what, than = f"What is maximized {with_set_up(set_up)}", "often by the network it was made for than by others"
    way = "more" if row["difference"] > 0 else "less"
    return ClaimFinding(
        key=f"{set_up}:own",
        shown=f"{what} is heard as its target {way} {than}",
        not_shown=f"{what} was not shown to be heard as its target more {than}",
        effect="rate of the target network minus that of other networks",
        estimate=row["difference"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=("idiosyncrasy", "networks"),
        null="judges dealt out to the targets anew",
        null_low=row.get("null_low", MISSING),
        null_high=row.get("null_high", MISSING),
        failed_checks=few_networks(row["networks"]),
    )


def who_hears(judge: str) -> str:
    """Return a judge as it is said in a sentence."""
    said = {OWN: "the target network itself", OTHERS: "other networks", ALL: "all judges", "people": "people"}
    return said.get(judge, f"the judge {judge}")


def with_set_up(set_up: str) -> str:
    """Return how something was maximized, as it is said in a sentence; the set-up of no prior is called none.

    Examples
    --------
    >>> with_set_up("autoencoder"), with_set_up("none")
    ('with the set-up “autoencoder”', 'without a prior')
    """
    return "without a prior" if set_up == "none" else f"with the set-up “{set_up}”"


def few_networks(networks: float) -> tuple[str, ...]:
    """Return the failed check of too few networks to speak of others."""
    if networks >= FEWEST_NETWORKS:
        return ()
    count, these = (f"{networks:.0f} target networks", "these") if networks > 1 else ("1 target network", "this one")
    return (f"only {count}: the interval is about other starts of {these}, not about other networks",)


def set_up_findings(table: pd.DataFrame, *, judge: str = "", measure: str = MARGINAL) -> list[ClaimFinding]:
    """Return how two set-ups differ in how often others hear the target, a finding a pair.

    Parameters
    ----------
    table
        From `compare_set_ups`, several below each other.
    judge, measure
        As for `success_findings`.
    """
    own = table.loc[table["measure"] == measure]
    found = []
    for _, rows in own.groupby(["set_up_1", "set_up_2"], sort=False):
        who = judge or first_judge(rows["judge"])
        found += [
            set_up_difference(row, ("set_ups_table", "set_ups"))
            for row in rows.loc[rows["judge"] == who].to_dict("records")
        ]
    return found


def stored_set_ups(table: pd.DataFrame) -> list[OtherChoice]:
    """Return the other judges and the joint measure, which are in the same table."""
    return judges_beside(table, set_up_findings)


def judges_beside(table: pd.DataFrame, find: Callable[..., list[ClaimFinding]]) -> list[OtherChoice]:
    """Return the other judges and the joint measure of a table of differences between set-ups."""
    judges = list(dict.fromkeys(table["judge"])) if len(table) else []
    first = first_judge(judges)
    others = [name for name in judges if name not in (first, ALL)]
    found = [OtherChoice("judge", name, first, find(table, judge=name)) for name in others]
    joint = find(table, measure=JOINT)
    return found + ([OtherChoice("measure", JOINT, MARGINAL, joint)] if joint else [])


def set_up_difference(row: Mapping, sources: tuple[str, ...], where: str = "") -> ClaimFinding:
    """Return one difference between two set-ups."""
    one, two, judge = str(row["set_up_1"]), str(row["set_up_2"]), who_hears(str(row["judge"]))
    what, than = f"Words maximized {with_set_up(one)}", f"those maximized {with_set_up(two)}"
    way = "more" if row["difference"] > 0 else "less"
    return ClaimFinding(
        key=f"{one}-{two}",
        shown=f"{what} are heard as their target by {judge} {way} often than {than}{where}",
        not_shown=f"{what} were not shown to be heard as their target by {judge} more or less often than {than}{where}",
        effect=f"rate {with_set_up(one)} minus that {with_set_up(two)}",
        estimate=row["difference"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=sources,
        failed_checks=few_networks(row["networks"]),
    )
