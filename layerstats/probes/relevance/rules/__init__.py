"""How a linear operation shares relevance among its inputs: small declarative rules."""

from layerstats.probes.relevance.rules.built_in import (
    RULES,
    Adapted,
    AlphaBeta,
    Epsilon,
    EpsilonRelative,
    Flat,
    Gamma,
    LrpZero,
    ZPlus,
)
from layerstats.probes.relevance.rules.rule import Rule, stabilised

__all__ = [
    "RULES",
    "Adapted",
    "AlphaBeta",
    "Epsilon",
    "EpsilonRelative",
    "Flat",
    "Gamma",
    "LrpZero",
    "Rule",
    "ZPlus",
    "stabilised",
]
