"""How many sessions a test has, and which of a pair is heard first in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerstats.checks import check_count
from layerstats.errors import ArgumentError

# A session and a clip, each a kind and a number.
_End = tuple[str, int]
_Edge = tuple[_End, _End]


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
