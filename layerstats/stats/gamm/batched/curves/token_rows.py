"""The rows of tokens whose times differ, where sums over tokens need common times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.smooths import DenseTerm, GroupedTerm, ParametricPart


@dataclass(frozen=True, eq=False)
class TokenRows:
    """The rows of series that have times of their own, and the terms of their model.

    Attributes
    ----------
    response
        (row,) less the offset of the design.
    token
        (row,) its series, in order.
    follow
        By column that is a function of the label, its values for each label.
    parametric, dense, grouped, kinds
        The terms, and what the levels of each random one are.
    """

    response: np.ndarray
    token: np.ndarray
    follow: dict[str, np.ndarray]
    parametric: ParametricPart
    dense: tuple[DenseTerm, ...]
    grouped: tuple[GroupedTerm, ...]
    kinds: tuple[str, ...]
