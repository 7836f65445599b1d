"""Networks and speech in, a store out. Importing this room imports torch."""

from layerstats.probes.activations import record_activations
from layerstats.probes.geometry import Grid
from layerstats.probes.null import record_untrained

__all__ = ["Grid", "record_activations", "record_untrained"]
