"""Claims of kinds of network: which keeps two sounds farther apart, and where?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from layerstats.stats.claims.contrast_wording import contrast_words, count_words
from layerstats.stats.claims.findings import ClaimFinding, adjusted_by, effect_check
from layerstats.stats.networks import NetworkComparison
from layerstats.tables.format import MINUS

SOURCES = ("effects", "comparisons")
# With fewer networks of a kind, its spread over seeds is a guess.
FEW_NETWORKS = 3


def network_findings(result: NetworkComparison, sources: Sequence[str] = SOURCES) -> list[ClaimFinding]:
    """Return of each contrast, layer and pair of kinds which kind keeps it farther apart.

    Parameters
    ----------
    result
        From `compare_networks`.
    sources
        Names of the tables and figures that show it.
    """
    counts = {
        (row["contrast"], row["layer"], row["network"]): row["networks"] for row in result.kinds.to_dict("records")
    }
    return [_finding(row, counts, sources) for row in result.comparisons.to_dict("records")]


def choose_of_networks(findings: Sequence[ClaimFinding], result: NetworkComparison) -> list[ClaimFinding]:
    """Return one finding a contrast and pair of kinds: the layer of the largest difference among those found."""
    groups: dict[tuple[str, str, str], list[ClaimFinding]] = {}
    for one, row in zip(findings, result.comparisons.to_dict("records"), strict=True):
        if one.p_adjusted == one.p_adjusted:  # NaN where nothing could be tested
            groups.setdefault((row["contrast"], row["level_1"], row["level_2"]), []).append(one)
    chosen = []
    for own in groups.values():
        found = [one for one in own if one.significant]
        most = max(found or own, key=lambda one: abs(one.estimate))
        if len(own) > 1:
            others = len(own) - 1
            none = f"{most.not_shown}, nor at {'any of ' * (others > 1)}{_rest(others)}"
            most = replace(most, shown=f"{most.shown} ({_elsewhere(most, found, others)})", not_shown=none)
        chosen.append(most)
    return chosen


def network_notes(result: NetworkComparison, sources: Sequence[str] = SOURCES) -> list[str]:
    """Return what holds for all claims."""
    chosen = (
        "One claim a contrast and pair of kinds: at the layer where they differ most. Its adjusted p-value allows for "
        "this choice, its interval does not."
    )
    return [chosen] if len(set(result.comparisons["layer"])) > 1 else []


def _finding(
    row: Mapping[Any, Any], counts: Mapping[tuple[Any, Any, Any], int], sources: Sequence[str]
) -> ClaimFinding:
    kinds = (row["level_1"], row["level_2"])
    more, less = kinds if row["diff"] > 0 else kinds[::-1]
    about, layer = contrast_words(row["contrast"]), row["layer"]
    of_kind = {kind: int(counts[row["contrast"], layer, kind]) for kind in kinds}
    few = [f"{number} {_networks(kind)}" for kind, number in of_kind.items() if number < FEW_NETWORKS]
    checks = [f"only {' and '.join(few)}: how seeds vary is hardly known"] if few else []
    checks += effect_check(row["p_adjusted"], row["conf_low"], row["conf_high"])
    low, high = (f"{row[name]:.2f}".replace("-", MINUS) for name in ("conf_low", "conf_high"))
    size = f"{row['diff']:.2f}".replace("-", MINUS)
    interval = f"{size} token SDs, {100 * row['conf_level']:.3g} % interval {low} to {high}"
    return ClaimFinding(
        key=f"{layer}:{row['contrast']}:{kinds[0]}-{kinds[1]}",
        shown=f"At {layer}, {_networks(more)} keep {about} farther apart than {_networks(less)}",
        not_shown=f"At {layer}, {_networks(kinds[0])} and {_networks(kinds[1])} were not shown to differ in how far "
        f"apart they keep {about} ({interval})",
        effect=f"difference in effect size in token SDs, {kinds[0]} minus {kinds[1]}",
        estimate=row["diff"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=f"{count_words(int(row['tests']), 'test')} of contrasts and layers, {adjusted_by(row)}",
        failed_checks=tuple(checks),
        sources=tuple(sources),
    )


def _networks(kind: str) -> str:
    """Return a kind of network in the plural."""
    plural = kind.endswith(("network", "discriminator", "generator"))
    return f"{kind}s" if plural else f"{kind} networks"


def _elsewhere(most: ClaimFinding, found: Sequence[ClaimFinding], others: int) -> str:
    """Say at how many of the other layers the same was found, or the opposite."""
    alike = sum((one.estimate > 0) == (most.estimate > 0) for one in found) - 1
    opposite, rest = len(found) - alike - 1, _rest(others)
    counts = ((alike, "so"), (opposite, "the other way round"))
    said = [f"{way} at {rest if count == others else f'{count} of {rest}'}" for count, way in counts if count]
    return ", ".join(said) or f"not shown at {rest}"


def _rest(others: int) -> str:
    return "the other layer" if others == 1 else f"the other {others} layers"
