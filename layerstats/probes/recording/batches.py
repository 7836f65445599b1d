"""Which clips go through a network together, and reading them while the network works on those before."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from layerstats.corpora import Clips


def consecutive(start: int, stop: int, batch_size: int) -> list[np.ndarray]:
    """Return the rows of batches of clips in their order; the last one may be smaller.

    Examples
    --------
    >>> consecutive(3, 8, 2)
    [array([3, 4]), array([5, 6]), array([7])]
    """
    return [np.arange(first, min(first + batch_size, stop)) for first in range(start, stop, batch_size)]


def by_length(
    lengths: np.ndarray, start: int, stop: int, batch_size: int, most_samples: int, *, equal: bool
) -> list[np.ndarray]:
    """Return the rows of batches of clips of their own length: neighbours in length together, the shortest first.

    They follow from the lengths of these rows alone, so that whoever records them forms the same batches.

    Parameters
    ----------
    lengths : ndarray
        Samples of all clips, (token,).
    start, stop : int
        First row, and the one after the last.
    batch_size : int
        Most tokens of a batch.
    most_samples : int
        Most samples of a batch with the zeros that fill it, unless one clip alone has more.
    equal : bool
        Only clips of one length share a batch.

    Examples
    --------
    >>> by_length(np.array([5, 2, 5, 9, 2]), 0, 5, batch_size=3, most_samples=15, equal=False)
    [array([1, 4, 0]), array([2]), array([3])]
    >>> by_length(np.array([5, 2, 5, 9, 2]), 0, 5, batch_size=3, most_samples=15, equal=True)
    [array([1, 4]), array([0, 2]), array([3])]
    """
    batches: list[list[int]] = []
    for row in start + np.argsort(lengths[start:stop], kind="stable"):
        length, last = lengths[row], batches[-1] if batches else []
        full = len(last) in (0, batch_size) or (len(last) + 1) * length > most_samples
        if full or (equal and lengths[last[0]] != length):
            batches.append([])
        batches[-1].append(int(row))
    return [np.array(rows) for rows in batches]


def read_batches(clips: Clips, batches: Sequence[np.ndarray]) -> Generator[tuple[np.ndarray, np.ndarray], None, None]:
    """Yield `(rows of clips.tokens, waveforms (token, sample))` of one batch after the other.

    Only two batches are in memory at a time.

    Parameters
    ----------
    clips : Clips
        What the network hears.
    batches : sequence of ndarray
        Rows of each.

    Raises
    ------
    AudioError
        Before the first batch, if a token's audio cannot be used.
    """
    clips.check_audio()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-clips") as reader:
        try:
            coming = [reader.submit(clips.waveforms, rows) for rows in batches[:1]]
            for index, rows in enumerate(batches):
                waveforms = coming.pop().result()
                coming += [reader.submit(clips.waveforms, following) for following in batches[index + 1 : index + 2]]
                yield rows, waveforms
        finally:
            reader.shutdown(cancel_futures=True)
