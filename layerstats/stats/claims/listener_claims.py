"""Claims of listening tests: which condition is rated higher, preferred, or identified, and who agrees with people."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from layerstats.stats.claims.findings import MISSING, ClaimFinding, OtherChoice, family_of, interval_check
from layerstats.stats.ratings.choices.identification import IdentificationRates
from layerstats.stats.ratings.choices.preference import PreferenceShares
from layerstats.stats.ratings.means.compared_conditions import RatingComparison

PEOPLE, SIMULATED = "listeners", "simulated raters (nobody listened)"
OTHER_PEOPLE = "other people"
EQUIVALENT = ":equivalent"


def rating_findings(
    result: RatingComparison | pd.DataFrame,
    *,
    raters: str = PEOPLE,
    sources: tuple[str, ...] = ("differences", "differences_figure"),
) -> list[ClaimFinding]:
    """Return which conditions are rated higher than which, and which are as good as equal, in the table's order.

    Keys begin with a word of ours: names of conditions are what strangers wrote, and may begin like a formula.

    Parameters
    ----------
    result
        From `compare_conditions`, or a table of contrasts of a mixed model on the scale of ratings.
    raters
        Who rated, as the sentences say it: of simulated raters "simulated raters (nobody listened)".
    sources
        Of the claims.
    """
    table = result if isinstance(result, pd.DataFrame) else result.table
    found = []
    for row in table.to_dict("records"):
        found.append(_rated(row, raters, sources))
        if row.get("equivalence_margin", MISSING) == row.get("equivalence_margin"):
            found.append(_equivalent(row, raters, sources))
    return found


def choose_ratings(findings: list[ClaimFinding], _: object) -> list[ClaimFinding]:
    """Return findings without equivalences that were not shown of conditions that were shown to differ."""
    differ = {one.key for one in findings if one.significant}
    return [one for one in findings if one.significant or one.key.removesuffix(EQUIVALENT) not in differ]


def stored_ratings(
    result: RatingComparison | pd.DataFrame,
    *,
    raters: str = PEOPLE,
    sources: tuple[str, ...] = ("differences", "differences_figure"),
) -> list[OtherChoice]:
    """Return the same differences with the p-values of exchanged labels, where these were drawn."""
    table = result if isinstance(result, pd.DataFrame) else result.table
    if "p_permutation" not in table:
        return []
    exchanged = rating_findings(table.assign(p_value=table["p_permutation"]), raters=raters, sources=sources)
    whole = [one for one in exchanged if not one.key.endswith(EQUIVALENT)]
    return [OtherChoice("test", "labels of clips exchanged", "two-way variance", whole)]


def _rated(row: Mapping, raters: str, sources: tuple[str, ...]) -> ClaimFinding:
    one, two = row["level_1"], row["level_2"]
    way = "higher" if row["estimate"] > 0 else "lower"
    return ClaimFinding(
        key=f"rating:{one}-{two}",
        shown=f"{_first(raters)} rate clips of “{one}” {way} than clips of “{two}”",
        not_shown=f"{_first(raters)} were not shown to rate clips of “{one}” and of “{two}” differently",
        effect=f"mean rating of “{one}” minus that of “{two}”, in points",
        estimate=row["estimate"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=sources,
        null="labels of clips exchanged" if "p_permutation" in row else "",
    )


def _equivalent(row: Mapping, raters: str, sources: tuple[str, ...]) -> ClaimFinding:
    one, two, margin = row["level_1"], row["level_2"], row["equivalence_margin"]
    within = f"clips of “{one}” within {margin:g} points of clips of “{two}”"
    return ClaimFinding(
        key=f"rating:{one}-{two}{EQUIVALENT}",
        shown=f"{_first(raters)} rate {within}",
        not_shown=f"{_first(raters)} were not shown to rate {within}",
        effect=f"mean rating of “{one}” minus that of “{two}”, in points; two one-sided tests of ±{margin:g}",
        estimate=row["estimate"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_equivalence"],
        p_adjusted=row["p_equivalence_adjusted"],
        family=family_of(row).replace(row["family"], f"equivalence, {row['family']}"),
        sources=sources,
    )


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]


def preference_findings(result: PreferenceShares, *, raters: str = PEOPLE) -> list[ClaimFinding]:
    """Return which condition of each pair is preferred, in the table's order."""
    found = []
    for row in result.table.to_dict("records"):
        one, two = row["level_1"], row["level_2"]
        more = row["estimate"] > 0.5
        found.append(
            ClaimFinding(
                key=f"preference:{one}-{two}",
                shown=f"{_first(raters)} prefer clips of “{one if more else two}” to clips of “{two if more else one}”",
                not_shown=f"{_first(raters)} were not shown to prefer clips of “{one}” or of “{two}”",
                effect=f"share that prefers “{one}”, same counted half (chance 0.5)",
                estimate=row["estimate"],
                conf_low=row["conf_low"],
                conf_high=row["conf_high"],
                conf_level=row["conf_level"],
                p_value=row["p_value"],
                p_adjusted=row["p_adjusted"],
                family=family_of(row),
                sources=("preference", "preference_figure"),
                null="chance",
                failed_checks=_at_once(row),
            )
        )
    return found


def identification_findings(
    result: IdentificationRates, *, raters: str = PEOPLE, task: str = "identification"
) -> list[ClaimFinding]:
    """Return in which conditions the right answer is given more often than by chance, and how these differ.

    Parameters
    ----------
    result
        From `identification_rates`.
    raters
        Who answered.
    task
        "identification" or "abx", which names the tables that show it.
    """
    about = ["family", "tests", "adjust_method", "conf_level", "conf_low", "conf_high", "estimate", "std_error"]
    names = [name for name in result.table if str(name) not in {*about, *_COUNTED}]
    found = []
    for row in result.table.to_dict("records"):
        level = ", ".join(str(row[name]) for name in names)
        found.append(_right(row, level, raters, task))
    for row in result.contrasts.to_dict("records"):
        one, two = row["level_1"], row["level_2"]
        way = "more" if row["estimate"] > 0 else "less"
        found.append(
            ClaimFinding(
                key=f"{task}:{one}-{two}",
                shown=f"{_first(raters)} give right answers to clips of “{one}” {way} often than to those of “{two}”",
                not_shown=f"{_first(raters)} were not shown to give right answers to clips of “{one}” more or less "
                f"often than to those of “{two}”",
                effect=f"share of right answers to “{one}” minus that to “{two}”",
                estimate=row["estimate"],
                conf_low=row["conf_low"],
                conf_high=row["conf_high"],
                conf_level=row["conf_level"],
                p_value=row["p_value"],
                p_adjusted=row["p_adjusted"],
                family=family_of(row),
                sources=(f"{task}_contrasts", f"{task}_contrasts_figure"),
            )
        )
    return found


_COUNTED = (
    "answers", "raters", "clips", "right_answers", "chance", "statistic", "p_value", "p_adjusted", "naive_rate",
    "naive_low", "naive_high", "d_prime", "d_prime_low", "d_prime_high",
)  # fmt: skip


def _right(row: Mapping, level: str, raters: str, task: str) -> ClaimFinding:
    above, clips = row["estimate"] > row["chance"], f"clips of “{level}”" if level else "clips"
    return ClaimFinding(
        key=f"{task}:{level or 'all clips'}",
        shown=f"{_first(raters)} give the right answer to {clips} {'more' if above else 'less'} often than by chance",
        not_shown=f"{_first(raters)} were not shown to give the right answer to {clips} more often than by chance",
        effect=f"share of right answers (chance {row['chance']:.2g})",
        estimate=row["estimate"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=(task, f"{task}_figure"),
        null="chance",
        failed_checks=_at_once(row),
    )


def _at_once(row: Mapping) -> tuple[str, ...]:
    return ("one rater: nothing is known of others",) if row["raters"] < 2 else ()


def judge_findings(table: pd.DataFrame, *, raters: str = PEOPLE, measure: str = "") -> list[ClaimFinding]:
    """Return which judges recognise the clips that people recognise, the most alike first.

    Parameters
    ----------
    table
        From `judge_agreement`. How far people agree with people is not tested, and is what judges are held against.
    raters
        Who the people are.
    measure
        Of agreement; the first one in the table by default.
    """
    tested = table.loc[table["judge"] != OTHER_PEOPLE]
    if tested.empty:
        return []
    measure = measure or str(tested["measure"].iloc[0])
    people = table.loc[(table["judge"] == OTHER_PEOPLE) & (table["measure"] == measure), "estimate"]
    beside = f"; these with each other {people.iloc[0]:.2f}" if len(people) else ""
    rows = tested.loc[tested["measure"] == measure].sort_values("estimate", ascending=False, kind="stable")
    return [_agreed(row, raters, beside) for row in rows.to_dict("records")]


def stored_judges(table: pd.DataFrame, *, raters: str = PEOPLE) -> list[OtherChoice]:
    """Return the other measures of agreement, which are in the same table."""
    measures = list(dict.fromkeys(table.loc[table["judge"] != OTHER_PEOPLE, "measure"]))
    return [
        OtherChoice("measure of agreement", other, measures[0], judge_findings(table, raters=raters, measure=other))
        for other in measures[1:]
    ]


def _agreed(row: Mapping, raters: str, beside: str) -> ClaimFinding:
    judge, known = f"The judge {row['judge']}", f"the clips that {raters} recognise, beyond what their words alone give"
    way = "recognises" if row["estimate"] > 0 else "misses"
    return ClaimFinding(
        key=f"agreement:{row['judge']}",
        shown=f"{judge} {way} {known}",
        not_shown=f"{judge} was not shown to recognise {known}",
        effect=f"{row['measure']} with {raters}{beside}",
        estimate=row["estimate"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=("agreement", "agreement_figure"),
        null="the judge's answers permuted among clips of a class",
        null_low=row["null_low"],
        null_high=row["null_high"],
        failed_checks=interval_check(row),
    )
