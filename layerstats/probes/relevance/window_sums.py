"""What windows come to by speaker and letter: sums and sums of squares of aligned maps, and how many cover each lag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from layerstats.probes.relevance.window_alignments import aligned_at


def lags(samples: int) -> np.ndarray:
    """Return the lags from where windows are aligned, as many as a window has samples.

    Examples
    --------
    >>> lags(5).tolist(), lags(4).tolist()
    ([-2, -1, 0, 1, 2], [-2, -1, 0, 1])
    """
    return np.arange(samples) - samples // 2


class WindowSums:
    """Adds up windows; the same windows in the same order give the same sums.

    Parameters
    ----------
    alignments : sequence of str
        As `alignments_of` names them.

    Examples
    --------
    >>> sums = WindowSums(["none", "max_relevance"])
    >>> relevance = np.array([[[0.0, 3.0, 1.0, 0.0]], [[0.0, 1.0, 0.0, 5.0]]])
    >>> sums.add(["s", "s"], np.array([0, 0]), {"relevance": relevance}, relevance)
    >>> found = sums.by_speaker["s"][0]
    >>> found["relevance_sum"][1].tolist(), found["coverage"][1].tolist()
    ([[1.0, 0.0, 8.0, 1.0]], [1, 2, 2, 1])
    """

    def __init__(self, alignments: Sequence[str]) -> None:
        self.alignments = tuple(alignments)
        self.by_speaker: dict[str, dict[int, dict[str, np.ndarray]]] = {}

    def add(
        self, speakers: Sequence[str], letters: np.ndarray, quantities: Mapping[str, np.ndarray], relevance: np.ndarray
    ) -> None:
        """Add windows.

        Parameters
        ----------
        speakers, letters
            (window,), the latter by number.
        quantities
            By name, (window, frequency, sample).
        relevance
            (window, frequency, sample), by which windows are aligned.
        """
        groups: dict[tuple[str, int], list[int]] = {}
        for row, key in enumerate(zip(speakers, letters.tolist(), strict=True)):
            groups.setdefault(key, []).append(row)
        totals = {key: self._of(*key, relevance.shape[1:], quantities) for key in groups}
        for place, alignment in enumerate(self.alignments):
            samples = aligned_at(relevance, alignment)[:, None] + lags(relevance.shape[2])
            inside = (samples >= 0) & (samples < relevance.shape[2])
            index = np.where(inside, samples, 0)[:, None, :]
            for rows, total in zip(groups.values(), totals.values(), strict=True):
                total["coverage"][place] += inside[rows].sum(axis=0)
                for name, values in quantities.items():
                    moved = np.take_along_axis(values[rows].astype(np.float64), index[rows], axis=2)
                    moved *= inside[rows][:, None, :]
                    total[f"{name}_sum"][place] += moved.sum(axis=0)
                    total[f"{name}_sum_of_squares"][place] += np.square(moved, out=moved).sum(axis=0)

    def _of(
        self, speaker: str, letter: int, shape: tuple[int, ...], quantities: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        letters = self.by_speaker.setdefault(speaker, {})
        if letter not in letters:
            size = (len(self.alignments), *shape)
            names = [f"{name}_{which}" for name in quantities for which in ("sum", "sum_of_squares")]
            letters[letter] = {name: np.zeros(size) for name in names}
            letters[letter]["coverage"] = np.zeros((size[0], size[-1]), dtype=np.int64)
        return letters[letter]
