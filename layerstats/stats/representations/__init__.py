"""What vectors of phones tell of phones, layer by layer, and how alike layers are."""

from layerstats.stats.representations.abx import AbxResult, abx
from layerstats.stats.representations.abx_design import AbxSampling
from layerstats.stats.representations.labelled_vectors import ComparedNetworks, LayerVectors, compared_networks
from layerstats.stats.representations.layer_similarity import LayerSimilarity, layer_similarity
from layerstats.stats.representations.nested_folds import ProbeOptions
from layerstats.stats.representations.phone_probe import PhoneProbe, phone_probe

__all__ = [
    "AbxResult",
    "AbxSampling",
    "ComparedNetworks",
    "LayerSimilarity",
    "LayerVectors",
    "PhoneProbe",
    "ProbeOptions",
    "abx",
    "compared_networks",
    "layer_similarity",
    "phone_probe",
]
