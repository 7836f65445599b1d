"""Claims that do not trust the model: permutation tests at each layer, with bootstrapped effects beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from layerstats.stats.claims.contrast_wording import claim_key, contrast_words, count_words, has_number
from layerstats.stats.claims.findings import ALPHA, ClaimFinding, adjusted_by
from layerstats.stats.claims.layer_claims import effect_failures, effect_numbers, no_difference
from layerstats.stats.resampling.permutation import PermutationResult

SOURCES = ("effect_sizes", "permutation")


def permutation_findings(
    result: PermutationResult,
    effects: pd.DataFrame | None = None,
    what: str = "",
    sources: Sequence[str] = SOURCES,
) -> list[ClaimFinding]:
    """Return what the joint test found at each layer when labels were exchanged.

    Parameters
    ----------
    result
        From `permutation_test`, with the test "joint".
    effects
        ``layer, level_1, level_2`` and effect sizes with intervals, from `bootstrap`; without them the statistic of the
        test is the estimate.
    what
        What stands before a level in a sentence, for instance "phones".
    sources
        Names of the tables and figures that show it.
    """
    rows = result.table.query("test == 'joint'")
    if effects is not None and len(effects):
        keys = ["layer", "level_1", "level_2"]
        names = [name for name in effects.columns if name.startswith("effect_") or name == "conf_level"]
        rows = rows.merge(effects.loc[:, [*keys, *names]], on=keys, how="left")
    return [_finding(row, what, sources) for row in rows.to_dict("records")]


def permutation_notes(
    result: PermutationResult,
    effects: pd.DataFrame | None = None,
    what: str = "",
    sources: Sequence[str] = SOURCES,
) -> list[str]:
    """Return what to know when reading the claims."""
    return list(result.notes)


def _finding(row: Mapping[Any, Any], what: str, sources: Sequence[str]) -> ClaimFinding:
    layer, pair = str(row["layer"]), (str(row["level_1"]), str(row["level_2"]))
    about = f"{what} {contrast_words(' - '.join(pair))}".strip()
    measured = has_number(row, "effect_size")
    numbers: dict[str, Any] = effect_numbers(row)
    numbers |= {} if measured else {"estimate": float(row["statistic"])}
    least = 1 / (int(row["replicates"]) + 1)
    count = f"{row['replicates']} permutations"
    return ClaimFinding(
        key=claim_key(layer, *pair),
        shown=f"{about[:1].upper()}{about[1:]} differ at {layer} by permutation, whatever the model",
        not_shown=no_difference(about, layer, row),
        effect="RMS difference in token SDs, by bootstrap" if measured else "largest difference in standard errors",
        **numbers,
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=f"{count_words(int(row['tests']), 'layer')}, {adjusted_by(row)} of {count}",
        failed_checks=((f"{count}: no p-value can be below {least:.2g}",) if least >= ALPHA else ())
        + effect_failures(row),
        sources=tuple(sources),
    )
