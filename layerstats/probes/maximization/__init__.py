"""Inputs that maximize what a unit of a network gives: what does it listen for?"""

from layerstats.probes.maximization.ascent import Ascent, AscentSettings, ascend
from layerstats.probes.maximization.hearing import Hearing, hearing_of
from layerstats.probes.maximization.objectives import Objective, Unit, read_unit
from layerstats.probes.maximization.priors import (
    PRIORS,
    AutoencoderPrior,
    CiwganPrior,
    NoPrior,
    Prior,
    SmoothPrior,
    SpectrumPrior,
    open_prior,
)
from layerstats.probes.maximization.speech_spectrum import SpeechSpectrum, read_spectrum, speech_spectrum

__all__ = [
    "PRIORS",
    "Ascent",
    "AscentSettings",
    "AutoencoderPrior",
    "CiwganPrior",
    "Hearing",
    "NoPrior",
    "Objective",
    "Prior",
    "SmoothPrior",
    "SpectrumPrior",
    "SpeechSpectrum",
    "Unit",
    "ascend",
    "hearing_of",
    "open_prior",
    "read_spectrum",
    "read_unit",
    "speech_spectrum",
]
