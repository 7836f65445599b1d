"""Claims of codes and words: whether codes stand for words, bits for features, and what is heard in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from layerstats.stats.claims.findings import (
    MISSING,
    ClaimFinding,
    OtherChoice,
    family_of,
    interval_check,
    untrained_check,
)
from layerstats.stats.lexical.hearing import INFORMATION, Heard
from layerstats.stats.lexical.learning import MEASURES, LexicalLearning

ACCURACY = MEASURES[0]
ONE_TEST = "one test, not adjusted"


def lexical_findings(
    result: LexicalLearning,
    *,
    network: str = "the network",
    untrained: Sequence[LexicalLearning] = (),
    measure: str = ACCURACY,
) -> list[ClaimFinding]:
    """Return whether the codes of a network stand for words in voices that it has not heard.

    Parameters
    ----------
    result
        From `lexical_learning`.
    network
        Its name.
    untrained
        The same of networks with random weights, on the same tokens.
    measure
        Of the result's summary.
    """
    rows = result.summary.loc[result.summary["measure"] == measure].to_dict("records")
    return [_words(row, network, [_measured(one, measure) for one in untrained]) for row in rows]


def stored_lexical(
    result: LexicalLearning, *, network: str = "the network", untrained: Sequence[LexicalLearning] = ()
) -> list[OtherChoice]:
    """Return the other measures of the same codes that are larger where codes say more of words."""
    return [
        OtherChoice(
            "measure",
            other,
            ACCURACY,
            lexical_findings(result, network=network, untrained=untrained, measure=other),
        )
        for other in MEASURES[1:-1]
    ]


def _measured(result: LexicalLearning, measure: str) -> float:
    return float(result.summary.set_index("measure").loc[measure, "estimate"])


def _words(row: Mapping, network: str, untrained: Sequence[float]) -> ClaimFinding:
    count = len(untrained)
    # As networks are ranked elsewhere: one that was trained is one more draw, were training nothing.
    rank = (1 + int(np.sum(np.array(untrained) >= row["estimate"]))) / (1 + count) if count else MISSING
    subject, few = f"Codes of {network}", untrained_check(count)
    chance = f"chance {row['chance']:.2g}, words permuted within speakers"
    return ClaimFinding(
        key=f"{network}:words",
        shown=f"{subject} tell words apart in voices that were not heard in learning",
        not_shown=f"{subject} were not shown to tell words apart in voices that were not heard in learning",
        not_learned=f"{subject} tell words apart in new voices, but no better than those of untrained networks"
        if count and not few
        else "",
        effect=f"{row['measure']} on held-out voices ({chance})",
        estimate=row["estimate"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_value"],
        family=ONE_TEST,
        sources=("summary", "measures", "codes"),
        null=f"{count} untrained networks" if count else "words permuted within speakers",
        null_low=min(untrained) if count else row["chance_low"],
        null_high=max(untrained) if count else row["chance_high"],
        null_p_adjusted=rank,
        learned=bool(count),
        failed_checks=(*few, *interval_check(row, row["chance"])),
    )


def feature_findings(table: pd.DataFrame) -> list[ClaimFinding]:
    """Return which bits go with which features of words, the smallest p-values first.

    Parameters
    ----------
    table
        From `feature_association`.
    """
    order = table.assign(size=table["association"].abs()).sort_values(
        ["p_adjusted", "size"], ascending=[True, False], kind="stable"
    )
    found = []
    for row in order.to_dict("records"):
        subject = f"Bit {row['bit']:.0f} of the code"
        what = f"words with the feature {row['feature']}"
        way = "set in" if row["association"] > 0 else "not set in"
        found.append(
            ClaimFinding(
                key=f"bit {row['bit']:.0f}:{row['feature']}",
                shown=f"{subject} is {way} {what} more than in others",
                not_shown=f"{subject} was not shown to go with {what}",
                effect="correlation of bit and feature (phi), every word counting the same",
                estimate=row["association"],
                conf_low=row["conf_low"],
                conf_high=row["conf_high"],
                conf_level=row["conf_level"],
                p_value=row["p_value"],
                p_adjusted=row["p_adjusted"],
                family=family_of(row),
                sources=("bit_table", "bits"),
                null="features permuted over words",
                failed_checks=interval_check(row),
            )
        )
    return found


def heard_findings(result: Heard) -> list[ClaimFinding]:
    """Return whether what a judge hears depends on the code, a finding a value of codes and judge."""
    table = result.summary.loc[(result.summary["measure"] == INFORMATION) & result.summary["p_value"].notna()]
    return [_heard(row, len(table)) for row in table.to_dict("records")]


def _heard(row: Mapping, tests: int) -> ClaimFinding:
    # Of several values and judges no result adjusts: as many tests at once are allowed for here.
    adjusted = min(1.0, tests * row["p_value"])
    where, which = f"codes of value {row['code_value']:g}", f"Which word the judge {row['judge']} hears"
    return ClaimFinding(
        key=f"{row['code_value']:g}:{row['judge']}",
        shown=f"{which} depends on the code that the generator is given ({where})",
        not_shown=f"{which} was not shown to depend on the code that the generator is given ({where})",
        effect="adjusted mutual information of code and word heard (0: chance)",
        estimate=row["estimate"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=adjusted,
        family=ONE_TEST if tests == 1 else f"values of codes and judges: {tests} tests, Bonferroni",
        sources=("heard_summary", "heard"),
        null="codes permuted within noise vectors",
        null_low=row["chance_low"],
        null_high=row["chance_high"],
        failed_checks=interval_check(row),
    )
