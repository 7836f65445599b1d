"""What an answer of a network rests on: sensitivity and relevance of its layers and of its input."""

from layerstats.probes.relevance.quantity import Relevance
from layerstats.probes.relevance.record import record_relevance

__all__ = ["Relevance", "record_relevance"]
