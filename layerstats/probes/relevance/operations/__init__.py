"""Operations that networks are made of, and how each hands relevance back: a file a family."""

from layerstats.probes.relevance.operations import (
    attention,
    batch_norm,
    linear,
    normalisation,
    pointwise,
    product,
    recurrent,
    routing,
)

__all__ = ["attention", "batch_norm", "linear", "normalisation", "pointwise", "product", "recurrent", "routing"]
