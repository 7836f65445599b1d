"""Replicates in blocks, on several threads; the numbers depend on neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from layerstats.checks import check_positive
from layerstats.errors import ArgumentError
from layerstats.stats.one_thread import one_blas_thread

# Replicates that are fitted side by side: enough to keep Python's share of the time small, and memory small.
BLOCK = 200


def check_replicates(replicates: int, least: int = 1) -> None:
    """Raise `ArgumentError` unless `replicates` is a whole number of at least `least`."""
    if not isinstance(replicates, (int, np.integer)) or replicates < least:
        raise ArgumentError(
            f"The 'replicates' parameter must be a whole number of {least} or more, but got {replicates!r} instead."
        )


def in_blocks(
    compute: Callable[[range], np.ndarray], replicates: int, workers: int = 1, block: int = BLOCK
) -> np.ndarray:
    """Return ``compute`` of all replicates, (replicate, ...); `compute` takes a range of their numbers.

    Examples
    --------
    >>> in_blocks(lambda numbers: np.array(numbers) ** 2, 5, block=2)
    array([ 0,  1,  4,  9, 16])
    """
    check_replicates(replicates)
    check_positive("block", block)
    if workers < 1:
        raise ArgumentError(f"The 'workers' parameter must be 1 or more, but got {workers!r} instead.")

    def ranges() -> Iterator[range]:
        return (range(first, min(first + block, replicates)) for first in range(0, replicates, block))

    with one_blas_thread():
        if workers == 1:
            return np.concatenate([compute(numbers) for numbers in ranges()])
        with ThreadPoolExecutor(workers) as pool:
            return np.concatenate(list(pool.map(compute, ranges())))
