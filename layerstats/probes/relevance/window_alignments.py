"""Where windows are aligned: at their middle, or where their relevance is greatest or least."""

from __future__ import annotations

import numpy as np

# The middle, and places of relevance over the whole map, or of its sum over frequency at each time step (Krug & Stober
# 2018, section 3.6).
NONE, LARGEST, LEAST = "none", "max_relevance", "min_relevance"
LARGEST_BY_TIME, LEAST_BY_TIME = "max_relevance_by_time", "min_relevance_by_time"


def alignments_of(method: str, *, by_time: bool = False) -> tuple[str, ...]:
    """Return how windows are aligned: sensitivity means something at its minimum, too.

    Examples
    --------
    >>> alignments_of("adapted"), alignments_of("gradient", by_time=True)[3:]
    (('none', 'max_relevance'), ('max_relevance_by_time', 'min_relevance_by_time'))
    """
    both = method == "gradient"
    over_map, of_steps = (LARGEST, LEAST), (LARGEST_BY_TIME, LEAST_BY_TIME)
    ends = 2 if both else 1
    return (NONE, *over_map[:ends], *(of_steps[:ends] if by_time else ()))


def aligned_at(relevance: np.ndarray, alignment: str) -> np.ndarray:
    """Return the sample at which each window is aligned, (window,), of relevance (window, frequency, sample).

    Examples
    --------
    >>> relevance = np.array([[[0.0, 3.0, -5.0, 1.0], [0.0, -2.0, 0.0, 1.0]]])
    >>> aligned_at(relevance, "max_relevance").tolist(), aligned_at(relevance, "max_relevance_by_time").tolist()
    ([1], [3])
    """
    windows, _, samples = relevance.shape
    if alignment == NONE:
        return np.full(windows, samples // 2)
    if alignment in (LARGEST_BY_TIME, LEAST_BY_TIME):
        series = relevance.sum(axis=1)
    else:
        series = relevance.max(axis=1) if alignment == LARGEST else relevance.min(axis=1)
    return series.argmax(axis=1) if alignment in (LARGEST, LARGEST_BY_TIME) else series.argmin(axis=1)
