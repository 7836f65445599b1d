"""Claims of patterns of letters: in speech at the time of the phone, and where the network's relevance is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerstats.stats.averages.speech_and_network import NETWORK, SPEECH, SpeechAndNetwork
from layerstats.stats.averages.testing.pattern_tests import PatternTests
from layerstats.stats.claims.findings import MISSING, ClaimFinding, family_of, untrained_check

# How alignments are said.
WAYS = {
    "phone_onset": "the onset of its phone",
    "phone_centre": "the centre of its phone",
    "max_relevance": "the maximum of relevance",
    "min_relevance": "the minimum of relevance",
    "none": "the middle of the window",
}


def letter_findings(result: SpeechAndNetwork, *, letters: Sequence[str] | None = None) -> list[ClaimFinding]:
    """Return, letter by letter, what both tests say of its pattern.

    Parameters
    ----------
    result
        From `speech_and_network`.
    letters
        Those that are claimed, which have a figure; by default all, those of most windows first.
    """
    table = result.table.sort_values("windows", ascending=False, kind="stable")
    table = table.loc[table["letter"].isin(letters or table["letter"])]
    tests = {SPEECH: result.speech, NETWORK: result.network}
    families = {name: {str(row["level_1"]): row for row in one.table.to_dict("records")} for name, one in tests.items()}
    rows = table.to_dict("records")
    return [_finding(row, name, tests[name], families[name][str(row["letter"])]) for row in rows for name in tests]


def _finding(row: Mapping, name: str, tests: PatternTests, test: Mapping) -> ClaimFinding:
    letter, place = str(row["letter"]), f"{name}_"
    way = next((said for key, said in WAYS.items() if key in tests.alignment), tests.alignment)
    where = f"at {1000 * row[f'{place}lag_s']:.0f} ms and {row[f'{place}frequency_hz']:.0f} Hz"
    ranked = name == NETWORK and "null_p_adjusted" in row
    few = untrained_check(row["null_recordings"]) if ranked else ()
    told = f"letter {letter} aligned by {way}"
    return ClaimFinding(
        key=f"{letter}:{name}",
        shown=f"Windows of the {told} have a pattern, beyond what aligning and averaging make of noise",
        not_shown=f"Windows of the {told} were not shown to have a pattern beyond chance",
        not_learned=""
        if few
        else f"Windows of the {told} have a pattern, but so do windows aligned by untrained networks",
        effect=f"{letter} minus the mean over letters, {where} ({tests.quantity})",
        estimate=row[f"{place}estimate"],
        conf_low=row[f"{place}conf_low"],
        conf_high=row[f"{place}conf_high"],
        conf_level=test["conf_level"],
        p_value=row[f"{place}p_value"],
        p_adjusted=row[f"{place}p_adjusted"],
        family=family_of(test),
        sources=("letters", name, f"letter_{letter}"),
        null=f"{row['null_recordings']:.0f} untrained networks" if ranked else "letters exchanged within speakers",
        null_p_adjusted=row["null_p_adjusted"] if ranked else MISSING,
        learned=ranked,
        failed_checks=few,
    )
