"""Claims of a ladder of priors: which is heard as its target more often where starts have moved equally far."""

from __future__ import annotations

from layerstats.stats.claims.findings import ClaimFinding, OtherChoice
from layerstats.stats.claims.success_claims import first_judge, judges_beside, set_up_difference
from layerstats.stats.success.ladder import Ladder
from layerstats.stats.success.marginal_and_joint import MARGINAL


def ladder_findings(result: Ladder, *, judge: str = "", measure: str = MARGINAL) -> list[ClaimFinding]:
    """Return how each prior differs from the one below it at equal displacement, as other networks hear it."""
    table = result.contrasts.loc[result.contrasts["measure"] == measure]
    found = []
    for _, rows in table.groupby(["set_up_1", "set_up_2"], sort=False):
        who = judge or first_judge(rows["judge"])
        own = rows.loc[rows["judge"] == who].to_dict("records")
        found += [
            set_up_difference(row, ("ladder_contrasts", "ladder"), ", once they have moved equally far") for row in own
        ]
    return found


def stored_ladder(result: Ladder) -> list[OtherChoice]:
    """Return the other judges and the joint measure, which are in the same table."""
    return judges_beside(result.contrasts, lambda _, **options: ladder_findings(result, **options))
