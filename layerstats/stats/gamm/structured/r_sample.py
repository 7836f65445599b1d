"""R's ``sample()``: mgcv chooses rows and knots of large tables with it, from seeds of its own."""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.draws import NormalDraws


class RSample:
    """The sequence of samples without replacement after ``set.seed(seed)`` in R.

    Examples
    --------
    >>> RSample(1).draw(10, 3)  # sample(10, 3) is 9 4 7
    array([8, 3, 6])
    """

    def __init__(self, seed: int) -> None:
        self._source = NormalDraws(seed)
        self._pieces: list[int] = []

    def draw(self, rows: int, size: int) -> np.ndarray:
        """Return R's ``sample(rows, size)``, from 0."""
        pool = list(range(rows))
        chosen = np.empty(size, dtype=np.int64)
        for position in range(size):
            place = self._integer(rows)
            chosen[position] = pool[place]
            rows -= 1
            pool[place] = pool[rows]
        return chosen

    def _integer(self, below: int) -> int:
        """Return R's next random integer below a number, by rejection of 16-bit pieces."""
        bits = int(below - 1).bit_length()
        value = below
        while value >= below:
            value = self._piece()
            if bits >= 16:
                value = 65536 * value + self._piece()
            value &= (1 << bits) - 1
        return value

    def _piece(self) -> int:
        if not self._pieces:
            self._pieces = np.floor(self._source.uniform(65536) * 65536).astype(int)[::-1].tolist()
        return self._pieces.pop()
