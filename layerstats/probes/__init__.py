"""Networks and speech in, a store out. Importing this room imports torch."""

from layerstats.probes.activations import record_activations
from layerstats.probes.generate import generate_speech
from layerstats.probes.geometry import Grid
from layerstats.probes.network import network_attributes
from layerstats.probes.null import record_untrained

__all__ = ["Grid", "generate_speech", "network_attributes", "record_activations", "record_untrained"]
