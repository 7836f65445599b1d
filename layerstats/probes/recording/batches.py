"""Clips in batches, the next one read while the network works on this one."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from layerstats.corpora import Clips


def read_batches(
    clips: Clips, batch_size: int, start: int = 0, stop: int | None = None
) -> Generator[tuple[slice, np.ndarray], None, None]:
    """Yield `(rows of clips.tokens, waveforms (token, sample))` of the rows from `start` to `stop`.

    Only two batches are in memory at a time.

    Parameters
    ----------
    clips : Clips
        What the network hears.
    batch_size : int
        Tokens in a batch; the last one may be smaller.
    start, stop : int
        First row, and the one after the last; to the end by default.

    Raises
    ------
    AudioError
        Before the first batch, if a token's audio cannot be used.
    """
    clips.check_audio()
    total = len(clips.tokens) if stop is None else stop
    slices = [slice(first, min(first + batch_size, total)) for first in range(start, total, batch_size)]
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-clips") as reader:
        try:
            coming = [reader.submit(clips.waveforms, rows) for rows in slices[:1]]
            for index, rows in enumerate(slices):
                waveforms = coming.pop().result()
                coming += [reader.submit(clips.waveforms, following) for following in slices[index + 1 : index + 2]]
                yield rows, waveforms
        finally:
            reader.shutdown(cancel_futures=True)
