"""A random generator of its own for every replicate, so that numbers do not depend on who computes them, or when."""

from __future__ import annotations

import numpy as np


def replicate_generator(seed: int, *replicate: int) -> np.random.Generator:
    """Return the generator of a replicate: the child of `seed` that `numpy.random.SeedSequence.spawn` would make.

    Examples
    --------
    >>> first = replicate_generator(1, 2).integers(1000)
    >>> bool(first == np.random.default_rng(np.random.SeedSequence(1).spawn(3)[2]).integers(1000))
    True
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=replicate))
