"""What vectors of phones tell of phones, layer by layer, and how alike layers are."""

from layerstats.stats.representations.labelled_vectors import ComparedNetworks, LayerVectors, compared_networks

__all__ = ["ComparedNetworks", "LayerVectors", "compared_networks"]
