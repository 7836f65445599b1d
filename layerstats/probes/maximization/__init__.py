"""Inputs that maximize what a unit of a network gives: what does it listen for?"""

from layerstats.probes.maximization.ascent import Ascent, AscentSettings, ascend
from layerstats.probes.maximization.hearing import Hearing, hearing_of
from layerstats.probes.maximization.objectives import Objective, Unit, read_unit
from layerstats.probes.maximization.priors import PRIORS, AutoencoderPrior, NoPrior, Prior, SmoothPrior, open_prior

__all__ = [
    "PRIORS",
    "Ascent",
    "AscentSettings",
    "AutoencoderPrior",
    "Hearing",
    "NoPrior",
    "Objective",
    "Prior",
    "SmoothPrior",
    "Unit",
    "ascend",
    "hearing_of",
    "open_prior",
    "read_unit",
]
