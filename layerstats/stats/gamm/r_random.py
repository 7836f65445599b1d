"""Standard normal draws that equal R's, so that seeded intervals are the same in both languages."""

from __future__ import annotations

import numpy as np
from scipy import special

_MULTIPLIER = 69069
_WORD = 2**32
_UNIT = 2.3283064365386963e-10  # 2^-32 as R rounds it
_BIG = 2**27


class NormalDraws:
    """The sequence of ``set.seed(seed); rnorm(n)`` in R, with R's default generators.

    These are the Mersenne Twister (Matsumoto and Nishimura 1998), seeded by a linear congruential generator, and the
    inversion of the normal distribution function at a uniform number of 59 bits made of two draws.

    Parameters
    ----------
    seed : int
        As in R, below 2^31 in size.

    Examples
    --------
    >>> NormalDraws(1).take(3).round(7)  # rnorm(3) after set.seed(1)
    array([-0.6264538,  0.1836433, -0.8356286])
    """

    def __init__(self, seed: int) -> None:
        self._twister = np.random.MT19937()
        state = seed % _WORD
        for _ in range(51):  # 50 to mix the seed, one for the position in the key, which is not used
            state = (_MULTIPLIER * state + 1) % _WORD
        key = np.empty(624, dtype=np.uint32)
        for position in range(len(key)):
            state = (_MULTIPLIER * state + 1) % _WORD
            key[position] = state
        self._twister.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": len(key)}}

    def uniform(self, count: int) -> np.ndarray:
        """Return the next `count` uniform numbers, R's ``runif``."""
        words = self._twister.random_raw(count).astype(float) * _UNIT
        # R keeps its uniform numbers off the ends of the unit interval.
        return np.clip(words, _UNIT / 2, 1 - _UNIT / 2)

    def take(self, count: int) -> np.ndarray:
        """Return the next `count` draws."""
        uniform = self.uniform(2 * count)
        return special.ndtri((np.floor(_BIG * uniform[::2]) + uniform[1::2]) / _BIG)
