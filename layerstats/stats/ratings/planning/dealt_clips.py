"""Who hears which clip: every clip equally often, every condition by every rater as equally as can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerstats.errors import ArgumentError

# How often, per session, two sessions exchange clips, so that who hears what together is as good as drawn.
_TRADES = 10


def assign_clips(
    strata: Sequence[Sequence[str]], raters_per_clip: int, sessions: int, rng: np.random.Generator
) -> list[list[int]]:
    """Deal clips to sessions: each clip to `raters_per_clip` of them, and every stratum as equally as can be.

    Parameters
    ----------
    strata : sequence of sequence of str
        Of each clip its stratum: its condition, or its condition and, within it, its target, ...
    raters_per_clip, sessions : int
        How often each clip is heard, and by how many raters in all.
    rng : Generator
        What draws.

    Returns
    -------
    list of list of int
        Of each session the clips that it holds. Each clip is in exactly `raters_per_clip` sessions, once; sizes of
        sessions differ by one at most, and so do, between sessions, counts of clips of each stratum and of each
        condition (what stands first in a stratum).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> dealt = assign_clips([["a"], ["a"], ["b"], ["b"]], raters_per_clip=2, sessions=4, rng=rng)
    >>> [len(clips) for clips in dealt], sorted(sum(dealt, []))
    ([2, 2, 2, 2], [0, 0, 1, 1, 2, 2, 3, 3])
    """
    if raters_per_clip > sessions:
        raise ArgumentError(
            f"{raters_per_clip} raters a clip need as many sessions, but there are {sessions}. Possible are "
            f"raters_per_clip=1 to {sessions}."
        )
    order = _shuffled_by_stratum(strata, rng)
    # Dealt one by one in this order, the copies of a clip are neighbours, and so are the clips of a stratum and of a
    # condition: each is spread over sessions with counts that differ by one at most.
    copies = np.repeat(np.array(order, dtype=int), raters_per_clip)
    dealt: list[set[int]] = [set() for _ in range(sessions)]
    for place, clip in enumerate(copies.tolist()):
        dealt[place % sessions].add(clip)
    labels = {stratum: label for label, stratum in enumerate(dict.fromkeys(tuple(item) for item in strata))}
    stratum_of = [labels[tuple(item)] for item in strata]
    _trade(dealt, stratum_of, rng)
    shuffled = rng.permutation(sessions)
    return [sorted(dealt[session]) for session in shuffled]


def _shuffled_by_stratum(strata: Sequence[Sequence[str]], rng: np.random.Generator) -> list[int]:
    """Order clips so that strata stand together at every level, in a drawn order, clips too."""
    depth = len(strata[0]) if strata else 0
    keys: list[np.ndarray] = []
    for level in range(1, depth + 1):
        prefixes = [tuple(item[:level]) for item in strata]
        different = list(dict.fromkeys(prefixes))
        drawn = dict(zip(different, rng.permutation(len(different)).tolist(), strict=True))
        keys.append(np.array([drawn[prefix] for prefix in prefixes]))
    keys.append(rng.permutation(len(strata)))
    return np.lexsort(keys[::-1]).tolist()


def _trade(dealt: list[set[int]], stratum_of: Sequence[int], rng: np.random.Generator) -> None:
    """Let pairs of sessions exchange clips of one stratum that the other lacks (Strona et al. 2014, curveball)."""
    sessions = len(dealt)
    if sessions < 2:
        return
    pairs = rng.integers(0, sessions, size=(_TRADES * sessions, 2))
    for one, other in pairs.tolist():
        first, second = dealt[one] - dealt[other], dealt[other] - dealt[one]
        # Sorted, since the order of a set is no part of a seed.
        pool = rng.permutation(sorted(first | second)).tolist()
        room: dict[int, int] = {}
        for clip in first:
            room[stratum_of[clip]] = room.get(stratum_of[clip], 0) + 1
        for clip in pool:
            stratum = stratum_of[clip]
            here = room.get(stratum, 0) > 0
            room[stratum] = room.get(stratum, 0) - here
            source, target = (dealt[other], dealt[one]) if here else (dealt[one], dealt[other])
            source.discard(clip)
            target.add(clip)
