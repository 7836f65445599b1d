"""What can be claimed of each kind of result: a file here and a line below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.stats.claims.claim_tables import Claims, make_claims, sensitivity_table
from layerstats.stats.claims.findings import ClaimFinding, OtherChoice, other_choices, told


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
    most, rule
        How many are claimed, and which come first, in words.
    needed
        The numbers without which nothing is claimed.
    """

    module: str
    find: str
    notes: str = ""
    choose: str = ""
    most: int = 12
    rule: str = "those with the largest effects"
    needed: tuple[str, ...] = ("estimate", "conf_low", "conf_high", "p_adjusted")

    def function(self, name: str) -> Callable[..., Any]:
        """Return one of its functions."""
        return getattr(import_module(f"layerstats.stats.claims.{self.module}"), name)


# By the class of the result.
KINDS: Mapping[str, ClaimKind] = {
    "LayerContrasts": ClaimKind("layer_claims", "layer_findings", "layer_notes", "choose_of_layers", most=24),
}


def claims_of(
    result: object,
    *,
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
    >>> result = phone_contrast(open_store("results/demo/store.zarr"), "s:sh")  # doctest: +SKIP
    >>> claims_of(result).table[["claim", "verdict"]]  # doctest: +SKIP
    """
    kind = _kind(result)
    find = kind.function(kind.find)
    every = find(result, **options)
    chosen = kind.function(kind.choose)(every, result) if kind.choose else every
    findings, left_out = told(chosen, kind.most, kind.rule, kind.needed)

    def find_other(other: object) -> list[ClaimFinding]:
        # Of a result of which a choice left something else, no finding has its key.
        return find(other, **options)

    rows = other_choices(findings, others, find_other)
    own = kind.function(kind.notes)(result, **options) if kind.notes else []
    tables = [table for table in (sensitivity_table(rows), sensitivity) if table is not None and len(table)]
    whole = pd.concat(tables, ignore_index=True) if tables else sensitivity_table()
    return make_claims(findings, whole, [*own, *left_out, *notes])


def _kind(result: object) -> ClaimKind:
    name = type(result).__name__
    if name not in KINDS:
        raise ArgumentError(
            f"No claims are read from a {name}. They are from {', '.join(sorted(KINDS))}; for another kind of result "
            "add a file to layerstats/stats/claims/ and a line to its registry."
        )
    return KINDS[name]
