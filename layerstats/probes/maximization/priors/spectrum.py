"""The magnitude spectrum of speech as a prior: it is held fixed, and phases and an amplitude envelope are optimised."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from layerstats.checks import check_positive
from layerstats.corpora import open_corpus
from layerstats.probes.maximization.hearing import Hearing
from layerstats.probes.maximization.priors.protocol import drawn, needed
from layerstats.probes.maximization.speech_spectrum import SpeechSpectrum, read_spectrum, speech_spectrum
from layerstats.probes.maximization.waveforms import WaveformHearing
from layerstats.store.schema import Attribute

# Below the loudest point of a natural token, an envelope ends here: its silence is not divided by.
_FLOOR = 1e-3


class SpectrumPrior:
    """Hold the Fourier magnitudes at those of speech, and optimise phases and a slow amplitude envelope.

    The magnitude-constrained optimisation (MaCo) of Fel et al. (2023), for speech: the waveform is the inverse Fourier
    transform of r(f) exp(i phase(f)) with r the mean magnitude spectrum of natural speech, so that no step can put
    energy where speech has none. As speech is not stationary, which phases alone can hardly bring about, it is
    multiplied by an envelope of mean square 1, whose logarithm is linear between knots: its spectrum is then r smeared
    by the few Hz with which the envelope varies. The waveform passes through the network's own front end, so that
    nothing is trained and no vocoder is needed.

    What is optimised are phases in radians, one a frequency, and then the knots of the log envelope, as coordinates
    along functions of unit length, times `envelope_weight`: without it a step of equal length in all coordinates, as
    gradient-RMS steps are, leaves the envelope where it was.

    Parameters
    ----------
    hearing : Hearing
        What the network hears.
    spectrum : SpeechSpectrum
        The magnitudes, of `speech_spectrum(corpus)` or `read_spectrum(file)`.
    envelope_s : float
        Seconds between two knots of the envelope.
    envelope_weight : float
        How far the log envelope moves with its coordinates.
    rate_hz : int
        Sampling rate of networks that hear waveforms, in Hz.

    Raises
    ------
    ArgumentError
        A parameter is out of range, or waveforms are not what the network hears.
    DataError
        The spectrum does not reach down or up to what the network hears.

    References
    ----------
    Fel et al. (2023), Unlocking feature visualization for deeper networks with magnitude constrained optimization.

    Examples
    --------
    >>> flat = SpeechSpectrum(np.array([0.0, 8000.0]), np.array([1e-3, 1e-3]), "flat", 0, "")
    >>> prior = SpectrumPrior(Hearing(("sample",), (1024,)), flat)
    >>> phases = prior.start("noise", None, [torch.Generator().manual_seed(0)], 0.1)
    >>> phases.shape, prior.render(phases).shape
    (torch.Size([1, 517]), torch.Size([1, 1024]))
    """

    name = "spectrum"
    dims: tuple[str, ...] = ("code",)
    latent = True
    starts: tuple[str, ...] = ("noise", "data")
    takes_waveforms = True
    rate = 0.1

    def __init__(
        self,
        hearing: Hearing,
        spectrum: SpeechSpectrum,
        *,
        envelope_s: float = 0.025,
        envelope_weight: float = 4.0,
        rate_hz: int = 16000,
    ) -> None:
        check_positive("envelope_s", envelope_s)
        check_positive("envelope_weight", envelope_weight)
        self.hearing = hearing
        self.ear = WaveformHearing(hearing, rate_hz)
        self.rate_hz, self.samples = self.ear.rate_hz, self.ear.samples
        magnitudes = spectrum.magnitudes_of(self.samples, self.rate_hz)
        self.synthesis = _Synthesis(magnitudes, self.samples, envelope_s * self.rate_hz, envelope_weight)
        self.synthesis.to(hearing.dtype)
        self.modules: tuple[nn.Module, ...] = (self.synthesis, self.ear)
        self.attrs: Mapping[str, Attribute] = {
            "hash": spectrum.sha256,
            "source": spectrum.source,
            "tokens": spectrum.tokens,
            "envelope_s": float(envelope_s),
            "envelope_weight": float(envelope_weight),
            "rate_hz": rate_hz,
        }

    def start(self, kind: str, given: Tensor | None, generators: Sequence[torch.Generator], deviation: float) -> Tensor:
        """Return phases and envelopes (start, code): random phases and small envelopes, or those of waveforms."""
        place = self.synthesis.magnitudes
        if kind == "data":
            return self.synthesis.analyse(needed(given).to(place))
        phases, knots = self.synthesis.sizes
        uniform = [math.pi * (2 * torch.rand(phases, generator=generator) - 1) for generator in generators]
        both = torch.cat([torch.stack(uniform), drawn((knots,), generators, deviation)], dim=1)
        return both.to(place)

    def waveforms(self, variables: Tensor) -> Tensor:
        """Return the waveforms (start, sample) of phases and envelopes."""
        return self.synthesis(variables)

    def render(self, variables: Tensor) -> Tensor:
        """Return what the network hears of the waveforms, (start, ...)."""
        return self.ear(self.waveforms(variables))

    def penalty(self, variables: Tensor, heard: Tensor) -> Tensor | None:
        """Return None: the fixed magnitudes are the whole prior."""
        return None

    def constrain(self, variables: Tensor) -> Tensor:
        """Return the variables as they are: phases go round."""
        return variables


class _Synthesis(nn.Module):
    """Waveforms of fixed magnitudes from phases and a log envelope at knots, and back."""

    magnitudes: Tensor
    basis: Tensor
    scale: Tensor

    def __init__(self, magnitudes: np.ndarray, samples: int, knot_samples: float, weight: float) -> None:
        super().__init__()
        self.samples = samples
        knots = max(2, round((samples - 1) / knot_samples) + 1)
        self.sizes = (len(magnitudes), knots)
        centres = np.linspace(0, samples - 1, knots)
        hats = np.maximum(0, 1 - np.abs(np.arange(samples)[:, None] - centres) / (centres[1] - centres[0]))
        scale = weight / np.linalg.norm(hats, axis=0)
        self.register_buffer("magnitudes", torch.from_numpy(magnitudes))
        self.register_buffer("basis", torch.from_numpy(hats * scale))
        self.register_buffer("scale", torch.from_numpy(scale))

    def envelopes(self, knots: Tensor) -> Tensor:
        """Return envelopes (start, sample) of mean square 1 from coordinates of knots (start, knot)."""
        logarithm = knots @ self.basis.T
        # Its largest value is taken off first, so that no power overflows.
        envelope = (logarithm - logarithm.amax(dim=1, keepdim=True)).exp()
        return envelope / envelope.square().mean(dim=1, keepdim=True).sqrt()

    def forward(self, variables: Tensor) -> Tensor:
        """Return waveforms (start, sample) of phases, then knots (start, code)."""
        phases, knots = variables.split(self.sizes, dim=1)
        stationary = torch.fft.irfft(torch.polar(self.magnitudes.expand_as(phases), phases), n=self.samples)
        return stationary * self.envelopes(knots)

    def analyse(self, waveforms: Tensor) -> Tensor:
        """Return phases and knots (start, code) of natural waveforms (start, sample)."""
        power = waveforms.square() @ self.basis / self.basis.sum(dim=0)
        floor = _FLOOR * power.amax(dim=1, keepdim=True).sqrt()
        knots = power.sqrt().clamp_min(floor).log() / self.scale
        phases = torch.fft.rfft(waveforms / self.envelopes(knots)).angle()
        return torch.cat([phases, knots], dim=1)


def open_spectrum(
    hearing: Hearing,
    *,
    source: str = "demo",
    envelope_s: float = 0.025,
    envelope_weight: float = 4.0,
    rate_hz: int = 16000,
) -> SpectrumPrior:
    """Make the prior that "spectrum" stands for.

    `source` is a corpus as `layerstats.corpora.open_corpus` names them, the built-in one by default, or the file of a
    table that `read_spectrum` reads.
    """
    if Path(source).is_file():
        spectrum = read_spectrum(source)
    else:
        spectrum = speech_spectrum(open_corpus(source, damaged="skip"), source=source)
    return SpectrumPrior(hearing, spectrum, envelope_s=envelope_s, envelope_weight=envelope_weight, rate_hz=rate_hz)
