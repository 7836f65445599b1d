"""Claims of contrasts of contrasts: is a difference larger or another one on one side?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layerstats.stats.claims.contrast_wording import (
    contrast_words,
    count_words,
    has_number,
    interval_words,
    model_failures,
    model_notes,
    untested_notes,
)
from layerstats.stats.claims.findings import ClaimFinding, adjusted_by, untrained_check
from layerstats.stats.claims.layer_claims import effect_failures, effect_numbers, joint_test
from layerstats.stats.contrasts.interactions import ContrastOfContrasts

EFFECT = "RMS difference of differences in token SDs"
SAID = {"trained": "the trained network", "untrained": "untrained ones"}


def interaction_findings(result: ContrastOfContrasts, sources: Sequence[str] = ("column",)) -> list[ClaimFinding]:
    """Return whether the contrast differs between the two sides, at each layer.

    Parameters
    ----------
    result
        From `contrast_of_contrasts`.
    sources
        Names of the tables and figures that show it.
    """
    return [_finding(result, row, sources) for row in result.tests.to_dict("records")]


def interaction_notes(result: ContrastOfContrasts, sources: Sequence[str] = ("column",)) -> list[str]:
    """Return what the comparison means, and which layers have none."""
    return [*result.notes, *untested_notes(result.tests), *model_notes(result.tests)]


def _finding(result: ContrastOfContrasts, row: Mapping[Any, Any], sources: Sequence[str]) -> ClaimFinding:
    layer, sides = str(row["layer"]), (str(row["level_1"]), str(row["level_2"]))
    # Between two layers the row is of both.
    where = "" if layer == " - ".join(sides) else f" at {layer}"
    contrast = f"The difference between {contrast_words(row['contrast'])}"
    own, other = (SAID.get(side, side) for side in sides)
    shown = f"{contrast} is not the same in {own} as in {other}{where}"
    numbers = f" ({interval_words(row)})" if has_number(row, "effect_conf_low") else ""
    ranked = has_number(row, "null_p_value")
    checks = untrained_check(row["null_recordings"]) if ranked else ()
    untrained = count_words(round(row["null_recordings"]), "untrained network") if ranked else ""
    among = f"the trained network does not stand out among {untrained}"
    among = f"{untrained} are too few to show that training did it" if checks else among
    return ClaimFinding(
        key=f"{layer}:{row['contrast'].replace(' - ', '-')}:{sides[0]}-{sides[1]}",
        shown=shown,
        not_shown=f"{contrast} was not shown to be another in {own} than in {other}{where}{numbers}",
        not_learned=f"{shown}, but {among}" if ranked else "",
        effect=EFFECT,
        **effect_numbers(row),
        **joint_test(row, f"{count_words(int(row['tests']), 'layer')}, {adjusted_by(row)}"),
        null=f"{untrained}: distances from the mean of all networks" if ranked else "",
        null_low=row["null_effect_low"] if ranked else float("nan"),
        null_high=row["null_effect_high"] if ranked else float("nan"),
        null_p_adjusted=row["null_p_adjusted"] if ranked else float("nan"),
        learned=ranked,
        failed_checks=(*model_failures(row, result.checks), *effect_failures(row), *checks),
        sources=tuple(sources),
    )
