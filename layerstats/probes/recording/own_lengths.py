"""Clips of their own length at the beginning of a recording: which are looked at, and how the rest is batched."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from layerstats.corpora import Clips
from layerstats.probes.layers.examine import TOKENS
from layerstats.probes.layers.rounding import same_pass

# How tokens share a batch: filled with zeros to the longest of them, only with others of their length, or not at all.
PADDED = "padded"
EQUAL_LENGTHS = "equal_lengths"
SINGLE = "single"
# Receptive fields are seen inside of clips that are longer than they are: of convolutions a fraction of this.
_TRACED_S = 2.0
# Where the effect of padding is measured a token is filled up to so many times its length at most.
PADDED_LENGTHS = 4
# What padding inside a network makes of the end of a clip differs with where that is on the grids of the layers.
_ENDS = 8


def first_waveforms(clips: Clips) -> np.ndarray:
    """Return the first clips, (token, sample), cut off where the shortest of them ends."""
    rows = slice(0, min(TOKENS, len(clips.tokens)))
    return clips.waveforms(rows)[:, : min(clips.lengths(rows))]


def traced_row(clips: Clips) -> int:
    """Return the clip that is traced: the shortest one of two seconds or more, else the longest."""
    lengths = clips.lengths()
    enough = np.flatnonzero(lengths >= _TRACED_S * clips.rate_hz)
    return int(enough[lengths[enough].argmin()] if len(enough) else lengths.argmax())


def padded_pair(lengths: np.ndarray) -> tuple[int, int] | None:
    """Return a clip and a longer one, beside which it is filled with zeros; None where all have one length.

    Examples
    --------
    >>> padded_pair(np.array([100, 300, 110, 9000])), padded_pair(np.array([5, 5]))
    ((2, 1), None)
    """
    order = np.argsort(lengths, kind="stable")
    middle = int(order[(len(order) - 1) // 2])
    within = order[lengths[order] <= PADDED_LENGTHS * lengths[middle]]
    longer = int(within[-1])
    if lengths[longer] > lengths[middle]:
        return middle, longer
    shortest = int(order[0])
    return (shortest, middle) if lengths[shortest] < lengths[middle] else None


def cut_lengths(length: int, hop: int, rate_hz: int) -> list[int]:
    """Return at which lengths a token is cut off where the effect of padding is measured: ends all over a hop.

    Parameters
    ----------
    length : int
        Of its clip, of which no more than a second is used.
    hop : int
        The largest hop of the layers, in samples of the clip.
    rate_hz : int
        Sampling rate of the clip.

    Examples
    --------
    >>> cut_lengths(9000, 20, 16000)
    [9000, 8997, 8994, 8991, 8988, 8985, 8982, 8979]
    """
    longest = min(length, rate_hz)
    # One more than the part, so that the ends fall on all places of the finer grids, too.
    found = [longest - end * (hop // _ENDS + 1) for end in range(_ENDS if hop > 1 else 1)]
    return [one for one in found if one > longest // 2]


def is_invariant(difference: float, rounding: float, dtype: torch.dtype) -> bool:
    """Tell whether what padding changes of a layer is no more than rounding, as of tokens of one length in a batch.

    Parameters
    ----------
    difference : float
        By how much a token's samples moved at most when zeros filled it up to another's length, relative to its size.
    rounding : float
        By how much it moved when others of its length went through with it.
    dtype : torch.dtype
        Type of the layer's output.
    """
    return difference <= max(same_pass(dtype), 10 * rounding)


def sharing(invariant: Mapping[str, bool] | None, batch_size: int) -> str:
    """Return how tokens share batches, by whether padding leaves each layer alone; None where that is not known."""
    if batch_size == 1:
        return SINGLE
    return PADDED if invariant is not None and all(invariant.values()) else EQUAL_LENGTHS


def batching_note(batches: str) -> str:
    """Return a sentence for who records: how clips of their own length went through the network, and why.

    Examples
    --------
    >>> batching_note("padded")[:53]
    'Tokens share batches, filled up with zeros to the lon'
    """
    if batches == PADDED:
        return (
            "Tokens share batches, filled up with zeros to the longest of them: that changes no layer by more than "
            "rounding (padding_difference)."
        )
    if batches == SINGLE:
        return "Every token went through the network by itself (batch_size=1)."
    return (
        "Only tokens of the same length share a batch: zeros behind a token would change what layers give of it "
        "(padding_difference), or that could not be measured."
    )
