"""Adjust p-values over a family of tests that has a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from layerstats.checks import check_choice, check_columns
from layerstats.errors import ArgumentError, DataError

AdjustMethod = Literal["holm", "fdr_bh", "bonferroni", "none"]
METHODS = ("holm", "fdr_bh", "bonferroni", "none")


def adjust_p_values(
    frame: pd.DataFrame,
    family: str | Sequence[str] | pd.Series,
    *,
    method: AdjustMethod = "holm",
    column: str = "p_value",
    adjusted: str = "p_adjusted",
) -> pd.DataFrame:
    """Add adjusted p-values, the method and the family they were adjusted over.

    Parameters
    ----------
    frame
        One row a test.
    family
        Name of the family, or for each row the name of its family; each family is adjusted by itself.
    method
        "holm" (family-wise error, the default), "bonferroni", "fdr_bh" (false discovery rate of Benjamini & Hochberg),
        or "none".
    column, adjusted
        The column to read and the column to add. Missing p-values stay missing and are no part of the family.

    Returns
    -------
    pandas.DataFrame
        A copy with ``p_adjusted, adjust_method, family, tests`` (the size of the family).

    Raises
    ------
    DataError
        `column` holds something else than probabilities, or a row has no family.

    Examples
    --------
    >>> frame = pd.DataFrame({"layer": ["conv1", "conv2"], "p_value": [0.01, 0.04]})
    >>> adjust_p_values(frame, "shape over layers")["p_adjusted"].tolist()
    [0.02, 0.04]
    """
    check_choice("method", method, METHODS)
    check_columns(frame, [column])
    p = frame[column].to_numpy(dtype=float, na_value=np.nan)
    if ((p < 0) | (p > 1)).any():
        raise DataError(f"Column {column!r} must hold probabilities, but {p[(p < 0) | (p > 1)][0]!r} is none.")
    families = _families(family, frame)
    result = np.full(len(frame), np.nan)
    tests = np.zeros(len(frame), dtype=int)
    for name in pd.unique(pd.Series(families)):
        in_family = families == name
        tested = in_family & ~np.isnan(p)
        tests[in_family] = tested.sum()
        if tested.any():
            result[tested] = _ADJUST[method](p[tested])
    return frame.assign(
        **{adjusted: result, "adjust_method": method, "family": [str(name) for name in families], "tests": tests}
    )


def _holm(p: np.ndarray) -> np.ndarray:
    """Return p-values adjusted by Holm (1979); statsmodels collects the garbage of the whole process each time."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(adjusted, 1)


_ADJUST: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "holm": _holm,
    "fdr_bh": false_discovery_control,
    "bonferroni": lambda p: np.minimum(p * len(p), 1),
    "none": lambda p: p,
}


def _families(family: str | Sequence[str] | pd.Series, frame: pd.DataFrame) -> np.ndarray:
    """Return the family of each row, (row,)."""
    if isinstance(family, str):
        return np.repeat(family, len(frame))
    families = np.asarray(family, dtype=object)
    if families.shape != (len(frame),):
        raise ArgumentError(f"'family' must have one name a row ({len(frame)}), but has shape {families.shape}.")
    without = np.array([pd.isna(name) or str(name).strip() == "" for name in families], dtype=bool)
    if without.any():
        rows = ", ".join(map(str, frame.index[without][:10])) + (", ..." if without.sum() > 10 else "")
        raise DataError(
            f"{int(without.sum())} of {len(frame)} tests belong to no family (rows {rows}). Name the family of each, "
            "or drop these rows."
        )
    return families
