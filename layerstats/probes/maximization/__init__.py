"""Inputs that maximize what a unit of a network gives: what does it listen for?"""

from layerstats.probes.maximization.again import make_again, maximized_start
from layerstats.probes.maximization.ascent import Ascent, AscentSettings, ascend
from layerstats.probes.maximization.features_table import features_table
from layerstats.probes.maximization.hearing import Hearing, hearing_of
from layerstats.probes.maximization.ladder import maximize_ladder
from layerstats.probes.maximization.maximize import maximize_activations, plan_maximization, write_outcomes
from layerstats.probes.maximization.nulls import NULLS, check_nulls, record_nulls, top_exemplars
from layerstats.probes.maximization.objectives import Objective
from layerstats.probes.maximization.plan import MaximizationPlan
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
from layerstats.probes.maximization.rendering import rendered
from layerstats.probes.maximization.settings import SETTINGS, MaximizationSettings, usual_prior
from layerstats.probes.maximization.speech_spectrum import SpeechSpectrum, read_spectrum, speech_spectrum
from layerstats.probes.maximization.starts import start_seed, start_table
from layerstats.probes.maximization.strongest import strongest_units
from layerstats.probes.units import Unit, read_unit

__all__ = [
    "NULLS",
    "PRIORS",
    "SETTINGS",
    "Ascent",
    "AscentSettings",
    "AutoencoderPrior",
    "CiwganPrior",
    "Hearing",
    "MaximizationPlan",
    "MaximizationSettings",
    "NoPrior",
    "Objective",
    "Prior",
    "SmoothPrior",
    "SpectrumPrior",
    "SpeechSpectrum",
    "Unit",
    "ascend",
    "check_nulls",
    "features_table",
    "hearing_of",
    "make_again",
    "maximize_activations",
    "maximize_ladder",
    "maximized_start",
    "open_prior",
    "plan_maximization",
    "read_spectrum",
    "read_unit",
    "record_nulls",
    "rendered",
    "speech_spectrum",
    "start_seed",
    "start_table",
    "strongest_units",
    "top_exemplars",
    "usual_prior",
    "write_outcomes",
]
