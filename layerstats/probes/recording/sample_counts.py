"""How many samples a layer gives of a clip of some length: what lies behind is of the zeros that fill a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class SampleCounts(Protocol):
    """How many samples of a layer are of clips by their lengths; `hop` is one that matters to where a clip ends."""

    @property
    def hop(self) -> int:
        """From one sample of the layer to the next, in samples of the clip; 1 where all clips end in the same place."""
        ...

    def of(self, lengths: np.ndarray) -> np.ndarray:
        """Return the number of samples (token,) of clips of these lengths (token,), in samples of the clip."""
        ...


@dataclass(frozen=True)
class CountsByLength:
    """What convolutions give: one sample of the shortest clip that they can hear, and one more every `hop`.

    Windows without padding, and with any, follow this rule one after the other, as
    ``floor((floor(x / a) + m) / b) = floor((x + a m) / (a b))``.

    Parameters
    ----------
    hop : int
        From one sample of the layer to the next, in samples of the clip.
    shortest : int
        Length of the shortest clip of which there is a sample; below 0 where padding makes more.

    Examples
    --------
    >>> CountsByLength(hop=320, shortest=400).of(np.array([399, 400, 719, 720, 16000]))
    array([ 0,  1,  1,  2, 49])
    """

    hop: int
    shortest: int

    def of(self, lengths: np.ndarray) -> np.ndarray:
        """Return the number of samples (token,) of clips of these lengths (token,)."""
        return np.maximum((lengths - self.shortest) // self.hop + 1, 0)


@dataclass(frozen=True, eq=False)
class CountsByTime:
    """Samples whose times lie inside the clip, of a network that hears the same number of samples of every clip.

    Parameters
    ----------
    time_s : ndarray
        Centres of the layer's samples, (sample,), seconds.
    rate_hz : int
        Sampling rate of the clips.

    Examples
    --------
    >>> CountsByTime(np.array([0.0, 0.02, 0.04]), 16000).of(np.array([80, 321, 480000]))
    array([1, 2, 3])
    """

    time_s: np.ndarray
    rate_hz: int
    hop: int = 1

    def of(self, lengths: np.ndarray) -> np.ndarray:
        """Return the number of samples (token,) of clips of these lengths (token,): one at least."""
        return np.maximum(np.searchsorted(self.time_s, lengths / self.rate_hz, side="left"), 1)


def find_counts(
    count_at: Callable[[int], Mapping[str, int]], layer: str, hop: float, length: int, shortest: float
) -> CountsByLength | None:
    """Find the rule by which a layer's samples follow from the length of the clip; None where it is another one.

    The shortest clip is known but for a hop from one count; runs of clips of chosen lengths halve that.

    Parameters
    ----------
    count_at : callable
        Returns by layer the samples of a clip of so many samples.
    layer : str
        Name of the layer.
    hop : float
        From one sample of the layer to the next, in samples of the clip.
    length : int
        Where it is looked: clips of about this length.
    shortest : float
        A guess, which saves runs where it is right.

    Examples
    --------
    >>> find_counts(lambda length: {"conv": (length - 7) // 4 + 1}, "conv", 4.0, 100, shortest=5)
    CountsByLength(hop=4, shortest=7)
    """
    step = round(hop)
    if step < 1 or abs(hop - step) > 1e-6 * step:
        return None
    count = count_at(length)[layer]
    low, high = length - count * step + 1, length - (count - 1) * step
    pivots = [round(shortest), round(shortest) - 1]
    while low < high:
        pivot = next((one for one in pivots if low <= one < high), (low + high) // 2)
        # A clip of `count - 1` hops more than the shortest has `count` samples.
        if count_at(pivot + (count - 1) * step)[layer] >= count:
            high = pivot
        else:
            low = pivot + 1
    return CountsByLength(step, low)
