"""Claims of vectors of phones: what layers tell of phones beyond untrained networks and beyond the sound alone."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from layerstats.stats.claims.findings import ALPHA, MISSING, ClaimFinding, OtherChoice, family_of, untrained_check
from layerstats.stats.representations.abx import AbxResult
from layerstats.stats.representations.labelled_vectors import ACOUSTICS
from layerstats.stats.representations.layer_similarity import LayerSimilarity
from layerstats.stats.representations.phone_probe import PhoneProbe
from layerstats.tables.readable_names import readable_name

ACROSS, WITHIN = "across", "within"
UNTRAINED, CONTROL = "untrained", "control task"
BALANCED, PLAIN = "balanced accuracy", "accuracy"


def abx_findings(result: AbxResult, *, mode: str = "", network: str = "the network") -> list[ClaimFinding]:
    """Return whether phones are told apart better than by untrained twins, the sound alone, or chance.

    Layers are in the order of their errors, the smallest first; p-values are adjusted over all layers.

    Parameters
    ----------
    result
        From `abx`.
    mode
        "across" or "within"; across speakers where that was measured.
    network
        Its name.
    """
    own = result.table.loc[result.table["error_rate"].notna()]
    mode = mode or (ACROSS if ACROSS in set(own["abx_mode"]) else WITHIN)
    rows = own.loc[own["abx_mode"] == mode].sort_values("error_rate", kind="stable").to_dict("records")
    found = []
    for row in rows:
        tables = (result.comparisons, result.networks)
        compared, networks = (
            table.loc[(table["layer"] == row["layer"]) & (table["abx_mode"] == mode)] for table in tables
        )
        said = f"At {row['layer']} of {network}, phones are told apart {mode} speakers"
        # Errors: less is better.
        networks = networks.rename(columns={"error_rate": "estimate"})
        beside = [
            _beside(one, said, networks, better=-1, effect="ABX error", kind="abx")
            for one in compared.to_dict("records")
        ]
        found += beside or [_above_chance(row, said, row["error_rate"], "ABX error", "abx")]
    return found


def stored_abx(result: AbxResult, *, network: str = "the network") -> list[OtherChoice]:
    """Return the same within speakers, which is in the same tables."""
    if set(result.table["abx_mode"]) != {ACROSS, WITHIN}:
        return []
    return [OtherChoice("speakers", WITHIN, ACROSS, abx_findings(result, mode=WITHIN, network=network))]


def probe_findings(
    result: PhoneProbe, *, measure: str = BALANCED, network: str = "the network", column: str = "phone_class"
) -> list[ClaimFinding]:
    """Return whether a probe reads more than of untrained twins, of the sound alone, or chance gives.

    Layers are in the order of their balanced accuracy, the highest first; p-values are adjusted over all layers.

    Parameters
    ----------
    result
        From `phone_probe`.
    measure
        "balanced accuracy" or "accuracy".
    network
        Its name.
    column
        What the probe reads.
    """
    table = result.table.loc[result.table["measure"] == BALANCED]
    found = []
    for layer in table.sort_values("estimate", ascending=False, kind="stable")["layer"]:
        own, compared, networks = (
            one.loc[(one["layer"] == layer) & (one["measure"] == measure)]
            for one in (result.table, result.comparisons, result.networks)
        )
        said = f"At {layer} of {network}, a linear probe reads {_read_column(column)}"
        beside = [
            _beside(row, said, networks, better=1, effect=measure, kind="probe")
            for row in compared.to_dict("records")
            if not str(row["level_2"]).startswith(CONTROL)
        ]
        chance = [_above_chance(row, said, row["estimate"], measure, "probe") for row in own.to_dict("records")]
        found += beside or chance
    return found


def stored_probe(result: PhoneProbe, *, network: str = "the network", column: str = "phone_class") -> list[OtherChoice]:
    """Return plain accuracy, which is in the same tables."""
    plain = probe_findings(result, measure=PLAIN, network=network, column=column)
    return [OtherChoice("measure", PLAIN, BALANCED, plain)]


def _beside(row: Mapping, said: str, networks: pd.DataFrame, *, better: int, effect: str, kind: str) -> ClaimFinding:
    """Return the network minus its untrained twins' mean, or minus the sound alone."""
    other = str(row["level_2"])
    twins = other == UNTRAINED
    count = row.get("null_recordings", MISSING) if twins else MISSING
    than = f"{count:.0f} untrained networks on average" if twins else "the sound alone"
    gained = row["diff"] * better > 0
    how = "better" if gained else "worse"
    than = f"than {'by' if kind == 'abx' else 'from'} {than}"
    untrained = networks.loc[~networks["trained"].astype(bool) & (networks["network_kind"] != ACOUSTICS), "estimate"]
    away = untrained - untrained.mean()
    # Ranks ask whether the network is better than random weights; that it is worse they do not test.
    checks = untrained_check(count) if twins else ()
    if twins and not gained:
        checks = ("that it is worse than untrained networks was tested over speakers, not over networks",)
    learned = twins and gained
    return ClaimFinding(
        key=f"{row['layer']}:{kind}:{other}",
        shown=f"{said} {how} {than}",
        not_shown=f"{_not_shown(said)} better {than}",
        not_learned=f"{said} {how} {than}, but not than from each of them" if learned and not checks else "",
        effect=f"{effect}, trained minus {'the mean of untrained networks' if twins else 'the sound alone'}",
        estimate=row["diff"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=(f"{kind}_comparisons", f"{kind}_by_layer"),
        null=f"{count:.0f} untrained networks, each minus their mean" if twins else "the sound alone",
        null_low=away.min() if twins and len(away) else MISSING,
        null_high=away.max() if twins and len(away) else MISSING,
        null_p_adjusted=row.get("null_p_adjusted", MISSING) if twins else MISSING,
        learned=learned,
        failed_checks=checks,
    )


def _read_column(column: str) -> str:
    """Return what a probe reads, as a noun."""
    own = {"label": "which phone it is", "phone_class": "the class of a phone"}
    return own.get(column, f"the {readable_name(column)} of a phone")


def _not_shown(said: str) -> str:
    for known, unknown in (("phones are told", "phones were not shown to be told"), ("reads", "was not shown to read")):
        said = said.replace(known, unknown)
    return said


def _above_chance(row: Mapping, said: str, estimate: float, effect: str, kind: str) -> ClaimFinding:
    return ClaimFinding(
        key=f"{row['layer']}:{kind}:chance",
        shown=f"{said} better than by chance",
        not_shown=f"{_not_shown(said)} better than by chance",
        effect=f"{effect} (chance {row['chance']:.2g})",
        estimate=estimate,
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=(kind, f"{kind}_by_layer"),
        null="chance",
        failed_checks=("there are no untrained networks: whether it was learned is not known",),
    )


def similarity_findings(result: LayerSimilarity) -> list[ClaimFinding]:
    """Return whether the layers that training changed most are more, or less, alike than in untrained twins.

    Pairs of the network's own layers in the order of how far they are from the twins, in standard errors.
    """
    table = result.comparisons
    if table.empty:
        return []
    own = table.loc[(table["layer_1"] != table["layer_2"]) & (table["recording_2"] != ACOUSTICS)]
    order = own["statistic"].abs().sort_values(ascending=False, kind="stable").index
    return [_alike(row) for row in own.loc[order].to_dict("records")]


def _alike(row: Mapping) -> ClaimFinding:
    pair = f"{row['layer_1']} and {row['layer_2']}"
    count = row["null_recordings"]
    # Ranks are two-sided, and adjusted over all pairs.
    least = 2 * row["tests"] / (count + 1)
    few = (
        f"{count:.0f} untrained networks are too few to show learning: over {row['tests']:.0f} tests the smallest "
        f"p-value they can give is {min(1.0, least):.2g}",
    )
    checks = few if least >= ALPHA else ()
    way = "more" if row["diff"] > 0 else "less"
    return ClaimFinding(
        key=f"{row['layer_1']}-{row['layer_2']}:similarity",
        shown=f"{pair} are {way} alike than in {count:.0f} untrained networks on average",
        not_shown=f"{pair} were not shown to be more or less alike than in untrained networks",
        not_learned=""
        if checks
        else f"{pair} are {way} alike than in untrained networks on average, but not than in each of them",
        effect=f"{readable_name(row['measure'])}, trained minus the mean of untrained networks",
        estimate=row["diff"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=("similarity_comparisons", "similarity_matrix"),
        null=f"{count:.0f} untrained networks",
        null_p_adjusted=row["null_p_adjusted"],
        learned=True,
        failed_checks=checks,
    )
