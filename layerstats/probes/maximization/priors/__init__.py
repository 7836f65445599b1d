"""What is optimised in place of the network's input: a ladder from nothing to models of speech, a file each."""

from layerstats.probes.maximization.priors.autoencoder import AutoencoderPrior
from layerstats.probes.maximization.priors.ciwgan import CiwganPrior
from layerstats.probes.maximization.priors.none import NoPrior
from layerstats.probes.maximization.priors.protocol import STARTS, Prior
from layerstats.probes.maximization.priors.registry import PRIORS, open_prior
from layerstats.probes.maximization.priors.smooth import SmoothPrior
from layerstats.probes.maximization.priors.spectrum import SpectrumPrior

__all__ = [
    "PRIORS",
    "STARTS",
    "AutoencoderPrior",
    "CiwganPrior",
    "NoPrior",
    "Prior",
    "SmoothPrior",
    "SpectrumPrior",
    "open_prior",
]
