"""The starts of a maximization: a row each, with a seed of its own and the natural token that it begins from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_count
from layerstats.errors import ArgumentError, CorpusError

MATCHES = ("own", "any")


def start_seed(seed: int, set_up: str, target: str, number: int) -> int:
    """Return the seed of one start: it depends on nothing else, so that the start can be made again alone.

    Parameters
    ----------
    seed : int
        Of the whole maximization.
    set_up, target : str
        Names.
    number : int
        Of the start, from 0, among those of its target.

    Returns
    -------
    int
        Between 0 and 2**63 - 1.

    Examples
    --------
    >>> start_seed(0, "none", "yes", 17) == start_seed(0, "none", "yes", 17) != start_seed(0, "none", "yes", 18)
    True
    """
    text = f"{seed}\n{set_up}\n{target}\n{number}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def start_table(
    targets: Sequence[str],
    starts: int,
    *,
    seed: int = 0,
    set_up: str = "none",
    tokens: pd.DataFrame | None = None,
    match: str = "own",
) -> pd.DataFrame:
    """Return all starts, target by target.

    Parameters
    ----------
    targets : sequence of str
        Names of the units.
    starts : int
        For each target.
    seed : int
        Of the whole maximization.
    set_up : str
        Its name.
    tokens : DataFrame, optional
        `token, word`: the natural tokens that starts begin from. Each target takes them in an order drawn from the
        seed, and begins anew when all are used.
    match : {"own", "any"}
        Whether a target's starts begin from tokens of its own word, or from any.

    Returns
    -------
    DataFrame
        ``start, target, number, seed, token``; `token` is "" where there are none.

    Raises
    ------
    ArgumentError
        A target is there twice, or none is.
    CorpusError
        No token is of a target's word.

    Examples
    --------
    >>> start_table(["yes", "no"], 2)["start"].tolist()
    ['yes_00000', 'yes_00001', 'no_00000', 'no_00001']
    """
    check_count("starts", starts)
    check_choice("match", match, MATCHES)
    named = list(targets)
    if isinstance(targets, str) or not named or len(set(named)) < len(named):
        raise ArgumentError(f"The 'targets' parameter must list one or more different targets, but got {targets!r}.")
    frames = [
        pd.DataFrame(
            {
                "start": [f"{target}_{number:05d}" for number in range(starts)],
                "target": target,
                "number": np.arange(starts),
                "seed": [start_seed(seed, set_up, target, number) for number in range(starts)],
                "token": "" if tokens is None else _tokens(tokens, target, starts, seed, set_up, match),
            }
        )
        for target in named
    ]
    return pd.concat(frames, ignore_index=True)


def _tokens(tokens: pd.DataFrame, target: str, starts: int, seed: int, set_up: str, match: str) -> np.ndarray:
    own = tokens if match == "any" else tokens.loc[tokens["word"] == target]
    if own.empty:
        words = sorted(set(tokens["word"]))
        raise CorpusError(
            f"No token of the corpus is the word {target!r}, from which its starts would begin. Its words are: "
            f"{', '.join(words[:40])}. Choose another corpus, or begin from any word (match='any', --match any)."
        )
    # A number that no start has.
    order = np.random.default_rng(start_seed(seed, set_up, target, -1)).permutation(len(own))
    return own["token"].to_numpy(dtype=object)[order[np.arange(starts) % len(own)]]
