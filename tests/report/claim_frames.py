"""Claims as statistics give them, made by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.tables import glossary


@dataclass(frozen=True)
class ClaimFrames:
    table: pd.DataFrame
    sensitivity: pd.DataFrame
    notes: tuple[str, ...] = ()


CLAIM = {
    "claim": "[s] and [ʃ] differ at conv3, and the network learned it",
    "claim_key": "conv3:s-sh",
    "verdict": "holds",
    "effect": "RMS difference in token SDs",
    "estimate": 0.82,
    "conf_low": 0.61,
    "conf_high": 1.03,
    "conf_level": 0.95,
    "p_adjusted": 0.0004,
    "family": "5 layers, Holm",
    "null": "20 untrained networks",
    "null_low": 0.1,
    "null_high": 0.32,
    "null_p_adjusted": 0.048,
    "failed_checks": "",
    "sources": "table,figure",
}
OTHER_CHOICE = {
    "claim_key": "conv3:s-sh",
    "choice": "random structure",
    "option": "speakers and words",
    "reported": False,
    "estimate": 0.78,
    "conf_low": 0.55,
    "conf_high": 1.01,
    "conf_level": 0.95,
    "p_value": 0.001,
    "note": "",
}
CHOICES = (
    {"option": "speakers", "reported": True, "estimate": 0.82},
    {},
    {"choice": "series", "option": "word alone", "estimate": 0.4, "conf_low": 0.1, "conf_high": 0.7},
    {"choice": "engine", "option": "mgcv", "estimate": np.nan, "note": "R is not there."},
)


def claim_frames(*claims: dict, choices: tuple[dict, ...] = CHOICES, notes: tuple[str, ...] = ()) -> ClaimFrames:
    """Return claims that differ from `CLAIM` in what is given, and of each the same other choices."""
    table = pd.DataFrame([{**CLAIM, **claim} for claim in claims], columns=list(glossary().frames["claims"]))
    rows = [{**OTHER_CHOICE, **choice, "claim_key": key} for key in table["claim_key"] for choice in choices]
    return ClaimFrames(table, pd.DataFrame(rows, columns=list(glossary().frames["sensitivity"])), notes)
