"""Random numbers from a seed, with the caller's own random state left as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Run the block with torch seeded by `seed`; afterwards the random state is what it was before.

    Parameters
    ----------
    seed : int
        Any whole number.
    device : torch.device, optional
        A GPU whose random state is kept too.

    Examples
    --------
    >>> with seeded(7):
    ...     first = torch.rand(())
    >>> with seeded(7):
    ...     bool(torch.rand(()) == first)
    True
    """
    gpus = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        # Not torch.manual_seed: that would also reseed the GPUs that are not forked here.
        torch.default_generator.manual_seed(seed)
        for gpu in gpus:
            with torch.cuda.device(gpu):
                torch.cuda.manual_seed(seed)
        yield
