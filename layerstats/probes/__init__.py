"""Networks and speech in, a store out. Importing this room imports torch."""

from layerstats.probes.activations import record_activations
from layerstats.probes.codes import read_codes
from layerstats.probes.geometry import Grid
from layerstats.probes.null import record_untrained

__all__ = ["Grid", "read_codes", "record_activations", "record_untrained"]
