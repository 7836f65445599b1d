"""The mel front end of Soomro et al. (2019): from a waveform to what their classifiers hear."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from layerstats.checks import check_positive
from layerstats.errors import ArgumentError

# Slaney's scale: 3 mels for 200 Hz up to 1000 Hz, from there 27 mels for a factor of 6.4 (Auditory Toolbox, 1998).
_LINEAR_HZ, _BREAK_HZ, _LOG_STEP = 200 / 3, 1000.0, math.log(6.4) / 27


def mel_filterbank(rate_hz: int, n_fft: int, mels: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Return triangular filters, evenly spaced on Slaney's mel scale, each of unit area over Hz.

    Parameters
    ----------
    rate_hz : int
        Sampling rate in Hz.
    n_fft : int
        Samples of a window.
    mels : int
        Number of filters.
    low_hz, high_hz : float
        Where the first filter begins and the last one ends, in Hz.

    Returns
    -------
    ndarray
        float64 (mel, frequency), with n_fft // 2 + 1 frequencies from 0 to half the rate.

    References
    ----------
    Slaney (1998), Auditory Toolbox, Technical Report 1998-010.

    Examples
    --------
    >>> mel_filterbank(22050, 1024, 80, 125.0, 7600.0).shape
    (80, 513)
    """
    edges = _hz(np.linspace(_mel(low_hz), _mel(high_hz), mels + 2))
    frequencies = np.arange(n_fft // 2 + 1) * (rate_hz / n_fft)
    rising = (frequencies - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - frequencies) / np.diff(edges)[1:, None]
    height = 2 / (edges[2:] - edges[:-2])
    return height[:, None] * np.maximum(0, np.minimum(rising, falling))


def _mel(hz: float) -> float:
    break_mel = _BREAK_HZ / _LINEAR_HZ
    return hz / _LINEAR_HZ if hz < _BREAK_HZ else break_mel + math.log(hz / _BREAK_HZ) / _LOG_STEP


def _hz(mel: np.ndarray) -> np.ndarray:
    break_mel = _BREAK_HZ / _LINEAR_HZ
    return np.where(mel < break_mel, mel * _LINEAR_HZ, _BREAK_HZ * np.exp(_LOG_STEP * (mel - break_mel)))


class MelFrontEnd(nn.Module):
    """Mel spectrograms in decibels, between 0 and 1, of a fixed number of frames; differentiable.

    A waveform is scaled to a peak of `peak`; Hann windows of `n_fft` samples are centred at every `hop`-th sample, the
    signal being reflected at both ends; the magnitudes of their spectra pass through Slaney's filters; these become
    20 log10(max(smallest, x)) - reference_db, and -range_db ... 0 dB become 0 ... 1, cut off at both ends.
    Frames beyond the signal's are zeros, frames beyond `frames` are left out: 1 s gives 87 frames and 3 of zeros.
    Silence gives zeros; that a clip is silent is for `Clips` and judges to say.

    The filters are a buffer: they are stored in a checkpoint with the settings, and where they are not those that the
    settings give, the checkpoint is refused.

    Parameters
    ----------
    rate_hz : int
        Sampling rate of the waveforms, in Hz.
    samples : int
        Length of the clips that a network with this front end is given; waveforms of other lengths are taken too.
    n_fft, hop : int
        Length of the window and distance of two frames, in samples.
    mels : int
        Number of mel bands.
    low_hz, high_hz : float
        Limits of the bands, in Hz.
    frames : int
        Frames of every output.
    peak : float
        Largest absolute sample after scaling.
    smallest : float
        Magnitudes below are taken for it.
    reference_db, range_db : float
        What is subtracted, and what is 1 wide afterwards, in dB.

    Raises
    ------
    ArgumentError
        A setting is out of range, or a band holds no frequency of the spectrum.

    References
    ----------
    Soomro et al. (2019), section 3.

    Examples
    --------
    >>> front_end = MelFrontEnd()
    >>> front_end(torch.randn(2, 22050)).shape
    torch.Size([2, 90, 80])
    """

    filterbank: Tensor
    window: Tensor

    def __init__(
        self,
        rate_hz: int = 22050,
        samples: int = 22050,
        n_fft: int = 1024,
        hop: int = 256,
        mels: int = 80,
        low_hz: float = 125.0,
        high_hz: float = 7600.0,
        frames: int = 90,
        peak: float = 0.999,
        smallest: float = 1e-5,
        reference_db: float = 20.0,
        range_db: float = 100.0,
    ) -> None:
        super().__init__()
        self.configuration: dict[str, int | float] = {
            "rate_hz": rate_hz,
            "samples": samples,
            "n_fft": n_fft,
            "hop": hop,
            "mels": mels,
            "low_hz": float(low_hz),
            "high_hz": float(high_hz),
            "frames": frames,
            "peak": float(peak),
            "smallest": float(smallest),
            "reference_db": float(reference_db),
            "range_db": float(range_db),
        }
        for name, value in self.configuration.items():
            if name not in ("low_hz", "reference_db"):
                check_positive(name, value)
        if not 0 <= low_hz < high_hz <= rate_hz / 2:
            raise ArgumentError(
                f"The bands must lie between 0 and {rate_hz / 2:g} Hz, half the sampling rate, with low_hz below "
                f"high_hz, but got low_hz={low_hz!r} and high_hz={high_hz!r}."
            )
        self.rate_hz, self.samples, self.n_fft, self.hop = rate_hz, samples, n_fft, hop
        self.mels, self.frames = mels, frames
        self.register_buffer("filterbank", self._filters())
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        empty = int((self.filterbank.sum(dim=1) == 0).sum())
        if empty:
            raise ArgumentError(
                f"{empty} of {mels} mel bands hold no frequency of a spectrum of {n_fft} samples. Pass fewer mels, or "
                "a longer n_fft."
            )

    def _filters(self) -> Tensor:
        chosen = {name: self.configuration[name] for name in ("rate_hz", "n_fft", "mels", "low_hz", "high_hz")}
        return torch.from_numpy(mel_filterbank(**chosen)).float()  # pyright: ignore[reportArgumentType]

    def forward(self, waveforms: Tensor) -> Tensor:
        """Return features (token, time, mel) of waveforms (token, sample).

        Raises
        ------
        ArgumentError
            The shape is another one, or a clip is shorter than half a window.
        """
        if waveforms.ndim != 2 or waveforms.shape[1] <= self.n_fft // 2:
            raise ArgumentError(
                f"The mel front end takes waveforms (token, sample) of more than {self.n_fft // 2} samples, but got "
                f"{tuple(waveforms.shape)} instead."
            )
        settings = self.configuration
        largest = waveforms.abs().amax(dim=1, keepdim=True)
        # Of silence nothing is left to divide: it stays as it is.
        scaled = waveforms * (settings["peak"] / largest.masked_fill(largest == 0, 1.0))
        spectrum = torch.stft(scaled, self.n_fft, self.hop, window=self.window, center=True, return_complex=True)
        magnitudes = torch.einsum("mf,bft->btm", self.filterbank, spectrum.abs())
        decibels = 20 * magnitudes.clamp_min(settings["smallest"]).log10() - settings["reference_db"]
        features = ((decibels + settings["range_db"]) / settings["range_db"]).clamp(0, 1)
        missing = self.frames - features.shape[1]
        return nn.functional.pad(features, (0, 0, 0, missing)) if missing > 0 else features[:, : self.frames]

    def check_features(self, features: Tensor) -> None:
        """Raise `ArgumentError` unless features have the shape (token, time, mel) that this front end gives."""
        if features.ndim != 3 or features.shape[1:] != (self.frames, self.mels):
            raise ArgumentError(
                f"The network takes features (token, {self.frames}, {self.mels}) or waveforms (token, sample), but got "
                f"{tuple(features.shape)} instead."
            )

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: Any, strict: bool, *others: Any
    ) -> None:
        """Take the filters of a checkpoint for those of the settings, whole again if they had been rounded."""
        stored = state_dict.get(f"{prefix}filterbank")
        error_messages: list[str] = others[-1]
        if stored is not None and stored.shape == self.filterbank.shape:
            # float16 keeps 11 bits of a number, and 2**-25 of what is next to nothing.
            if torch.allclose(stored.to(self.filterbank), self.filterbank, rtol=2**-10, atol=2**-24):
                state_dict = {**state_dict, f"{prefix}filterbank": self.filterbank}
            else:
                error_messages.append(f"the mel filters are not those of the front end's settings {self.configuration}")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, *others)

    def extra_repr(self) -> str:
        """Show the settings where the module is printed."""
        return ", ".join(f"{name}={value}" for name, value in self.configuration.items())


def open_front_end(front_end: MelFrontEnd | Mapping[str, Any] | None) -> MelFrontEnd:
    """Return a front end of its own for a network: a fresh one of these settings, by default the published ones."""
    if isinstance(front_end, MelFrontEnd):
        front_end = front_end.configuration
    return MelFrontEnd(**(front_end or {}))
