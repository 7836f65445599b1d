"""Claims of people and a network over the same conditions: do they differ, and are the same ones hard?"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from layerstats.stats.claims.findings import ClaimFinding, OtherChoice, family_of, interval_check

SINGLE, PUBLISHED = "one subject", "published"


def effect_findings(table: pd.DataFrame, *, analysis: str = SINGLE, observer: str = "observer") -> list[ClaimFinding]:
    """Return whether people and each network differ, over all conditions and by condition.

    Parameters
    ----------
    table
        Effects of `repeated_anova`, with columns `model` and `analysis`.
    analysis
        Which analysis is claimed.
    observer
        Factor that tells people and network apart.
    """
    own = table.loc[(table["analysis"] == analysis) & table["term"].astype(str).str.contains(observer)]
    return [_effect(row) for row in own.to_dict("records")]


def stored_effects(table: pd.DataFrame, *, observer: str = "observer") -> list[OtherChoice]:
    """Return the analysis as published, which is in the same table."""
    published = effect_findings(table, analysis=PUBLISHED, observer=observer)
    return [OtherChoice("unit", "listener and network apart (published)", "listener with network", published)]


def _effect(row: Mapping) -> ClaimFinding:
    alone = ":" not in str(row["term"])
    over = "over all conditions" if alone else "in some conditions more than in others"
    return ClaimFinding(
        key=f"{row['model']}:{row['term']}",
        shown=f"People and {row['model']} differ {over}",
        not_shown=f"People and {row['model']} were not shown to differ {over}",
        effect=f"partial eta squared of {row['term']}",
        estimate=row["partial_eta_squared"],
        conf_low=row["eta_low"],
        conf_high=row["eta_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value_gg"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=("anova", "differences", "differences_figure"),
    )


def agreement_findings(table: pd.DataFrame) -> list[ClaimFinding]:
    """Return whether the conditions that are hard for a network are hard for people.

    Parameters
    ----------
    table
        From `agreement_over_conditions`, adjusted over networks, with a column `model`.
    """
    return [_agreement(row) for row in table.to_dict("records")]


def _agreement(row: Mapping) -> ClaimFinding:
    model, way = row["model"], "" if row["estimate"] > 0 else " not"
    return ClaimFinding(
        key=f"{model}:agreement",
        shown=f"Conditions that {model} recognises are{way} those that people recognise",
        not_shown=f"Conditions that {model} recognises were not shown to be those that people recognise",
        effect="rank correlation over conditions, mean over listeners",
        estimate=row["estimate"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=("agreement", "means", "means_figure"),
        null="conditions permuted, for all listeners alike",
        null_low=row["null_low"],
        null_high=row["null_high"],
        failed_checks=interval_check(row),
    )
