"""Replicates in blocks, side by side; the numbers do not depend on where they are computed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from layerstats.checks import check_positive
from layerstats.errors import ArgumentError
from layerstats.parallel import RunOptions
from layerstats.stats.one_thread import run_on_one_thread_each

# Replicates that are fitted side by side: enough to keep Python's share of the time small, and memory small.
BLOCK = 200


def check_replicates(replicates: int, least: int = 1) -> None:
    """Raise `ArgumentError` unless `replicates` is a whole number of at least `least`."""
    if not isinstance(replicates, (int, np.integer)) or replicates < least:
        raise ArgumentError(
            f"The 'replicates' parameter must be a whole number of {least} or more, but got {replicates!r} instead."
        )


def blocks_of(replicates: int, block: int = BLOCK) -> list[range]:
    """Return the numbers of replicates in blocks.

    Examples
    --------
    >>> blocks_of(5, 2)
    [range(0, 2), range(2, 4), range(4, 5)]
    """
    return [range(first, min(first + block, replicates)) for first in range(0, replicates, block)]


def in_blocks(
    compute: Callable[[range], np.ndarray], replicates: int, run: RunOptions | None = None, block: int = BLOCK
) -> np.ndarray:
    """Return ``compute`` of all replicates, (replicate, ...); `compute` takes a range of their numbers.

    Parameters
    ----------
    compute
        At the level of a module, or a `functools.partial` of such a one.
    replicates, block
        How many, and how many at a time.
    run
        Where; by default here.

    Examples
    --------
    >>> in_blocks(np.array, 5, block=2)
    array([0, 1, 2, 3, 4])
    """
    check_replicates(replicates)
    check_positive("block", block)
    blocks = blocks_of(replicates, block)
    return np.concatenate(run_on_one_thread_each(compute, blocks, run or RunOptions(), replicates_told))


def replicates_told(numbers: range) -> str:
    """Return a block of replicates as messages call it.

    Examples
    --------
    >>> replicates_told(range(200, 400))
    'replicates 201 to 400'
    """
    return f"replicates {numbers.start + 1} to {numbers.stop}"
