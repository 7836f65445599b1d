"""Waveforms at another rate and of another length, by operations with a gradient."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from layerstats.checks import check_positive
from layerstats.errors import ArgumentError
from layerstats.models import MelFrontEnd
from layerstats.probes.maximization.hearing import Hearing


def resample_waveforms(waveforms: Tensor, from_hz: int, to_hz: int) -> Tensor:
    """Resample waveforms in their Fourier transform, with a gradient: exact for what lies in both bands.

    Parameters
    ----------
    waveforms : Tensor
        (start, sample). Zeros are added at the end until both rates divide the length, so that silence at the end of a
        clip keeps its two edges apart: the transform takes a signal for periodic.
    from_hz, to_hz : int
        Sampling rates in Hz.

    Returns
    -------
    Tensor
        (start, sample) with ceil(samples * to_hz / from_hz) samples.

    Examples
    --------
    >>> resample_waveforms(torch.ones(2, 320), 16000, 22050).shape
    torch.Size([2, 441])
    """
    check_positive("from_hz", from_hz)
    check_positive("to_hz", to_hz)
    if from_hz == to_hz:
        return waveforms
    divisor = math.gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    samples = waveforms.shape[1]
    blocks = -(-samples // down)
    before, after = blocks * down, blocks * up
    spectrum = torch.fft.rfft(waveforms, n=before)
    shared = min(before, after) // 2 + 1
    kept = spectrum[:, :shared]
    if min(before, after) % 2 == 0:
        # Half the shorter length's rate stands for both signs of its frequency, and its weight is shared between them.
        weight = torch.ones(shared, dtype=waveforms.dtype, device=waveforms.device)
        weight[-1] = 2.0 if after < before else 0.5
        kept = kept * weight
    return torch.fft.irfft(kept, n=after)[:, : -(-samples * up // down)] * (after / before)


def fit_length(waveforms: Tensor, samples: int) -> Tensor:
    """Return waveforms (start, sample) of so many samples: cut off, or with zeros at the end."""
    missing = samples - waveforms.shape[1]
    return nn.functional.pad(waveforms, (0, missing)) if missing > 0 else waveforms[:, :samples]


class WaveformHearing(nn.Module):
    """From a waveform to what a network hears: through its front end, or as it is.

    Parameters
    ----------
    hearing : Hearing
        What the network hears.
    rate_hz : int
        Sampling rate of a network that hears waveforms, in Hz; a front end knows its own.

    Raises
    ------
    ArgumentError
        The network hears neither waveforms nor features of a front end.

    Examples
    --------
    >>> WaveformHearing(Hearing(("sample",), (16384,))).rate_hz
    16000
    """

    def __init__(self, hearing: Hearing, rate_hz: int = 16000) -> None:
        super().__init__()
        self.front_end: MelFrontEnd | None = None
        if hearing.front_end:
            self.front_end = MelFrontEnd(**hearing.front_end).to(hearing.dtype)  # pyright: ignore[reportArgumentType]
            self.rate_hz, self.samples = self.front_end.rate_hz, self.front_end.samples
        elif hearing.dims == ("sample",):
            self.rate_hz, self.samples = rate_hz, hearing.shape[0]
        else:
            raise ArgumentError(
                f"This prior makes waveforms, but the network hears ({', '.join(hearing.dims)}) without a front end of "
                "its own. Choose a network with a mel front end, or one that hears waveforms."
            )

    def forward(self, waveforms: Tensor) -> Tensor:
        """Return what is heard, (start, ...), of waveforms (start, sample)."""
        return waveforms if self.front_end is None else self.front_end(waveforms)
