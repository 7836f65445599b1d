"""How far to trust maps of relevance: where they lie, what they agree with, what follows from them."""

from layerstats.stats.trust.map_agreement import map_agreement, measure_agreement, random_weights_agreement
from layerstats.stats.trust.perturbed_areas import perturbation_areas
from layerstats.stats.trust.phone_location import phone_location
from layerstats.stats.trust.trust_tables import Trust, trust_table

__all__ = [
    "Trust",
    "map_agreement",
    "measure_agreement",
    "perturbation_areas",
    "phone_location",
    "random_weights_agreement",
    "trust_table",
]
