"""Operations that networks are made of, and how each hands relevance back: a file a family."""

from layerstats.probes.relevance.operations import batch_norm, linear, pointwise, routing

__all__ = ["batch_norm", "linear", "pointwise", "routing"]
