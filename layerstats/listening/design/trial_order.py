"""In which order a rater hears clips: drawn, without long runs of one condition."""

from __future__ import annotations

import numpy as np

# The longest run of one condition, where the conditions of a session allow it.
LONGEST_RUN = 2


def shuffled_order(conditions: list[str], rng: np.random.Generator, longest_run: int = LONGEST_RUN) -> list[int]:
    """Draw an order in which no condition stands more than `longest_run` times in a row, or as seldom as can be.

    Parameters
    ----------
    conditions : list of str
        Of each trial its condition.
    rng : Generator
        What draws.
    longest_run : int
        Where one condition is so frequent that longer runs cannot be avoided, the next longer that is possible.

    Returns
    -------
    list of int
        The trials in their order.

    Examples
    --------
    >>> order = shuffled_order(["a"] * 4 + ["b"] * 2, np.random.default_rng(3), longest_run=2)
    >>> "".join((["a"] * 4 + ["b"] * 2)[trial] for trial in order)
    'aabaab'
    """
    waiting: dict[str, list[int]] = {}
    for trial in rng.permutation(len(conditions)).tolist():
        waiting.setdefault(conditions[trial], []).append(trial)
    counts = {name: len(trials) for name, trials in waiting.items()}
    total = len(conditions)
    longest = max([longest_run, *(-(-count // (total - count + 1)) for count in counts.values())])
    order: list[int] = []
    last, run = "", 0
    for _ in range(total):
        possible = [name for name, count in counts.items() if count and not (name == last and run >= longest)]
        possible = _feasible(possible, counts, last, run, longest)
        weights = np.array([counts[name] for name in possible], dtype=float)
        name = possible[int(rng.choice(len(possible), p=weights / weights.sum()))]
        run = run + 1 if name == last else 1
        last = name
        counts[name] -= 1
        order.append(waiting[name].pop())
    return order


def _feasible(possible: list[str], counts: dict[str, int], last: str, run: int, longest: int) -> list[str]:
    """Return the conditions after which what is left can still be laid out without a longer run."""
    rest = sum(counts.values()) - 1
    if max(counts.values()) * (1 + longest) <= longest * rest:
        # Even the most frequent one fits, so that all do.
        return possible
    # A condition fits into the gaps between the others and what is left of its own run; the most frequent decides.
    frequent = sorted(counts, key=counts.__getitem__)[-2:]

    def fits(name: str) -> bool:
        now = run + 1 if name == last else 1
        own = counts[name] - 1
        others = max((counts[other] for other in frequent if other != name), default=0)
        return own <= longest - now + longest * (rest - own) and others <= longest * (1 + rest - others)

    return [name for name in possible if fits(name)] or possible


def spread_places(extras: int, total: int, rng: np.random.Generator) -> list[int]:
    """Draw places, from 0, of so many extra trials among `total` of all: one in each of as many equal stretches.

    Never the very first trial where there are others.

    Examples
    --------
    >>> places = spread_places(2, 12, np.random.default_rng(0))
    >>> 1 <= places[0] < 6 <= places[1] < 12
    True
    """
    edges = np.linspace(0, total, extras + 1).astype(int)
    stretches = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return [int(rng.integers(min(max(low, 1), high - 1), high)) for low, high in stretches]
