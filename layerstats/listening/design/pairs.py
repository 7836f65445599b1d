"""Pairs for preference and triples for ABX, made of single clips of two conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import ArgumentError, DataError
from layerstats.listening.design.design_checks import sides_of


def paired_clips(
    clips: pd.DataFrame, contrasts: Sequence[str], match: Sequence[str], task: str, rng: np.random.Generator
) -> tuple[pd.DataFrame, list[str]]:
    """Pair clips of the two conditions of each contrast, those that agree in the columns `match`.

    Parameters
    ----------
    clips : DataFrame
        `clip, file, condition`, and the columns `match`.
    contrasts : sequence of str
        "a - b"; each makes pairs.
    match : sequence of str
        For instance `target`: both sounds of a pair are of the same word. Within what matches pairs are drawn, each
        clip in one pair of a contrast.
    task : {"preference", "abx"}
        Of ABX, x is a in half of the pairs of each contrast and b in the others.
    rng : Generator
        What draws.

    Returns
    -------
    pairs : DataFrame
        `clip, clip_a, clip_b, condition ("a - b"), condition_a, condition_b, file_a, file_b`, the columns `match`, and
        of ABX `file_x` and `expected`.
    notes : list of str
        How many clips have no partner, and whether contrasts share clips.

    Raises
    ------
    ArgumentError
        No contrast is given.
    DataError
        A clip lacks its name, sound, condition or what it is matched by, or the clips of a contrast share no value of
        the columns `match`.
    """
    if not contrasts:
        raise ArgumentError(
            f"A test of {task} needs contrasts of two conditions, such as 'maximized - natural', or a table of pairs "
            "with file_a and file_b."
        )
    check_columns(clips, ["condition", *match], "the table of clips")
    check_complete(clips, list(dict.fromkeys(["clip", "file", "condition", *match])), "the table of clips")
    known = list(dict.fromkeys(clips["condition"].astype(str)))
    rows: list[dict[str, Any]] = []
    notes = []
    for contrast in contrasts:
        sides = sides_of(contrast, known)
        found, alone = _pairs_of(clips, sides, list(match), rng)
        if not found:
            raise DataError(f"No clip of {sides[0]!r} has the same {', '.join(match)} as one of {sides[1]!r}.")
        if alone:
            notes.append(f"{alone} clips have no partner in {contrast!r} and are in no pair of it.")
        rows += [{**pair, "condition": contrast} for pair in found]
    pairs = pd.DataFrame(rows)
    heard = [*pairs["clip_a"].tolist(), *pairs["clip_b"].tolist()]
    if len(set(heard)) < len(heard):
        notes.append(
            "No rater hears a pair twice, but contrasts share clips: a rater may hear one clip in pairs of several."
        )
    return (_with_x(pairs, rng) if task == "abx" else pairs), notes


def _pairs_of(
    clips: pd.DataFrame, sides: tuple[str, str], match: list[str], rng: np.random.Generator
) -> tuple[list[dict[str, Any]], int]:
    groups: list[dict[tuple[str, ...], list[Any]]] = []
    for side in sides:
        own = pd.DataFrame(clips.loc[np.asarray(clips["condition"].astype(str) == side)])
        cells: dict[tuple[str, ...], list[Any]] = {}
        for row in own.iloc[rng.permutation(len(own))].to_dict("records"):
            cells.setdefault(tuple(str(row[name]) for name in match), []).append(row)
        groups.append(cells)
    pairs, alone = [], 0
    for cell in sorted(set(groups[0]) | set(groups[1])):
        first, second = (group.get(cell, []) for group in groups)
        alone += abs(len(first) - len(second))
        for a, b in zip(first, second, strict=False):
            pair = {"clip": f"{a['clip']} - {b['clip']}", **{name: a[name] for name in match}}
            for letter, row in (("a", a), ("b", b)):
                pair |= {f"{name}_{letter}": row[name] for name in ("clip", "condition", "file")}
            pairs.append(pair)
    return pairs, alone


def _with_x(pairs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Let x be a in half of the pairs of each contrast."""
    is_a = np.zeros(len(pairs), dtype=bool)
    for rows in pairs.groupby("condition", sort=False).indices.values():
        halves = (np.arange(len(rows)) + rng.integers(2)) % 2 == 0
        is_a[rows] = rng.permutation(halves)
    x = np.where(is_a, pairs["file_a"], pairs["file_b"])
    return pairs.assign(file_x=x, expected=np.where(is_a, "a", "b"))
