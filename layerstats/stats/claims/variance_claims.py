"""Claims of the variance of success: whether networks, judges or words differ."""

from __future__ import annotations

from collections.abc import Mapping

from layerstats.stats.claims.findings import ClaimFinding, family_of
from layerstats.stats.claims.success_claims import with_set_up
from layerstats.stats.success.rate_intervals import FEWEST_NETWORKS
from layerstats.stats.success.variance import VarianceShares


def variance_findings(result: VarianceShares) -> list[ClaimFinding]:
    """Return which components success varies between: the largest share of every set-up, then the second of each."""
    table = result.shares.loc[(result.shares["null"] == "") & (result.shares["component"] != "residual")]
    order = table.groupby("set_up", sort=False)["share"].rank(ascending=False, method="first")
    rows = table.loc[order.sort_values(kind="stable").index].to_dict("records")
    return [_component(row) for row in rows]


def _component(row: Mapping) -> ClaimFinding:
    names = {
        "network": "target networks", "judge": "judges", "target": "words", "start": "starts",
        "network:judge": "pairs of network and judge", "network:target": "pairs of network and word",
        "judge:target": "pairs of judge and word", "network:judge:target": "cells of network, judge and word",
    }  # fmt: skip
    what = names.get(str(row["component"]), str(row["component"]))
    subject = f"Success of maximization {with_set_up(str(row['set_up']))}"
    few = (f"a share of {row['levels']:.0f} {what}",) if row["levels"] < FEWEST_NETWORKS else ()
    return ClaimFinding(
        key=f"{row['set_up']}:{row['component']}",
        shown=f"{subject} varies between {what}",
        not_shown=f"{subject} was not shown to vary between {what}",
        effect="share of the variance of log odds",
        estimate=row["share"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=("variance", "variance_shares"),
        failed_checks=few,
    )
