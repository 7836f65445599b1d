"""What can be claimed of each kind of result: a file here and a line below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.stats.claims.claim_tables import Claims, make_claims, sensitivity_table
from layerstats.stats.claims.findings import LARGEST, ClaimFinding, OtherChoice, other_choices, told


@dataclass(frozen=True)
class ClaimKind:
    """How claims are read from one kind of result.

    Attributes
    ----------
    module
        The module beside this one.
    find
        Its function ``find(result, **options) -> list[ClaimFinding]``, those that a reader wants first in front.
    notes
        Its function ``notes(result, **options) -> list[str]``, with the same options; "" where there is none.
    choose
        Its function ``choose(findings, result) -> list[ClaimFinding]``: those that are claimed of those that were
        found; "" for all.
    stored
        Its function ``stored(result, **options) -> list[OtherChoice]`` of choices that are in the result's own tables;
        "" where there are none.
    most, rule
        How many are claimed, and which come first, in words.
    needed
        The numbers without which nothing is claimed.
    """

    module: str
    find: str
    notes: str = ""
    choose: str = ""
    stored: str = ""
    most: int = 12
    rule: str = LARGEST
    needed: tuple[str, ...] = ("estimate", "conf_low", "conf_high", "p_adjusted")

    def function(self, name: str) -> Callable[..., Any]:
        """Return one of its functions."""
        return getattr(import_module(f"layerstats.stats.claims.{self.module}"), name)


IN_ORDER, FURTHEST = "in the order of the table", "those furthest from untrained networks"
# By the class of the result; of tables that have no class of their own by a name.
KINDS: Mapping[str, ClaimKind] = {
    "LayerContrasts": ClaimKind("layer_claims", "layer_findings", "layer_notes", "choose_of_layers", most=24),
    "WordContrasts": ClaimKind("word_claims", "word_findings", "word_notes", "choose_of_words", most=24),
    "ContrastOfContrasts": ClaimKind("interaction_claims", "interaction_findings", "interaction_notes"),
    "NetworkComparison": ClaimKind("network_claims", "network_findings", "network_notes", "choose_of_networks"),
    "Dataset": ClaimKind("channel_claims", "channel_findings", needed=("estimate", "p_adjusted")),
    "PermutationResult": ClaimKind(
        "permutation_claims", "permutation_findings", "permutation_notes", most=24, needed=("estimate", "p_adjusted")
    ),
    "AbxResult": ClaimKind(
        "representation_claims", "abx_findings", stored="stored_abx", most=2, rule="at the layer of the smallest error"
    ),
    "CodeMovement": ClaimKind("movement_claims", "code_findings", most=3, rule="in the order of the tables"),
    "CueTests": ClaimKind("movement_claims", "cue_findings", most=3, rule="the smallest p-values"),
    "Heard": ClaimKind("lexical_claims", "heard_findings", most=2, rule="the first value of codes and judges"),
    "IdentificationRates": ClaimKind("listener_claims", "identification_findings", most=4, rule=IN_ORDER),
    "Ladder": ClaimKind("ladder_claims", "ladder_findings", stored="stored_ladder", most=3, rule=IN_ORDER),
    "LayerSimilarity": ClaimKind("representation_claims", "similarity_findings", most=1, rule=FURTHEST),
    "LexicalLearning": ClaimKind("lexical_claims", "lexical_findings", stored="stored_lexical"),
    "PathComparison": ClaimKind("movement_claims", "path_findings", most=3, rule=IN_ORDER),
    "PhoneProbe": ClaimKind(
        "representation_claims", "probe_findings", stored="stored_probe", most=2, rule="at the layer of most accuracy"
    ),
    "PhoneShares": ClaimKind("share_claims", "share_findings", most=2, rule=FURTHEST),
    "PreferenceShares": ClaimKind("listener_claims", "preference_findings", most=4, rule=IN_ORDER),
    "RatingComparison": ClaimKind(
        "listener_claims", "rating_findings", choose="choose_ratings", stored="stored_ratings", most=6, rule=IN_ORDER
    ),
    "SpeechAndNetwork": ClaimKind("letter_claims", "letter_findings", most=4, rule="the letters of most windows"),
    "Success": ClaimKind("success_claims", "success_findings", stored="stored_success", most=4, rule=IN_ORDER),
    "Trust": ClaimKind("trust_claims", "trust_findings", stored="stored_trust", most=6, rule=IN_ORDER),
    "VarianceShares": ClaimKind("variance_claims", "variance_findings", most=2, rule="the largest share of a set-up"),
    "features": ClaimKind("lexical_claims", "feature_findings", most=3, rule="the smallest p-values"),
    "judges": ClaimKind("listener_claims", "judge_findings", stored="stored_judges", most=3, rule="those most alike"),
    "set_ups": ClaimKind("success_claims", "set_up_findings", stored="stored_set_ups", most=3, rule=IN_ORDER),
    "stage_agreement": ClaimKind("stage_claims", "agreement_findings", most=6, rule=IN_ORDER),
    "stage_effects": ClaimKind("stage_claims", "effect_findings", stored="stored_effects", most=6, rule=IN_ORDER),
}


def claims_of(
    result: object,
    *,
    kind: str = "",
    others: Iterable[OtherChoice] = (),
    sensitivity: pd.DataFrame | None = None,
    notes: Sequence[str] = (),
    **options: Any,
) -> Claims:
    """Return what can be claimed of a result, in sentences, with the numbers of its own tables.

    Nothing is tested anew: families and their adjustment are those of the result, and claims of which a table has many
    are chosen by a rule that the notes say.

    Parameters
    ----------
    result
        Of one of the kinds in `KINDS`: what `phone_contrast`, `layer_contrasts` and others return.
    kind
        Of a table that is no result of a class: "set_ups" of `compare_set_ups`, "judges" of `judge_agreement`, ...
    others
        The same analysis after other choices, where these were made anyway: results of the same kind.
    sensitivity
        From `sensitivity_of`, or of any analysis that has the same keys; beside the `others`.
    notes
        Sentences to add to those of the result.
    options
        Of the kind, for instance ``sources``, the names of the tables and figures that show it.

    Raises
    ------
    ArgumentError
        No claims are read from such a result.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> from layerstats.stats import phone_contrast
    >>> result = phone_contrast(open_store("results/demo/store.zarr"), "s:sh", layers=["conv3"])
    >>> claims_of(result).table["claim"].item()
    '[s] and [sh] differ at conv3, but 2 untrained networks are too few to show that it was learned'
    """
    known = _kind(kind or type(result).__name__)
    find = known.function(known.find)
    every = find(result, **options)
    chosen = known.function(known.choose)(every, result) if known.choose else every
    findings, left_out = told(chosen, known.most, known.rule, known.needed)

    def find_other(other: object) -> list[ClaimFinding]:
        # Of a result of which a choice left something else, no finding has its key.
        return find(other, **options)

    stored = known.function(known.stored)(result, **options) if known.stored else []
    rows = other_choices(findings, [*stored, *others], find_other)
    own = known.function(known.notes)(result, **options) if known.notes else []
    tables = [table for table in (sensitivity_table(rows), sensitivity) if table is not None and len(table)]
    whole = pd.concat(tables, ignore_index=True) if tables else sensitivity_table()
    return make_claims(findings, whole, [*own, *left_out, *notes])


def _kind(name: str) -> ClaimKind:
    if name not in KINDS:
        raise ArgumentError(
            f"No claims are read from a {name}. They are from {', '.join(sorted(KINDS))}; for another kind of result "
            "add a file to layerstats/stats/claims/ and a line to its registry."
        )
    return KINDS[name]
