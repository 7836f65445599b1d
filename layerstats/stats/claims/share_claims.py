"""Claims of shares of a score: which phones a decision rests on more than random weights make it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from layerstats.stats.claims.findings import ClaimFinding, family_of, untrained_check
from layerstats.stats.relevance.phone_shares import ELSEWHERE, PhoneShares
from layerstats.tables.readable_names import readable_name

EFFECT = "share of all that moves the score, trained minus the mean of untrained networks"


def share_findings(result: PhoneShares, *, network: str = "the network", sign: str = "signed") -> list[ClaimFinding]:
    """Return what a network's score owes to each group of phones beyond its untrained twins, most first.

    Groups are in the order of how far the network is from its twins, in standard errors. What no phone covers is no
    group of phones.

    Parameters
    ----------
    result
        From `phone_shares`.
    network
        Its name.
    sign
        "signed", or "absolute": how the shares were measured.
    """
    table = result.comparisons
    if table.empty:
        return []
    # One network alone has no spread, and what is measured are differences from the mean of the twins.
    own = result.networks.loc[~result.networks["trained"].astype(bool)]
    away = own["score_share"] - own.groupby("group")["score_share"].transform("mean")
    ranges = away.groupby(own["group"].to_numpy()).agg(["min", "max"])
    order = np.argsort(-table["statistic"].abs().to_numpy(dtype=float), kind="stable")
    rows = table.iloc[order].to_dict("records")
    return [_finding(row, network, sign, ranges) for row in rows if row["group"] != ELSEWHERE]


def _finding(row: Mapping, network: str, sign: str, ranges: pd.DataFrame) -> ClaimFinding:
    group = readable_name(row["group"])
    way = "more" if row["diff"] > 0 else "less"
    does, what = ("raise", "the score") if sign == "signed" else ("move", "the score, whichever way,")
    subject, of = f"Phones of the group “{group}” {does} {what}", f"of {_part(network)}"
    beside = f"than that of {_networks(row['null_recordings'])} on average"
    # Ranks of networks ask whether the share is larger than random weights make it, and not whether it is smaller.
    learned = row["diff"] > 0
    checks = untrained_check(row["null_recordings"])
    if not learned:
        checks = ("that it is less than in untrained networks was tested over speakers, not over networks",)
    return ClaimFinding(
        key=f"{network}:{row['group']}",
        shown=f"{subject} {of} {way} {beside}",
        not_shown=f"Phones of the group “{group}” were not shown to {does} {what} {of} more or less {beside}",
        not_learned=f"{subject} {of} {way} {beside}, but not than each of these" if learned and not checks else "",
        effect=EFFECT,
        estimate=row["diff"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=(f"{sign}_untrained", f"{sign}_shares"),
        null=f"{_networks(row['null_recordings'])}, each minus their mean",
        null_low=ranges.loc[row["group"], "min"],
        null_high=ranges.loc[row["group"], "max"],
        null_p_adjusted=row["null_p_adjusted"],
        learned=learned,
        failed_checks=checks,
    )


def _part(network: str) -> str:
    """Return a network as a sentence has it: parts of a ciwGAN with an article, others by their name."""
    return f"the {readable_name(network)}" if network in ("q_network", "discriminator", "generator") else network


def _networks(count: float) -> str:
    return f"{count:.0f} untrained network{'s' if count != 1 else ''}"
