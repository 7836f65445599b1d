"""The terms of a formula as columns of a model matrix, with penalties and constraints as in ``bam(discrete=FALSE)``."""

from layerstats.stats.gamm.structured.smooths.parametric import ParametricPart, build_parametric
from layerstats.stats.gamm.structured.smooths.shared import like_first, sharing
from layerstats.stats.gamm.structured.smooths.side_conditions import Built, with_side_conditions
from layerstats.stats.gamm.structured.smooths.smooth_building import build_smooth
from layerstats.stats.gamm.structured.smooths.term import DenseTerm, GroupedTerm

__all__ = [
    "Built",
    "DenseTerm",
    "GroupedTerm",
    "ParametricPart",
    "build_parametric",
    "build_smooth",
    "like_first",
    "sharing",
    "with_side_conditions",
]
