"""A smooth of a formula as terms."""

from __future__ import annotations

from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.structured.smooths.decomposed_tensor import decomposed_tensor_smooth
from layerstats.stats.gamm.structured.smooths.factor_smooth import factor_smooth
from layerstats.stats.gamm.structured.smooths.isotropic import isotropic_smooth
from layerstats.stats.gamm.structured.smooths.options import check_options
from layerstats.stats.gamm.structured.smooths.random_effect import random_effect
from layerstats.stats.gamm.structured.smooths.tensor import tensor_smooth
from layerstats.stats.gamm.structured.smooths.term import DenseTerm, GroupedTerm
from layerstats.stats.gamm.structured.unique_rows import UniqueRows


def build_smooth(smooth: SmoothTerm, rows: UniqueRows) -> list[DenseTerm] | list[GroupedTerm]:
    """Return the terms of a smooth, one for each level of its ``by``, in the order of mgcv.

    Raises
    ------
    Unsupported
        The engine does not express it.
    """
    check_options(smooth)
    if smooth.function in ("te", "ti"):
        return tensor_smooth(smooth, rows)
    if smooth.function == "t2":
        return decomposed_tensor_smooth(smooth, rows)
    if smooth.bases[0] == "re":
        return random_effect(smooth, rows)
    if smooth.bases[0] == "fs":
        return factor_smooth(smooth, rows)
    return isotropic_smooth(smooth, rows)
