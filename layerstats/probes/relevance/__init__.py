"""What an answer of a network rests on: sensitivity and relevance of its layers and of its input."""

from layerstats.probes.relevance.operations.call import OperationCall
from layerstats.probes.relevance.operations.registry import register_expansion, register_routed, register_rule
from layerstats.probes.relevance.propagate import Propagated, relevance_by_rules
from layerstats.probes.relevance.quantity import Relevance
from layerstats.probes.relevance.record import record_relevance
from layerstats.probes.relevance.rules import Rule

__all__ = [
    "OperationCall",
    "Propagated",
    "Relevance",
    "Rule",
    "record_relevance",
    "register_expansion",
    "register_routed",
    "register_rule",
    "relevance_by_rules",
]
