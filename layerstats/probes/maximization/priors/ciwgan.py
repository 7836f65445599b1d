"""The generator of a ciwGAN or fiwGAN as a prior: its codes and noise are optimised, and it says the waveform."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from layerstats.errors import ArgumentError
from layerstats.models import InfoWaveGAN
from layerstats.probes.maximization.hearing import Hearing
from layerstats.probes.maximization.priors.checkpoints import read_checkpoint
from layerstats.probes.maximization.priors.protocol import drawn
from layerstats.probes.maximization.waveforms import WaveformHearing, fit_length, resample_waveforms
from layerstats.probes.recording.key import model_hash
from layerstats.store.schema import Attribute


class CiwganPrior:
    """Optimise the codes and the noise of a generator of speech: a waveform comes out, and no vocoder is needed.

    The waveform is resampled to the network's rate, cut or filled with zeros to its length, scaled to a peak of 1 as
    every clip is, and heard through the network's own front end.

    Parameters
    ----------
    hearing : Hearing
        What the network hears.
    network : InfoWaveGAN
        The network whose generator it is.
    rate_hz : int
        Sampling rate of the speech that the generator learned, and of networks that hear waveforms.
    sha256 : str, optional
        Of its checkpoint; stored with the outcomes.

    Raises
    ------
    ArgumentError
        The network has no generator, or waveforms are not what the target network hears.

    References
    ----------
    Nguyen et al. (2016), Synthesizing the preferred inputs for neurons in neural networks via deep generator networks;
    Begus (2021), CiwGAN and fiwGAN.

    Examples
    --------
    >>> prior = CiwganPrior(Hearing(("sample",), (16384,)), InfoWaveGAN(codes=2, width=1))
    >>> latent = prior.start("own", None, [torch.Generator().manual_seed(0)], 0.1)
    >>> latent.shape, prior.render(latent).abs().max().item()
    (torch.Size([1, 100]), 1.0)
    """

    name = "ciwgan"
    dims: tuple[str, ...] = ("code",)
    latent = True
    starts: tuple[str, ...] = ("own", "codes")
    takes_waveforms = False
    rate = 0.1

    def __init__(
        self, hearing: Hearing, network: nn.Module, *, rate_hz: int = 16000, sha256: str | None = None
    ) -> None:
        if not isinstance(network, InfoWaveGAN):
            raise ArgumentError(
                f"A {type(network).__name__} has no generator. Give an InfoWaveGAN, for instance the shipped "
                "checkpoint ciwgan.safetensors."
            )
        self.hearing, self.generator_rate_hz = hearing, rate_hz
        # Of the caller's network nothing changes, in whatever type the target network computes.
        self.network = copy.deepcopy(network).to(hearing.dtype).eval()
        self.ear = WaveformHearing(hearing, rate_hz)
        self.rate_hz = self.ear.rate_hz
        self.modules: tuple[nn.Module, ...] = (self.network.generator, self.ear)
        weights = {} if sha256 is None else {"sha256": sha256}
        self.attrs: Mapping[str, Attribute] = {
            "hash": model_hash(network.generator), "rate_hz": rate_hz, **weights
        }  # fmt: skip

    def start(self, kind: str, given: Tensor | None, generators: Sequence[torch.Generator], deviation: float) -> Tensor:
        """Return latent vectors (start, code), codes before noise: small and random, or drawn as in training."""
        place = next(self.network.generator.parameters())
        if kind == "codes":
            return drawn((self.network.latent,), generators, deviation).to(place)
        rows = [
            torch.cat([self.network.draw_codes(1, generator), self.network.draw_noise(1, generator)], dim=1)
            for generator in generators
        ]
        return torch.cat(rows).to(place)

    def waveforms(self, variables: Tensor) -> Tensor:
        """Return what the generator says, (start, sample), at the rate of the target network and with a peak of 1."""
        said = resample_waveforms(self.network.generator(variables), self.generator_rate_hz, self.rate_hz)
        fitted = fit_length(said, self.ear.samples)
        return fitted / fitted.abs().amax(dim=1, keepdim=True)

    def render(self, variables: Tensor) -> Tensor:
        """Return what the network hears of what the generator says, (start, ...)."""
        return self.ear(self.waveforms(variables))

    def penalty(self, variables: Tensor, heard: Tensor) -> Tensor | None:
        """Return None: the generator is the whole prior."""
        return None

    def constrain(self, variables: Tensor) -> Tensor:
        """Return the latent vectors as they are: codes beyond those of training are allowed."""
        return variables


def open_ciwgan(hearing: Hearing, checkpoint: str | Path, *, rate_hz: int = 16000) -> CiwganPrior:
    """Make the prior that "ciwgan:FILE" stands for; `rate_hz` is that of the speech which the generator learned."""
    network, sha256 = read_checkpoint(checkpoint)
    return CiwganPrior(hearing, network, rate_hz=rate_hz, sha256=sha256)
