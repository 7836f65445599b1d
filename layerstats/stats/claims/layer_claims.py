"""Claims of a contrast at each layer: do the levels differ there, and did the network learn it?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from layerstats.stats.claims.contrast_wording import (
    EFFECT,
    claim_key,
    count_words,
    has_number,
    interval_words,
    level_words,
    model_failures,
    model_notes,
    most_different,
    pair_words,
    rank_words,
    untested_notes,
)
from layerstats.stats.claims.findings import ClaimFinding, adjusted_by, effect_check, untrained_check
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.layers import LayerContrasts

SOURCES = ("effect_sizes", "contrast")


def layer_findings(result: LayerContrasts, sources: Sequence[str] = SOURCES) -> list[ClaimFinding]:
    """Return what the joint test found at each layer, and where the network ranks among untrained ones.

    Parameters
    ----------
    result
        From `phone_contrast` or `layer_contrasts`; with more than two levels each is compared with the last.
    sources
        Names of the tables and figures that show it.
    """
    return [_finding(result, row, sources) for row in result.table.to_dict("records")]


def choose_of_layers(findings: Sequence[ClaimFinding], result: LayerContrasts) -> list[ClaimFinding]:
    """Return one finding a layer: of several levels that which differs most, with how many do."""
    contrast = result.contrast
    if len(contrast.levels) == 2:
        return [one for one in findings if one.p_adjusted == one.p_adjusted]  # NaN where a layer was not tested
    what, reference = f"levels of {contrast.column.replace('_', ' ')}", level_words(contrast, contrast.level_2)
    return one_a_layer(findings, lambda name: level_words(contrast, name), what, contrast.level_2, reference)


def layer_notes(result: LayerContrasts, sources: Sequence[str] = SOURCES) -> list[str]:
    """Return what holds for the claims of all layers."""
    notes = [*untested_notes(result.table), *model_notes(result.table)]
    if len(result.contrast.levels) > 2:
        notes.append(MOST)
    if "null_p_value" not in result.table:
        notes.append("There are no untrained networks to say whether the network learned it.")
    else:
        lacking = result.table.loc[result.table["null_p_value"].isna() & result.table["effect_size"].notna()]
        notes += [f"{row['layer']}: {row['note']}." for row in lacking.drop_duplicates("layer").to_dict("records")]
    return notes


MOST = (
    "One claim a layer: of what differs most there. Its adjusted p-value allows for this choice, its interval does not."
)


def one_a_layer(
    findings: Iterable[ClaimFinding], words: Callable[[str], str], what: str, level_2: str, reference: str
) -> list[ClaimFinding]:
    """Return of several levels at a layer the one that differs most, among those that do, with how many do.

    Parameters
    ----------
    findings
        Of each level against the same other, whose keys are ``layer:level_1-level_2``.
    words
        Makes the words of a level of its name.
    what
        What the levels are, in the plural.
    level_2, reference
        What they are compared with, and its words.
    """
    layers: dict[str, list[ClaimFinding]] = {}
    for one in findings:
        if one.p_adjusted == one.p_adjusted:  # NaN where the layer was not tested
            layers.setdefault(one.key.partition(":")[0], []).append(one)
    chosen = []
    for layer, own in layers.items():
        differing = [one for one in own if one.significant]
        most = max(differing or own, key=lambda one: one.estimate)
        if len(own) > 1:
            name = words(most.key.removeprefix(f"{layer}:").removesuffix(f"-{level_2}"))
            subject = most_different(name, [one.key for one in differing], len(own), what)
            shown = f"{subject} from {reference} at {layer}"
            least = most.not_shown.rpartition("(")[2]
            none = f"None of {len(own)} other {what} was shown to differ from {reference} at {layer}"
            most = replace(most, shown=shown, not_shown=f"{none} (most: {name}, {least}")
        chosen.append(most)
    return chosen


def _finding(result: LayerContrasts, row: Mapping[Any, Any], sources: Sequence[str]) -> ClaimFinding:
    layer, pair = str(row["layer"]), (str(row["level_1"]), str(row["level_2"]))
    about = pair_words(result.contrast, *pair)
    null = _null(result, row)
    learned = bool(null) and not null["failed_checks"]
    shown = f"{about} differ at {layer}"
    return ClaimFinding(
        key=claim_key(layer, *pair),
        shown=f"{shown}, and the network learned it" if learned else shown,
        not_shown=no_difference(about, layer, row),
        not_learned=f"{shown}, {rank_words(row)}" if null else "",
        effect=EFFECT,
        **effect_numbers(row),
        **joint_test(row, _family(result.contrast, row)),
        null=null.get("null", ""),
        null_low=row["null_effect_low"] if null else float("nan"),
        null_high=row["null_effect_high"] if null else float("nan"),
        null_p_adjusted=row["null_p_adjusted"] if null else float("nan"),
        learned=bool(null),
        failed_checks=(*model_failures(row, result.checks), *effect_failures(row), *null.get("failed_checks", ())),
        sources=tuple(sources),
    )


def no_difference(about: str, layer: str, row: Mapping[Any, Any]) -> str:
    """Return the sentence of a contrast that was not shown."""
    numbers = f" ({interval_words(row)})" if has_number(row, "effect_conf_low") else ""
    return f"No difference between {about} was shown at {layer}{numbers}"


def effect_numbers(row: Mapping[Any, Any]) -> dict[str, float]:
    """Return the effect of a row and its interval, as a finding has them."""
    names = {"estimate": "effect_size", "conf_low": "effect_conf_low", "conf_high": "effect_conf_high"}
    return {
        name: float(row.get(column, float("nan"))) for name, column in (names | {"conf_level": "conf_level"}).items()
    }


def effect_failures(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """Return the failed check of a row whose interval holds no effect although the joint test found one."""
    numbers = effect_numbers(row)
    p_adjusted = float(row.get("joint_p_adjusted", row.get("p_adjusted", float("nan"))))
    return effect_check(p_adjusted, numbers["conf_low"], numbers["conf_high"])


def joint_test(row: Mapping[Any, Any], family: str) -> dict[str, Any]:
    """Return the joint test of level and shape of a row, as a finding has it."""
    p_value, p_adjusted = (float(row.get(f"joint_{name}", float("nan"))) for name in ("p_value", "p_adjusted"))
    return {"p_value": p_value, "p_adjusted": p_adjusted, "family": family}


def _family(contrast: Contrast, row: Mapping[Any, Any]) -> str:
    over = "layer" if len(contrast.levels) == 2 else "test of levels and layers"
    several = None if over == "layer" else "tests of levels and layers"
    return f"{count_words(int(row['tests']), over, several)}, {adjusted_by(row)}"


def _null(result: LayerContrasts, row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the untrained networks in words and whether they are too few; nothing where there are none."""
    if not has_number(row, "null_p_value"):
        return {}
    networks = result.networks
    own = networks.loc[networks["trained"].astype(bool) & (networks["layer"] == row["layer"]), "effect_size"]
    others = count_words(round(row["null_recordings"]), "untrained network")
    by_means = f"effects by plain means in {others}; this network has {float(own.iloc[0]):.2f}"
    return {"null": by_means, "failed_checks": untrained_check(row["null_recordings"])}
