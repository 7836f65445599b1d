"""Who hears which clip: every clip equally often, every condition by every rater as equally as can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerstats.checks import check_count
from layerstats.errors import ArgumentError

# A session and a clip, each a kind and a number.
_End = tuple[str, int]
_Edge = tuple[_End, _End]
# How often, per session, two sessions exchange clips, so that who hears what together is as good as drawn.
_TRADES = 10


def session_count(clips: int, raters_per_clip: int, trials_per_session: int) -> int:
    """Return how many sessions let so many raters hear each clip.

    Raises
    ------
    ArgumentError
        A rater would hear a clip twice; says what would be possible.

    Examples
    --------
    >>> session_count(clips=630, raters_per_clip=5, trials_per_session=30)
    105
    """
    check_count("raters_per_clip", raters_per_clip)
    check_count("trials_per_session", trials_per_session)
    if trials_per_session > clips:
        raise ArgumentError(
            f"A session cannot have {trials_per_session} trials of {clips} clips without a clip twice. Possible are "
            f"trials_per_session=1 to {clips}."
        )
    # Never fewer than raters_per_clip, since a session holds no more trials than there are clips.
    return -(-clips * raters_per_clip // trials_per_session)


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


def balanced_halves(sessions: Sequence[int], clips: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """Draw for each trial one of two sides so that both are equally frequent in each session and for each clip.

    Trials are the edges of a graph of sessions and clips; sides are taken alternately along its closed trails.

    Returns
    -------
    ndarray
        Of bool (trial,); counts of the two sides differ by one at most within every session and every clip.

    Examples
    --------
    >>> sides = balanced_halves([0, 0, 1, 1], [0, 1, 0, 1], np.random.default_rng(0))
    >>> sides[:2].sum().item(), sides[2:].sum().item(), sides[[0, 2]].sum().item()
    (1, 1, 1)
    """
    edges: list[_Edge] = [(("session", a), ("clip", b)) for a, b in zip(sessions, clips, strict=True)]
    order = rng.permutation(len(edges)).tolist()
    drawn = [edges[index] for index in order] + _even_out(edges)
    neighbours: dict[_End, list[int]] = {}
    for index, edge in enumerate(drawn):
        for end in edge:
            neighbours.setdefault(end, []).append(index)
    sides = np.zeros(len(drawn), dtype=bool)
    used = np.zeros(len(drawn), dtype=bool)
    for start in list(neighbours):
        here, side = start, bool(rng.integers(2))
        while True:
            while neighbours[here] and used[neighbours[here][-1]]:
                neighbours[here].pop()
            if not neighbours[here]:
                break
            index = neighbours[here].pop()
            used[index], sides[index] = True, side
            side = not side
            here = drawn[index][1] if drawn[index][0] == here else drawn[index][0]
    halves = np.empty(len(edges), dtype=bool)
    halves[order] = sides[: len(edges)]
    return halves


def _even_out(edges: Sequence[_Edge]) -> list[_Edge]:
    """Return edges to a further session and a further clip that make every end's number even."""
    degree: dict[_End, int] = {}
    for edge in edges:
        for end in edge:
            degree[end] = degree.get(end, 0) + 1
    extra = {"session": ("clip", -1), "clip": ("session", -1)}
    added = []
    for end, number in degree.items():
        if number % 2:
            added.append((end, extra[end[0]]) if end[0] == "session" else (extra[end[0]], end))
    odd = [end for end in extra.values() if sum(end in edge for edge in added) % 2]
    if len(odd) == 2:
        added.append((("session", -1), ("clip", -1)))
    return added
