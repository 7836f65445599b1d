"""What is put where speech is taken away: zero is no speech, and what stands there decides what is measured."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.models import seeded

Replacement = str | float | Tensor | Callable[[Tensor], Tensor]

REPLACEMENTS = ("zero", "mean", "noise")


def replacement_values(values: Tensor, replacement: Replacement, time_axis: int, seed: int = 0) -> Tensor:
    """Return what may stand in place of each value, shaped like the values.

    Parameters
    ----------
    values : Tensor
        (token, ...), features or waveforms.
    replacement : str, float, Tensor or callable
        "zero"; "mean", the token's own mean over time, in features its mean spectrum; "noise", in features Gaussian
        noise with the mean and standard deviation over time of each frequency of the token, in waveforms noise with
        the token's magnitude spectrum (phases at random); a number; other values, for instance the frames of another
        utterance or the speaker's mean spectrum, which may be broadcast; or a function of the values that returns such.
    time_axis : int
        Axis of time among the values'.
    seed : int
        Of noise; the same for each token, whichever others are in the batch.

    Raises
    ------
    ArgumentError
        There is no replacement of that name, or it does not fit the values.

    Examples
    --------
    >>> replacement_values(torch.tensor([[[1.0, 2.0], [3.0, 6.0]]]), "mean", 1)
    tensor([[[2., 4.],
             [2., 4.]]])
    """
    if callable(replacement):
        replacement = replacement(values)
    if isinstance(replacement, Tensor):
        try:
            return replacement.to(values).expand_as(values)
        except RuntimeError:
            raise ArgumentError(
                f"What is to replace values of shape {tuple(values.shape)} has the shape {tuple(replacement.shape)}, "
                "which cannot be broadcast to it."
            ) from None
    if isinstance(replacement, float | int) and not isinstance(replacement, bool):
        return torch.full_like(values, float(replacement))
    check_choice("replacement", replacement, REPLACEMENTS)
    if replacement == "zero":
        return torch.zeros_like(values)
    mean = values.mean(dim=time_axis, keepdim=True)
    if replacement == "mean":
        return mean.expand_as(values)
    if values.ndim == 2:
        return _phases_at_random(values, seed)
    return mean + values.std(dim=time_axis, keepdim=True, correction=0) * _noise(values[0], seed)


def _noise(values: Tensor, seed: int) -> Tensor:
    with seeded(seed):
        return torch.randn(values.shape).to(values)


def _phases_at_random(waveforms: Tensor, seed: int) -> Tensor:
    """Return waveforms (token, sample) of the same magnitude spectra, with phases drawn from the seed."""
    spectra = torch.fft.rfft(waveforms)
    with seeded(seed):
        phases = 2 * torch.pi * torch.rand(spectra.shape[1])
    # The mean, and of an even length the highest frequency, have no phase.
    phases[0] = 0
    phases[-1] = phases[-1] if waveforms.shape[1] % 2 else 0
    turned = spectra.abs() * torch.polar(torch.ones_like(phases), phases).to(spectra)
    return torch.fft.irfft(turned, n=waveforms.shape[1])
