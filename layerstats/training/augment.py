"""Light changes of clips that leave the word as it is."""

from __future__ import annotations

import torch
from torch import Tensor


def shift_and_scale(
    waveforms: Tensor, generator: torch.Generator, largest_shift: int = 800, smallest_gain: float = 0.5
) -> Tensor:
    """Move every clip by a random number of samples and make it softer by a random factor.

    Parameters
    ----------
    waveforms : Tensor
        (token, sample).
    generator : torch.Generator
        Source of the random numbers.
    largest_shift : int
        Samples, to either side; what leaves the clip is lost and zeros move in. 800 samples are 50 ms at 16 kHz.
    smallest_gain : float
        Factors are drawn evenly between this and 1.

    Returns
    -------
    Tensor
        (token, sample).

    Examples
    --------
    >>> clips = torch.ones(2, 4)
    >>> changed = shift_and_scale(clips, torch.Generator().manual_seed(0), largest_shift=1)
    >>> changed.shape
    torch.Size([2, 4])
    """
    tokens, samples = waveforms.shape
    shift = torch.randint(-largest_shift, largest_shift + 1, (tokens, 1), generator=generator)
    gain = smallest_gain + (1 - smallest_gain) * torch.rand(tokens, 1, generator=generator)
    origin = torch.arange(samples) - shift
    moved = waveforms.gather(1, origin.clamp(0, samples - 1))
    return torch.where((origin >= 0) & (origin < samples), moved, 0.0) * gain
