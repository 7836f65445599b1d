"""Claims of how far maps of relevance can be trusted: where they lie, who agrees, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from layerstats.stats.claims.findings import ClaimFinding, OtherChoice, family_of
from layerstats.stats.trust.interval_shares import EXCHANGED, SHARE, SHIFTED
from layerstats.stats.trust.map_agreement import ABSOLUTE_RANKS, CORRELATION, RANKS
from layerstats.stats.trust.trust_tables import EVERY, Trust

SOURCES = ("trust", "trust_figure")
RANDOM = "random weights, cascading: "
DELETION, INSERTION = "deletion", "insertion"


class _Asked(NamedTuple):
    """A question to maps: which measure answers it, and how it is said."""

    measure: str
    baseline: str  # "" for any
    condition: str  # "" for any
    shown: str
    other_way: str
    not_shown: str


def trust_findings(
    result: Trust,
    *,
    part: str = "absolute",
    baseline: str = EXCHANGED,
    ranks: str = ABSOLUTE_RANKS,
    map_name: str = "R",
) -> list[ClaimFinding]:
    """Return what the maps of a recording were found to be: in the phone, alike under other rules, telling.

    Differences from the baseline over all speakers: of location the share inside the phone; of agreement the rank
    correlation without signs, with every other rule; of random weights the whole network's; of deletion and insertion
    the first replacement, against the first baseline.

    Parameters
    ----------
    result
        From `trust_table`.
    part
        Of the map whose location is asked for.
    baseline
        Of location.
    ranks
        Measure of agreement.
    map_name
        "R", or "R/x" where it was divided by the input; of random weights only.
    """
    table = result.table.loc[result.table["by"] == EVERY]
    found: list[ClaimFinding] = []
    for asked in _questions(part, baseline, ranks):
        rows = table.loc[table["measure"] == asked.measure]
        if asked.measure.startswith(RANDOM):
            # Cascading: the last layer named is the network that is random all through.
            rows = rows.loc[rows["map"] == map_name].tail(1)
        else:
            rows = rows.loc[rows["map"] == "R"]
        for column, value in (("baseline", asked.baseline), ("condition", asked.condition)):
            rows = rows.loc[rows[column] == value] if value else rows
        if asked.measure in (DELETION, INSERTION):
            rows = rows.head(1)
        found += [_finding(row, asked) for row in rows.to_dict("records")]
    return found


def stored_trust(result: Trust) -> list[OtherChoice]:
    """Return other choices that are in the same table: the part of the map, the baseline, the measure, R over x."""
    return [
        OtherChoice("part of the map", "positive", "absolute", _only(result, SHARE, part="positive")),
        OtherChoice("baseline", SHIFTED, EXCHANGED, _only(result, SHARE, baseline=SHIFTED)),
        OtherChoice("measure of agreement", CORRELATION, ABSOLUTE_RANKS, _only(result, "agreement", ranks=CORRELATION)),
        OtherChoice("measure of agreement", RANKS, ABSOLUTE_RANKS, _only(result, "agreement", ranks=RANKS)),
        OtherChoice("map", "R/x", "R", _only(result, "random weights", map_name="R/x")),
    ]


def _only(result: Trust, key: str, **options: str) -> list[ClaimFinding]:
    return [one for one in trust_findings(result, **options) if one.key.startswith(key)]


def _questions(part: str, baseline: str, ranks: str) -> list[_Asked]:
    elsewhere = "phones of other windows" if baseline == EXCHANGED else "phones put elsewhere"
    on = f"on the labelled phone than on {elsewhere}"
    other = "alike than those of different windows"
    pair, random = "Maps of {recording} and of {condition}", "Maps of {recording} and those under random weights"
    return [
        _Asked(
            SHARE, baseline, part,
            f"Maps of {{recording}} lie more {on}",
            f"Maps of {{recording}} lie less {on}",
            f"Maps of {{recording}} were not shown to lie more {on}",
        ),
        _Asked(
            ranks, "", "",
            f"{pair} are more {other}", f"{pair} are less {other}", f"{pair} were not shown to be more {other}",
        ),
        _Asked(
            RANDOM + ranks, "", "",
            f"{random} are more {other}: so far they tell of the input, not of learning",
            f"{random} are less {other}",
            f"{random} were not shown to be more {other}",
        ),
        _Asked(
            DELETION, "", "",
            "Taking away what {recording} calls relevant lowers the answer faster than by {baseline}",
            "Taking away what {recording} calls relevant lowers the answer slower than by {baseline}",
            "Taking away what {recording} calls relevant was not shown to lower the answer faster than by {baseline}",
        ),
        _Asked(
            INSERTION, "", "",
            "Putting in what {recording} calls relevant raises the answer faster than by {baseline}",
            "Putting in what {recording} calls relevant raises the answer slower than by {baseline}",
            "Putting in what {recording} calls relevant was not shown to raise the answer faster than by {baseline}",
        ),
    ]  # fmt: skip


def _finding(row: Mapping, asked: _Asked) -> ClaimFinding:
    names = {name: str(row[name]) for name in ("recording", "condition", "baseline")}
    # Deletion is right where its area is smaller than that of the baseline.
    right = row["diff"] < 0 if asked.measure == DELETION else row["diff"] > 0
    kind = "location" if asked.measure == SHARE else asked.measure
    key = {"location": SHARE, DELETION: DELETION, INSERTION: INSERTION}.get(kind, f"agreement:{names['condition']}")
    if asked.measure.startswith(RANDOM):
        key = "random weights"
    checks = () if row["speakers"] > 1 else ("one speaker: intervals are for other utterances of this speaker",)
    return ClaimFinding(
        key=key,
        shown=(asked.shown if right else asked.other_way).format(**names),
        not_shown=asked.not_shown.format(**names),
        effect=f"{row['measure']}, minus that of {names['baseline']}",
        estimate=row["diff"],
        conf_low=row["diff_low"],
        conf_high=row["diff_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=SOURCES,
        failed_checks=checks,
    )
