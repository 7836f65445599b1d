"""R's ``sample()``: mgcv chooses rows and knots of large tables with it, from seeds of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from layerstats.stats.gamm.r_random import NormalDraws

# Random numbers are made by so many.
_CHUNK = 8192


class RSample:
    """The sequence of samples without replacement after ``set.seed(seed)`` in R.

    Examples
    --------
    >>> RSample(1).draw(10, 3)  # sample(10, 3) is 9 4 7
    array([8, 3, 6])
    """

    def __init__(self, seed: int) -> None:
        self._pieces = _pieces(NormalDraws(seed))

    def draw(self, rows: int, size: int) -> np.ndarray:
        """Return R's ``sample(rows, size)``, from 0."""
        return np.fromiter(islice(self.shuffle(rows), size), dtype=np.int64, count=size)

    def shuffle(self, rows: int) -> Iterator[int]:
        """Yield R's ``sample(rows, rows)`` one by one, from 0; the beginning is that of every smaller sample."""
        # Only what was exchanged is kept of the pool from which rows are drawn.
        exchanged: dict[int, int] = {}
        for left in range(rows, 0, -1):
            place = self._integer(left)
            yield exchanged.get(place, place)
            exchanged[place] = exchanged.pop(left - 1, left - 1)

    def _integer(self, below: int) -> int:
        """Return R's next random integer below a number, by rejection of 16-bit pieces."""
        bits = int(below - 1).bit_length()
        value = below
        while value >= below:
            value = next(self._pieces)
            if bits >= 16:
                value = 65536 * value + next(self._pieces)
            value &= (1 << bits) - 1
        return value


def _pieces(source: NormalDraws) -> Iterator[int]:
    """Yield the 16 bits of R's random numbers that its integers are made of."""
    while True:
        yield from np.floor(source.uniform(_CHUNK) * 65536).astype(int).tolist()
