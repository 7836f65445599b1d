"""Networks and speech in, a store out. Importing this room imports torch."""

from layerstats.probes.activations import record_activations
from layerstats.probes.codes import read_codes
from layerstats.probes.generate import generate_speech
from layerstats.probes.layers.geometry import Grid
from layerstats.probes.network import network_attributes
from layerstats.probes.untrained import record_untrained

__all__ = [
    "Grid",
    "generate_speech",
    "network_attributes",
    "read_codes",
    "record_activations",
    "record_untrained",
]
