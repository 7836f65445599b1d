"""The mel front end: from a waveform to the spectrogram that a network hears; by default as Soomro et al. (2019)."""

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


def band_centres_hz(mels: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Return where the filters of `mel_filterbank` are highest, (mel,), in Hz.

    Examples
    --------
    >>> band_centres_hz(128, 0.0, 8000.0)[[0, -1]].round()
    array([  23., 7809.])
    """
    return _hz(np.linspace(_mel(low_hz), _mel(high_hz), mels + 2))[1:-1]


_LEAST_VARIANCE = 1e-10

# What Krug & Stober (2018) had a network of letters hear: utterances of any length, a frame every 8 ms.
UTTERANCES: dict[str, Any] = {
    "rate_hz": 16000,
    "samples": 0,
    "n_fft": 512,
    "hop": 128,
    "mels": 128,
    "low_hz": 0.0,
    "high_hz": 8000.0,
    "frames": 0,
    # Speech at its loudest is some 75 dB above what becomes 0.
    "reference_db": 40.0,
    "normalise": True,
}


def z_normalise(features: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Subtract each token's mean over time and bands, and divide by its standard deviation; constants become zeros.

    Parameters
    ----------
    features : Tensor
        (token, time, mel).
    lengths : Tensor, optional
        Frames of each token (token,); those beyond count for nothing and become zeros.

    Examples
    --------
    >>> z_normalise(torch.tensor([[[1.0, 2.0, 3.0]]]))
    tensor([[[-1.2247,  0.0000,  1.2247]]])
    """
    if lengths is None:
        centred = features - features.mean(dim=(1, 2), keepdim=True)
        variance = centred.square().mean(dim=(1, 2), keepdim=True)
    else:
        beyond = (torch.arange(features.shape[1], device=features.device) >= lengths[:, None])[:, :, None]
        values = (lengths * features.shape[2])[:, None, None]
        mean = features.masked_fill(beyond, 0.0).sum(dim=(1, 2), keepdim=True) / values
        centred = (features - mean).masked_fill(beyond, 0.0)
        variance = centred.square().sum(dim=(1, 2), keepdim=True) / values
    # Far below any speech's: rounding of a constant is not to be taken for variation.
    return centred * variance.clamp_min(_LEAST_VARIANCE).rsqrt()


def check_lengths(lengths: Tensor, tokens: Tensor, what: str) -> None:
    """Raise `ArgumentError` unless lengths (token,) are whole numbers from 1 to the second axis of `tokens`."""
    whole = not (lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool)
    longest = tokens.shape[1]
    if not whole or lengths.shape != tokens.shape[:1] or bool(((lengths < 1) | (lengths > longest)).any()):
        raise ArgumentError(
            f"The 'lengths' parameter must be one whole number of {what} a token, from 1 to {longest}, but got "
            f"{lengths.tolist()!r} for {len(tokens)} tokens instead."
        )


class MelFrontEnd(nn.Module):
    """Mel spectrograms in decibels, between 0 and 1 or z-normalised; differentiable.

    A waveform is scaled to a peak of `peak`; Hann windows of `n_fft` samples are centred at every `hop`-th sample, the
    signal being reflected at both ends; the magnitudes of their spectra pass through Slaney's filters; these become
    20 log10(max(smallest, x)) - reference_db, and -range_db ... 0 dB become 0 ... 1, cut off at both ends.
    Frames beyond the signal's are zeros, frames beyond `frames` are left out: 1 s gives 87 frames and 3 of zeros.
    Where `frames` is 0 there are as many as the signal has. With `normalise` each utterance's mean over time and
    bands is subtracted then, and what is left is divided by its standard deviation, as Krug & Stober (2018) did.
    Silence gives zeros; that a clip is silent is for `Clips` and judges to say.

    The filters are a buffer: they are stored in a checkpoint with the settings, and where they are not those that the
    settings give, the checkpoint is refused.

    Parameters
    ----------
    rate_hz : int
        Sampling rate of the waveforms, in Hz.
    samples : int
        Length of the clips that a network with this front end is given, 0 for utterances as long as they are;
        waveforms of other lengths are taken too.
    n_fft, hop : int
        Length of the window and distance of two frames, in samples.
    mels : int
        Number of mel bands.
    low_hz, high_hz : float
        Limits of the bands, in Hz.
    frames : int
        Frames of every output; 0 for as many as the signal has.
    peak : float
        Largest absolute sample after scaling.
    smallest : float
        Magnitudes below are taken for it.
    reference_db, range_db : float
        What is subtracted, and what is 1 wide afterwards, in dB.
    normalise : bool
        Whether each utterance is z-normalised.

    Raises
    ------
    ArgumentError
        A setting is out of range, or a band holds no frequency of the spectrum.

    References
    ----------
    Soomro et al. (2019), section 3; Krug & Stober (2018), section 3.1.

    Examples
    --------
    >>> front_end = MelFrontEnd()
    >>> front_end(torch.randn(2, 22050)).shape
    torch.Size([2, 90, 80])
    >>> MelFrontEnd(**UTTERANCES)(torch.randn(2, 30000)).shape
    torch.Size([2, 235, 128])
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
        normalise: bool = False,
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
            if name not in ("low_hz", "reference_db") and not (value == 0 and name in ("samples", "frames")):
                check_positive(name, value)
        if normalise:
            # Left out otherwise: checkpoints and stores of older versions name the settings that they were made with.
            self.configuration["normalise"] = True
        if not 0 <= low_hz < high_hz <= rate_hz / 2:
            raise ArgumentError(
                f"The bands must lie between 0 and {rate_hz / 2:g} Hz, half the sampling rate, with low_hz below "
                f"high_hz, but got low_hz={low_hz!r} and high_hz={high_hz!r}."
            )
        self.rate_hz, self.samples, self.n_fft, self.hop = rate_hz, samples, n_fft, hop
        self.mels, self.frames, self.normalise = mels, frames, normalise
        self.smallest, self.reference_db, self.range_db, self.peak = smallest, reference_db, range_db, peak
        self.register_buffer("filterbank", self._filters())
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        empty = int((self.filterbank.sum(dim=1) == 0).sum())
        if empty:
            raise ArgumentError(
                f"{empty} of {mels} mel bands hold no frequency of a spectrum of {n_fft} samples. Pass fewer mels, or "
                "a longer n_fft."
            )

    @property
    def centres_hz(self) -> np.ndarray:
        """Where the bands have their peaks, (mel,), in Hz."""
        low, high = (_mel(self.configuration[name]) for name in ("low_hz", "high_hz"))
        return _hz(np.linspace(low, high, self.mels + 2))[1:-1]

    def _filters(self) -> Tensor:
        chosen = {name: self.configuration[name] for name in ("rate_hz", "n_fft", "mels", "low_hz", "high_hz")}
        return torch.from_numpy(mel_filterbank(**chosen)).float()  # pyright: ignore[reportArgumentType]

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return features (token, time, mel) of waveforms (token, sample).

        Parameters
        ----------
        waveforms : Tensor
            (token, sample).
        lengths : Tensor, optional
            Samples of each utterance (token,); what lies beyond is no part of it. Its features are those that it has
            alone, followed by zeros.

        Raises
        ------
        ArgumentError
            The shape is another one, or a clip is shorter than half a window.
        """
        if lengths is not None:
            check_lengths(lengths, waveforms, "samples")
            alone = [self(waveform[None, :length])[0] for waveform, length in zip(waveforms, lengths, strict=True)]
            return nn.utils.rnn.pad_sequence(alone, batch_first=True)
        features = self.unit_features(waveforms)
        return z_normalise(features) if self.normalise else features

    def unit_features(self, waveforms: Tensor) -> Tensor:
        """Return features (token, time, mel) between 0 and 1, before any z-normalisation.

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
        largest = waveforms.abs().amax(dim=1, keepdim=True)
        # Of silence nothing is left to divide: it stays as it is.
        scaled = waveforms * (self.peak / largest.masked_fill(largest == 0, 1.0))
        spectrum = torch.stft(scaled, self.n_fft, self.hop, window=self.window, center=True, return_complex=True)
        magnitudes = torch.einsum("mf,bft->btm", self.filterbank, spectrum.abs())
        decibels = 20 * magnitudes.clamp_min(self.smallest).log10() - self.reference_db
        features = ((decibels + self.range_db) / self.range_db).clamp(0, 1)
        if self.frames == 0:
            return features
        missing = self.frames - features.shape[1]
        return nn.functional.pad(features, (0, 0, 0, missing)) if missing > 0 else features[:, : self.frames]

    def frames_of(self, samples: Tensor) -> Tensor:
        """Return how many frames utterances of so many samples have, where `frames` does not say so."""
        return 1 + samples // self.hop

    def check_features(self, features: Tensor) -> None:
        """Raise `ArgumentError` unless features have the shape (token, time, mel) that this front end gives."""
        wanted = (features.shape[1] if self.frames == 0 and features.ndim == 3 else self.frames, self.mels)
        if features.ndim != 3 or features.shape[1:] != wanted:
            raise ArgumentError(
                f"The network takes features (token, {self.frames or 'time'}, {self.mels}) or waveforms (token, "
                f"sample), but got {tuple(features.shape)} instead."
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
