"""What vectors of phones tell of phones, layer by layer, and how alike layers are."""

from layerstats.stats.representations.abx import AbxResult, abx
from layerstats.stats.representations.abx_design import AbxSampling
from layerstats.stats.representations.labelled_vectors import ComparedNetworks, LayerVectors, compared_networks

__all__ = ["AbxResult", "AbxSampling", "ComparedNetworks", "LayerVectors", "abx", "compared_networks"]
