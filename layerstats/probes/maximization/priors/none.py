"""No prior: what the network hears is optimised itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from layerstats.errors import ArgumentError
from layerstats.probes.maximization.hearing import Hearing
from layerstats.probes.maximization.priors.protocol import drawn, drawn_uniform, needed
from layerstats.store.schema import Attribute


class NoPrior:
    """Optimise features or waveforms themselves: what the network answers to, whether it is speech or not.

    Parameters
    ----------
    hearing : Hearing
        What the network hears (`hearing_of`).
    bounds : pair of float, optional
        Smallest and largest value, to which each step is clipped: (0, 1) for mel features. None by default, as in
        Soomro et al. (2019).

    Raises
    ------
    ArgumentError
        The bounds are not two numbers, the smaller one first.

    Examples
    --------
    >>> prior = NoPrior(Hearing(("time", "mel"), (90, 80)))
    >>> prior.start("noise", None, [torch.Generator().manual_seed(0)], 0.1).shape
    torch.Size([1, 90, 80])
    """

    name = "none"
    latent = False
    starts: tuple[str, ...] = ("noise", "xavier_uniform", "data")
    takes_waveforms = False
    rate = 0.01
    modules: tuple[nn.Module, ...] = ()

    def __init__(self, hearing: Hearing, *, bounds: tuple[float, float] | None = None) -> None:
        if bounds is not None and not (len(bounds) == 2 and bounds[0] < bounds[1]):
            raise ArgumentError(
                f"The 'bounds' parameter must be two numbers, the smaller one first, but got {bounds!r} instead."
            )
        self.hearing, self.bounds = hearing, bounds
        self.dims = hearing.dims
        self.attrs: Mapping[str, Attribute] = {} if bounds is None else {"bounds": [float(bound) for bound in bounds]}

    def start(self, kind: str, given: Tensor | None, generators: Sequence[torch.Generator], deviation: float) -> Tensor:
        """Return noise, or the natural tokens themselves: (start, ...)."""
        if kind == "xavier_uniform":
            heard = drawn_uniform(self.hearing.shape, generators)
        else:
            heard = drawn(self.hearing.shape, generators, deviation) if kind == "noise" else needed(given)
        return self.constrain(heard.to(self.hearing.dtype))

    def render(self, variables: Tensor) -> Tensor:
        """Return the variables: they are what is heard."""
        return variables

    def penalty(self, variables: Tensor, heard: Tensor) -> Tensor | None:
        """Return None: nothing is subtracted."""
        return None

    def constrain(self, variables: Tensor) -> Tensor:
        """Return the variables, clipped to the bounds where there are any."""
        return variables if self.bounds is None else variables.clamp(*self.bounds)
