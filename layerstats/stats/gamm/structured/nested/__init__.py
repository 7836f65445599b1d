"""Models whose blocks are nested in groups (tokens in speakers), with random terms of both: a second arrow level.

Given the common part the groups are independent, and given the group its blocks are. `system` sums up the data,
`solution` solves at given smoothing parameters, `criterion` has the derivatives; `edf`, `block_test`, `group_test`
and `design` are for inference.
"""

from layerstats.stats.gamm.structured.nested.nested_criterion import NestedCriterion
from layerstats.stats.gamm.structured.nested.nested_edf import NestedEffectiveDf
from layerstats.stats.gamm.structured.nested.nested_solution import NestedSolution
from layerstats.stats.gamm.structured.nested.nested_system import build_nested_system

__all__ = ["NestedCriterion", "NestedEffectiveDf", "NestedSolution", "build_nested_system"]
