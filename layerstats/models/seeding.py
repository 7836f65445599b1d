"""Random numbers from a seed, with the caller's own random state left as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
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


@contextmanager
def seeded_everywhere(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Seed the random numbers of Python and numpy too: for code of others, that may draw from any of them.

    Examples
    --------
    >>> with seeded_everywhere(7):
    ...     first = random.random()
    >>> with seeded_everywhere(7):
    ...     random.random() == first
    True
    """
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global state, which others draw from
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        with seeded(seed, device):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
