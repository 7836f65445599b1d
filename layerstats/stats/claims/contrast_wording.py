"""Contrasts in the words of a sentence, and the checks that claims about them can fail."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd

from layerstats.stats.claims.findings import ALPHA
from layerstats.stats.contrasts.contrast import PHONE, Contrast
from layerstats.stats.contrasts.model_checks import PASSED
from layerstats.stats.units import TOO_FEW

EFFECT = "RMS difference in token SDs"
# Share of its largest effective degrees of freedom from which a smooth is saturated.
_SATURATED = 0.9
_APPROXIMATE = (
    "Where residuals of a model fail checks, its p-values and intervals are approximate. Permuting whole speakers does "
    "not rely on the model (`layerstats resampling`)."
)


def claim_key(layer: object, level_1: object, level_2: object) -> str:
    """Return the key of a contrast between two levels at a layer.

    Examples
    --------
    >>> claim_key("conv3", "s", "sh")
    'conv3:s-sh'
    """
    return f"{layer}:{level_1}-{level_2}"


def level_words(contrast: Contrast, name: str) -> str:
    """Return one level as a phonetician writes it: phones in brackets, words in quotation marks.

    Examples
    --------
    >>> level_words(Contrast.read("p,t,k:b,d,g"), "p,t,k"), level_words(Contrast.read("word=ask:wash"), "ask")
    ('[p, t, k]', '“ask”')
    """
    members = next((level.members for level in contrast.levels if level.name == name), (name,))
    given = ", ".join(members) if name == ",".join(members) else name
    if contrast.column == PHONE and name == ",".join(members):
        return f"[{given}]"
    return f"“{given}”" if contrast.column == "word" else given


def pair_words(contrast: Contrast, level_1: str, level_2: str) -> str:
    """Return two levels in the words of a sentence.

    Examples
    --------
    >>> pair_words(Contrast.read("s:sh"), "s", "sh"), pair_words(Contrast.read("sex=F:M"), "F", "M")
    ('[s] and [sh]', 'F and M (sex)')
    """
    both = f"{level_words(contrast, level_1)} and {level_words(contrast, level_2)}"
    return both if contrast.column in (PHONE, "word") else f"{both} ({contrast.column.replace('_', ' ')})"


def interval_words(row: Any, unit: str = "token SDs") -> str:
    """Return an effect with its interval, for a sentence that says that nothing was shown.

    Examples
    --------
    >>> interval_words({"effect_size": 0.031, "effect_conf_low": 0.0, "effect_conf_high": 0.078, "conf_level": 0.95})
    'RMS 0.03 token SDs, 95 % interval 0.00 to 0.08'
    """
    ends = f"{row['effect_conf_low']:.2f} to {row['effect_conf_high']:.2f}"
    return f"RMS {row['effect_size']:.2f} {unit}, {100 * row['conf_level']:.3g} % interval {ends}"


def model_failures(row: Any, bases: pd.DataFrame) -> list[str]:
    """Return in sentences what the model behind a row of tests fails.

    Parameters
    ----------
    row
        Of a table of contrasts: ``layer, model_checks, note``.
    bases
        The k-index of the smooths of all layers. A basis fails where neighbours' residuals are alike (p below .05) and
        the smooth has used up nine tenths of its degrees of freedom, as mgcv's k.check is read.
    """
    failed = []
    checks = str(row["model_checks"])
    if checks not in (PASSED, ""):
        failed.append(f"residuals of the model fail checks of {joined(checks.removeprefix('fails ').split(', '))}")
    own = bases.loc[bases["layer"] == row["layer"]]
    small = own.loc[(own["p_value"] < ALPHA) & (own["k_index"] < 1) & (own["edf"] > _SATURATED * own["k"])]
    if len(small):
        failed.append(f"the basis is too small for {len(small)} of {count_words(len(own), 'smooth')}")
    failed += [part.partition(": see")[0] for part in str(row["note"]).split("; ") if TOO_FEW in part]
    return failed


def model_notes(table: pd.DataFrame) -> list[str]:
    """Return what to do where residuals fail checks: a sentence, and none where all models pass.

    Examples
    --------
    >>> model_notes(pd.DataFrame({"model_checks": ["passed", "fails normality"]}))
    ['Where residuals of a model fail checks, its p-values and intervals are approximate. Permuting whole speakers ...']
    >>> model_notes(pd.DataFrame({"model_checks": ["passed", ""]}))
    []
    """
    return [_APPROXIMATE] if set(table["model_checks"]) - {PASSED, ""} else []


def untested_notes(table: pd.DataFrame, column: str = "effect_size") -> list[str]:
    """Return a sentence for each layer that has no numbers, from its note."""
    without = table.loc[table[column].isna()].drop_duplicates("layer")
    return [f"{row['layer']}: {row['note']}." for row in without.to_dict("records") if row["note"]]


def rank_words(row: Any) -> str:
    """Say how a network that differs stands among untrained ones where its rank does not show that it learned to.

    Parameters
    ----------
    row
        ``null_p_value, null_recordings``.

    Examples
    --------
    >>> rank_words({"null_p_value": 8 / 21, "null_recordings": 20})
    'but at least as much in 7 of 20 untrained networks, so it may not have been learned'
    >>> rank_words({"null_p_value": 1 / 6, "null_recordings": 5})
    'but 5 untrained networks are too few to show that it was learned'
    >>> rank_words({"null_p_value": 1, "null_recordings": 20})
    'but at least as much in all 20 untrained networks, so it may not have been learned'
    """
    count = round(row["null_recordings"])
    as_much = round(row["null_p_value"] * (count + 1)) - 1
    networks = f"{count} untrained network{'s' if count > 1 else ''}"
    if 1 / (count + 1) >= ALPHA:
        return f"but {networks} {'are' if count > 1 else 'is'} too few to show that it was learned"
    if as_much == 0:
        return f"but not clearly more than in {networks} once all layers are counted, so it may not have been learned"
    those = f"all {networks}" if as_much == count > 1 else f"{as_much} of {networks}"
    return f"but at least as much in {those}, so it may not have been learned"


def contrast_words(name: str) -> str:
    """Return the name of a contrast in the words of a sentence, where no more than its name is known.

    Examples
    --------
    >>> contrast_words("s - sh"), contrast_words("8 words")
    ('“s” and “sh”', 'the 8 words')
    """
    one, between, other = str(name).partition(" - ")
    return f"“{one}” and “{other}”" if between else f"the {name}"


def joined(names: Sequence[str]) -> str:
    """Return names as a sentence lists them.

    Examples
    --------
    >>> joined(["normality"]), joined(["normality", "equal variance", "outliers"])
    ('normality', 'normality, equal variance and outliers')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def has_number(row: Any, column: str) -> bool:
    """Return whether a row of a table has a number in a column, which may not be there."""
    return column in row and not math.isnan(float(row[column]))


def count_words(count: int, one: str, several: str | None = None) -> str:
    """Return a number of things.

    Examples
    --------
    >>> count_words(1, "layer"), count_words(3, "layer")
    ('1 layer', '3 layers')
    """
    return f"{count} {one if count == 1 else several or f'{one}s'}"


def most_different(name: str, differing: Collection[str], compared: int, what: str) -> str:
    """Return the subject and verb of a sentence about several levels of which some differ.

    Examples
    --------
    >>> most_different("“wash”", ["wash"], 7, "words")
    'Of 7 other words only “wash” is shown to differ'
    >>> most_different("“wash”", list("abcdefg"), 7, "words")
    'All 7 other words, most of all “wash”, differ'
    """
    if len(differing) == 1:
        return f"Of {compared} other {what} only {name} is shown to differ"
    share = f"All {compared}" if len(differing) == compared else f"{len(differing)} of {compared}"
    return f"{share} other {what}, most of all {name}, differ"
