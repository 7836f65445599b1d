"""Logarithmic mel spectrograms of waveforms as Whisper hears them, on any device and with a gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from layerstats.models.mel import mel_filterbank

# What counts as silence, and how far below the loudest spot of a token anything is heard, in powers of ten.
_SMALLEST, _RANGE = 1e-10, 8.0


@dataclass(frozen=True)
class LogMel:
    """Log-mel spectrograms: Hann windows of `n_fft` samples, centred at every `hop`-th sample.

    Parameters
    ----------
    rate_hz : int
        Sampling rate in Hz.
    n_fft, hop : int
        Samples of a window, and from one window to the next.
    mels : int
        Number of bands, on Slaney's scale from 0 to half the rate.
    edges : {"reflect", "constant"}
        What windows at the ends of the waveform hear beyond it: its reflection, or silence.

    References
    ----------
    Radford et al. (2023), section 2.2.

    Examples
    --------
    >>> LogMel(16000, 400, 160, 80)(torch.zeros(1, 16000)).shape
    torch.Size([1, 80, 101])
    """

    rate_hz: int = 16000
    n_fft: int = 400
    hop: int = 160
    mels: int = 80
    edges: str = "reflect"

    def __call__(self, waveforms: Tensor) -> Tensor:
        """Return the logarithm to base 10 of the power in each band, (token, mel, frame)."""
        window = torch.hann_window(self.n_fft, device=waveforms.device, dtype=waveforms.dtype)
        padded = F.pad(waveforms[:, None], (self.n_fft // 2, self.n_fft // 2), self.edges)[:, 0]
        spectrum = torch.stft(padded, self.n_fft, self.hop, window=window, center=False, return_complex=True)
        filters = torch.from_numpy(mel_filterbank(self.rate_hz, self.n_fft, self.mels, 0.0, self.rate_hz / 2))
        power = spectrum.abs().square().contiguous()
        return (filters.to(power) @ power).clamp_min(_SMALLEST).log10()


def above_floor(features: Tensor) -> Tensor:
    """Cut off what is more than 80 dB below a token's loudest spot, and scale as Whisper was trained with."""
    loudest = features.amax(dim=(1, 2), keepdim=True)
    return (torch.maximum(features, loudest - _RANGE) + 4.0) / 4.0
