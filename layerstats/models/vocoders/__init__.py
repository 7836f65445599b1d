"""From mel features to sound: Griffin-Lim, and the protocol that any other vocoder keeps to."""

from layerstats.models.vocoders.griffin_lim import GriffinLim, estimate_phases
from layerstats.models.vocoders.magnitudes import linear_magnitudes
from layerstats.models.vocoders.protocol import Vocoder, check_settings

__all__ = ["GriffinLim", "Vocoder", "check_settings", "estimate_phases", "linear_magnitudes"]
