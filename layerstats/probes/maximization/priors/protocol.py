"""What a prior is: what is optimised instead of the network's input itself, and what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from layerstats.errors import ArgumentError
from layerstats.store.schema import Attribute

# Where a start comes from: noise in what the network hears, uniform noise within Xavier's bounds, tokens of a corpus,
# small random codes, or codes drawn as the prior's own network knows them.
STARTS = ("noise", "xavier_uniform", "data", "codes", "own")


@runtime_checkable
class Prior(Protocol):
    """What is optimised, how it becomes what the network hears, and what it costs; a new prior is a class like this.

    A prior works on many starts at once, and what it does to one must not depend on the others.

    Attributes
    ----------
    name : str
        What it is called in stores, for instance "autoencoder".
    attrs : mapping of str to plain values
        What determines it: its options by their names, so that it can be opened again, and `hash` of its weights or
        data and `sha256` of a checkpoint where there are any. They are part of an outcome's key.
    dims : tuple of str
        Names of the axes of what is optimised, after that of the starts: ("code",), ("time", "mel"), ("sample",).
    latent : bool
        Whether it is codes that are optimised. Of a latent prior the store keeps the codes, of any other what the
        network hears.
    starts : tuple of str
        Of `STARTS`, those that it knows, its usual one first.
    rate : float
        Usual rate of gradient-RMS steps.
    modules : tuple of torch.nn.Module
        Networks in it, which the caller puts on its device, in eval mode, and leaves as they were.
    takes_waveforms : bool
        Whether natural tokens are given to it as waveforms, at the network's rate, and not as what the network hears.
    """

    name: str
    attrs: Mapping[str, Attribute]
    dims: tuple[str, ...]
    latent: bool
    starts: tuple[str, ...]
    rate: float
    modules: tuple[nn.Module, ...]
    takes_waveforms: bool

    def start(self, kind: str, given: Tensor | None, generators: Sequence[torch.Generator], deviation: float) -> Tensor:
        """Return where starts begin, (start, ...) with the axes of `dims`, on the device of its networks or of `given`.

        Parameters
        ----------
        kind : str
            One of its `starts`.
        given : Tensor or None
            Of natural tokens, where `kind` is "data": what the network hears, (start, ...), or, where the prior
            `takes_waveforms`, the waveforms (start, sample).
        generators : sequence of torch.Generator
            One a start, on the CPU, seeded: whatever is drawn for a start comes from its own.
        deviation : float
            Standard deviation of noise and of small random codes.
        """
        ...

    def render(self, variables: Tensor) -> Tensor:
        """Return what the network hears, (start, ...), of what is optimised, by operations with a gradient."""
        ...

    def penalty(self, variables: Tensor, heard: Tensor) -> Tensor | None:
        """Return what is subtracted from the objective, (start,), with its gradient; None where nothing is."""
        ...

    def constrain(self, variables: Tensor) -> Tensor:
        """Return the variables within the bounds that they must keep; called after every step, without gradient."""
        ...


def drawn(shape: Sequence[int], generators: Sequence[torch.Generator], deviation: float = 1.0) -> Tensor:
    """Draw normal noise of a shape for each start from its own generator: (start, ...), float32, on the CPU.

    Noise is drawn in single precision whatever the network's type, so that the same seed is the same start.

    Examples
    --------
    >>> seeds = [torch.Generator().manual_seed(seed) for seed in (3, 4)]
    >>> bool((drawn((2,), seeds)[1] == drawn((2,), [torch.Generator().manual_seed(4)])[0]).all())
    True
    """
    if not generators:
        return torch.zeros((0, *shape))
    return torch.stack([torch.randn(*shape, generator=generator) for generator in generators]) * deviation


def drawn_uniform(shape: Sequence[int], generators: Sequence[torch.Generator]) -> Tensor:
    """Draw uniform noise for each start from its own generator, within Xavier's bounds: (start, ...), float32.

    The bounds are +-sqrt(6 / (fan_in + fan_out)) of Glorot & Bengio (2010), where the fans are the lengths of the
    axes; of 206 frames of 128 bands +-.134.

    Raises
    ------
    ArgumentError
        There is one axis only, which has no fans.

    Examples
    --------
    >>> noise = drawn_uniform((206, 128), [torch.Generator().manual_seed(0)])
    >>> noise.shape, round(float(noise.abs().max()), 3)
    (torch.Size([1, 206, 128]), 0.134)
    """
    if len(shape) < 2:
        raise ArgumentError(
            "Starts from xavier_uniform have bounds made of the lengths of two axes or more, but what is optimised "
            f"has the shape {tuple(shape)}. Choose start_from='noise'."
        )
    if not generators:
        return torch.zeros((0, *shape))
    return torch.stack([nn.init.xavier_uniform_(torch.empty(*shape), generator=one) for one in generators])


def needed(given: Tensor | None) -> Tensor:
    """Return what natural tokens are heard as, or raise `ArgumentError` where a start from data has none."""
    if given is None:
        raise ArgumentError("Starts from data need natural tokens: give a corpus.")
    return given
