"""Means, probabilities and differences, from a model of ordered categories, whoever fitted it."""

from layerstats.stats.ratings.estimates.category_estimates import (
    level_contrasts,
    probabilities_by_category,
    scale_means,
)
from layerstats.stats.ratings.estimates.latent_model import LatentDesigns, LatentModel, LatentParameters, latent_cells

__all__ = [
    "LatentDesigns",
    "LatentModel",
    "LatentParameters",
    "latent_cells",
    "level_contrasts",
    "probabilities_by_category",
    "scale_means",
]
