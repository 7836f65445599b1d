"""What is needed to see how far a map can be trusted, and needs the network: exchanged speech, random weights."""

from layerstats.probes.relevance.trust.exchanged import speech_replacements
from layerstats.probes.relevance.trust.heard_windows import HeardWindows, hear_windows
from layerstats.probes.relevance.trust.perturbation import perturbation_curves
from layerstats.probes.relevance.trust.randomisation import RandomisedNetwork, randomised_networks
from layerstats.probes.relevance.trust.recorded_maps import RecordedMaps, hear_recorded

__all__ = [
    "HeardWindows",
    "RandomisedNetwork",
    "RecordedMaps",
    "hear_recorded",
    "hear_windows",
    "perturbation_curves",
    "randomised_networks",
    "speech_replacements",
]
