"""Smooths that share smoothing parameters (``id``): they have the basis of the first, built from the values of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from layerstats.stats.gamm.formula.expression import Name
from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.structured.smooths.options import is_factor, smoothing_id
from layerstats.stats.gamm.structured.unique_rows import UniqueRows
from layerstats.stats.gamm.structured.unsupported import Unsupported

# Below this share of different values among all, mgcv takes each value once, however many rows have it.
_MOST_DIFFERENT = 0.9


def sharing(smooth: SmoothTerm, smooths: Sequence[SmoothTerm]) -> list[SmoothTerm]:
    """Return the smooths with the ``id`` of `smooth`, itself among them; none where it has no ``id``."""
    shared = smoothing_id(smooth)
    return [] if shared is None else [other for other in smooths if smoothing_id(other) == shared]


def like_first(smooth: SmoothTerm, others: Sequence[SmoothTerm], frame: pd.DataFrame) -> tuple[SmoothTerm, UniqueRows]:
    """Return `smooth` with the basis of the first of `others`, and the rows to build it from.

    Raises
    ------
    Unsupported
        They are not smooths of one covariate, or a numeric ``by`` is among them.
    """
    for other in others:
        numeric_by = other.by is not None and not is_factor(frame, other.by)
        if other.function != "s" or len(other.variables) != 1 or not isinstance(other.variables[0], Name) or numeric_by:
            raise Unsupported(f"one id for several smooths that are not all of one covariate ({smooth})")
    values = np.concatenate([frame[str(other.variables[0])].to_numpy(dtype=float) for other in others])
    different, counts = np.unique(values, return_counts=True)
    if len(different) < _MOST_DIFFERENT * len(values):
        counts = np.ones(len(different))
    # The factor of a `by` is there for its levels only.
    rows = frame.iloc[np.zeros(len(different), dtype=np.int64)].assign(**{str(smooth.variables[0]): different})
    return (
        replace(others[0], variables=smooth.variables, by=smooth.by),
        UniqueRows(rows, counts.astype(float), np.arange(len(different))),
    )
