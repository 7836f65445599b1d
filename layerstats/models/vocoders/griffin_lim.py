"""Griffin-Lim: sound from magnitudes alone, with nothing to train."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from layerstats.checks import check_count
from layerstats.errors import ArgumentError, DataError
from layerstats.models.mel import MelFrontEnd
from layerstats.models.vocoders.magnitudes import linear_magnitudes, mel_magnitudes


class GriffinLim:
    """Sound of mel features: linear magnitudes (`linear_magnitudes`), then phases that agree with each other.

    The phases are those of the fast Griffin-Lim algorithm (`estimate_phases`). They begin at random, and every token
    begins with the same ones, so that a token sounds the same alone and among others.

    Parameters
    ----------
    front_end : MelFrontEnd
        What the features are from: its mel parameters are inverted.
    iterations : int
        Steps of the algorithm.
    momentum : float
        The alpha of Perraudin et al. (2013), from 0 (the algorithm of Griffin & Lim 1984) to below 1.
    seed : int
        Seed of the phases that it begins with.

    Raises
    ------
    ArgumentError
        A parameter is out of range, or features of the front end do not say how loud they are or how long.

    References
    ----------
    Griffin & Lim (1984), Signal estimation from modified short-time Fourier transform. Perraudin, Balazs & Søndergaard
    (2013), A fast Griffin-Lim algorithm, algorithm 2.

    Examples
    --------
    >>> front_end = MelFrontEnd()
    >>> noise = torch.randn(1, 22050, generator=torch.Generator().manual_seed(1))
    >>> features = front_end(noise)
    >>> sound = GriffinLim(front_end).synthesise(features)
    >>> sound.shape, bool((front_end(sound) - features).abs().mean() < 0.03)
    (torch.Size([1, 22050]), True)
    """

    def __init__(self, front_end: MelFrontEnd, *, iterations: int = 64, momentum: float = 0.99, seed: int = 0) -> None:
        check_count("iterations", iterations)
        if not 0 <= momentum < 1:
            raise ArgumentError(f"The 'momentum' parameter must be from 0 to below 1, but got {momentum!r} instead.")
        if front_end.frames == 0 or front_end.normalise:
            raise ArgumentError(
                "Sound is rebuilt from decibels of a fixed number of frames, but the front end has "
                f"frames={front_end.frames} and normalise={front_end.normalise}, which takes the level away."
            )
        self.front_end = front_end
        self.iterations = iterations
        self.momentum = momentum
        self.seed = seed

    @property
    def settings(self) -> Mapping[str, object]:
        """The mel parameters that it inverts."""
        return self.front_end.configuration

    @property
    def attrs(self) -> Mapping[str, object]:
        """What identifies it, as plain values."""
        return {
            "vocoder": "griffin_lim",
            "vocoder_iterations": self.iterations,
            "vocoder_momentum": self.momentum,
            "vocoder_seed": self.seed,
        }

    def synthesise(self, features: Tensor) -> Tensor:
        """Make sound of features (token, time, mel): waveforms (token, sample), of about the original's loudness.

        No sound has features outside 0 to 1; such values are taken for the nearest of these.

        Raises
        ------
        ArgumentError
            The features have another shape.
        DataError
            They hold NaN or infinite values.
        """
        front_end = self.front_end
        front_end.check_features(features)
        bad = int((~torch.isfinite(features)).sum())
        if bad:
            raise DataError(f"{bad} of the features are NaN or infinite, and make no sound.")
        # Frames behind the end of a clip are zeros in natural speech: no sound can fill them.
        frames = min(front_end.frames, 1 + front_end.samples // front_end.hop)
        length = min(front_end.samples, front_end.hop * frames - 1)
        with torch.no_grad():
            mels = mel_magnitudes(features[:, :frames], front_end.configuration)
            magnitudes = linear_magnitudes(mels, front_end.filterbank.to(mels))
            sound = estimate_phases(
                magnitudes.transpose(1, 2),
                front_end.hop,
                samples=length,
                iterations=self.iterations,
                momentum=self.momentum,
                seed=self.seed,
            )
        return F.pad(sound, (0, front_end.samples - length))


def estimate_phases(
    magnitudes: Tensor,
    hop: int,
    *,
    samples: int,
    iterations: int = 64,
    momentum: float = 0.99,
    seed: int = 0,
) -> Tensor:
    """Find a waveform whose short-time Fourier transform has given magnitudes, by the fast Griffin-Lim algorithm.

    With magnitudes ``s`` and ``P`` the projection of a transform on those that a waveform has (inverse, then forward),
    step n computes ``c_n = P(s * exp(i * angle(t_(n-1))))`` and ``t_n = c_n + momentum * (c_n - c_(n-1))``, so that the
    momentum is the alpha of Perraudin et al. (2013). librosa and `torchaudio.functional.griffinlim` mean the same by
    it: they use ``c_n - momentum / (1 + momentum) * c_(n-1)``, which has the same angle. torchaudio's transform divided
    so twice before it was mended (pytorch/audio#2567): its .99 was .50 in truth.

    Parameters
    ----------
    magnitudes : Tensor
        (token, frequency, time), of a Hann window as long as the transform, frames centred, with reflections of the
        signal at both ends.
    hop : int
        Samples between frames.
    samples : int
        Length of the waveform: as many as give so many frames.
    iterations, momentum, seed
        As for `GriffinLim`.

    Returns
    -------
    Tensor
        (token, sample).

    Raises
    ------
    ArgumentError
        A waveform of so many samples has another number of frames.

    Examples
    --------
    >>> import torch
    >>> estimate_phases(torch.rand(1, 9, 12), 4, samples=44, iterations=2).shape
    torch.Size([1, 44])
    """
    frequencies, frames = magnitudes.shape[1:]
    if 1 + samples // hop != frames:
        raise ArgumentError(
            f"{samples} samples have {1 + samples // hop} frames, but there are {frames} of magnitudes."
        )
    n_fft = 2 * (frequencies - 1)
    window = torch.hann_window(n_fft, dtype=magnitudes.dtype, device=magnitudes.device)

    def waveforms(transform: Tensor) -> Tensor:
        return torch.istft(transform, n_fft, hop, window=window, length=samples)

    generator = torch.Generator().manual_seed(seed)
    # The same for every token: what is drawn must not depend on who else is in the batch.
    angles = 2 * torch.pi * torch.rand(1, frequencies, frames, generator=generator, dtype=magnitudes.dtype)
    estimate = magnitudes * torch.polar(torch.ones_like(angles), angles).to(magnitudes.device)
    before = torch.zeros_like(estimate)
    for _ in range(iterations):
        found = torch.stft(waveforms(estimate), n_fft, hop, window=window, return_complex=True)
        moved = found + momentum * (found - before)
        estimate = magnitudes * torch.sgn(moved)
        before = found
    return waveforms(estimate)
