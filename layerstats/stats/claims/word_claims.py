"""Claims of words at each layer: which are told apart there?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layerstats.stats.claims.contrast_wording import EFFECT, claim_key, count_words, model_failures, model_notes
from layerstats.stats.claims.findings import ClaimFinding, adjusted_by
from layerstats.stats.claims.layer_claims import (
    MOST,
    effect_failures,
    effect_numbers,
    joint_test,
    no_difference,
    one_a_layer,
)
from layerstats.stats.contrasts.words import WordContrasts

SOURCES = ("effect_sizes", "tests")


def word_findings(result: WordContrasts, sources: Sequence[str] = SOURCES) -> list[ClaimFinding]:
    """Return what the joint test found of each word against the reference, at each layer.

    Other pairs of words have effects and curves, but no test in a family; nothing is claimed of them.

    Parameters
    ----------
    result
        From `word_contrasts`.
    sources
        Names of the tables and figures that show it.
    """
    keys = ["layer", "level_1", "level_2"]
    effects = result.effects.drop(columns="model_checks")
    rows = result.tests.merge(effects, on=keys, how="left").to_dict("records")
    return [_finding(result, row, sources) for row in rows]


def choose_of_words(findings: Sequence[ClaimFinding], result: WordContrasts) -> list[ClaimFinding]:
    """Return one finding a layer, of the word that differs most from the reference, with how many do."""
    reference = str(result.tests["level_2"].iloc[0])
    return one_a_layer(findings, lambda name: f"“{name}”", "words", reference, f"“{reference}”")


def word_notes(result: WordContrasts, sources: Sequence[str] = SOURCES) -> list[str]:
    """Return what holds for the claims of all layers."""
    untested = result.tests.loc[result.tests["joint_p_value"].isna()].drop_duplicates("layer")
    notes = [f"{row['layer']}: {row['note']}." for row in untested.to_dict("records")]
    if len(set(result.tests["level_1"])) > 1:
        notes.append(MOST)
    return [
        *notes,
        *model_notes(result.tests),
        "Words are not compared with untrained networks here: that they differ does not show that the network learned "
        "to tell them apart.",
    ]


def _finding(result: WordContrasts, row: Mapping[Any, Any], sources: Sequence[str]) -> ClaimFinding:
    layer, about = str(row["layer"]), f"“{row['level_1']}” and “{row['level_2']}”"
    several = len(set(result.tests["level_1"])) > 1
    tests = count_words(int(row["tests"]), "test of words and layers" if several else "layer",
                        "tests of words and layers" if several else None)  # fmt: skip
    return ClaimFinding(
        key=claim_key(layer, row["level_1"], row["level_2"]),
        shown=f"{about} differ at {layer}",
        not_shown=no_difference(about, layer, row),
        effect=EFFECT,
        **effect_numbers(row),
        **joint_test(row, f"{tests}, {adjusted_by(row)}"),
        failed_checks=(*model_failures(row, result.checks), *effect_failures(row)),
        sources=tuple(sources),
    )
