"""The claims of an analysis as tables: what a page opens with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.claims.findings import ClaimFinding
from layerstats.tables import PrintedResult, check_frame, glossary


@dataclass(frozen=True, eq=False, repr=False)
class Claims(PrintedResult):
    """What is claimed of a result, a row a claim, and the same claims under other defensible choices.

    Attributes
    ----------
    table
        ``claim`` (a sentence), ``claim_key``, ``verdict``, ``effect`` (what is measured), ``estimate, conf_low,
        conf_high, conf_level, p_adjusted, family``, ``null`` (what it is held against), ``null_low, null_high,
        null_p_adjusted``, ``failed_checks`` and ``sources`` (the tables and figures that show it). The verdict is
        "holds" where the adjusted p-value is below .05, that of the null too where the claim is that something was
        learned, and no check failed; "fails a check" where one did; else "not shown", which is no evidence that there
        is nothing.
    sensitivity
        ``claim_key, choice, option, reported, estimate, conf_low, conf_high, conf_level, p_value, note``; p-values are
        of the one test, unadjusted. No rows where nothing was refitted.
    notes
        What holds for all claims, in sentences.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    sensitivity: pd.DataFrame
    notes: tuple[str, ...] = ()


def make_claims(
    findings: Sequence[ClaimFinding],
    sensitivity: pd.DataFrame | Iterable[Mapping[str, Any]] = (),
    notes: Iterable[str] = (),
) -> Claims:
    """Return findings as claims, in their order.

    Parameters
    ----------
    findings
        What is claimed; each has a key of its own.
    sensitivity
        Rows of sensitivity, see `sensitivity_table`. Those of other keys than the findings' are left out.
    notes
        What holds for all claims; empty ones are left out.

    Raises
    ------
    DataError
        Two findings have one key.

    Examples
    --------
    >>> numbers = {"estimate": 0.8, "conf_low": 0.6, "conf_high": 1.0, "conf_level": 0.95, "p_value": 1e-4}
    >>> found = ClaimFinding(
    ...     key="conv3:s-sh", shown="[s] and [sh] differ at conv3", not_shown="no difference was shown at conv3",
    ...     effect="RMS difference in SDs of tokens", p_adjusted=5e-4, family="5 layers, Holm", sources=(), **numbers,
    ... )
    >>> make_claims([found]).table[["claim", "verdict"]].values.tolist()
    [['[s] and [sh] differ at conv3', 'holds']]
    """
    keys = [one.key for one in findings]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise DataError(f"Two claims have the key {twice[0]!r}. Give each claim a key of its own.")
    columns = list(glossary().frames["claims"])
    table = pd.DataFrame([one.row() for one in findings], columns=columns)
    told = sensitivity_table(sensitivity)
    return Claims(
        check_frame(_typed(table), "claims"),
        told.loc[told["claim_key"].isin(keys)].reset_index(drop=True),
        tuple(dict.fromkeys(filter(None, notes))),
    )


def sensitivity_table(rows: pd.DataFrame | Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Return rows of sensitivity as a checked table: a row a claim and choice, see `Claims.sensitivity`."""
    columns = list(glossary().frames["sensitivity"])
    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows), columns=columns)
    return check_frame(_typed(table.loc[:, columns]).astype({"reported": bool}), "sensitivity")


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns have their type although it has no rows, or nothing but missing numbers."""
    known = glossary().columns
    return table.astype({name: float for name in table.columns if known[str(name)].numeric})
