"""What each token is: its label, its speaker, and what the levels of a random term are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.gamm.batched.curves.random_levels import CELL, SPEAKER, TOKEN
from layerstats.stats.gamm.engine_interface import ModelRequest
from layerstats.stats.gamm.structured.smooths import GroupedTerm


def constant_codes(
    table: pd.DataFrame, column: str, token: np.ndarray, first: np.ndarray, order: list[str] | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the code of each token in a column that is constant within tokens, and the levels, sorted or as given."""
    codes, levels = pd.factorize(table[column], sort=True)
    if order is not None and set(order) == set(map(str, levels)):
        codes = np.where(codes < 0, -1, np.array([order.index(str(level)) for level in levels])[codes])
        levels = order
    if np.any(codes != codes[first][token]) or np.any(codes < 0):
        raise DataError(f"Column {column!r} must have one value in every token, and none may be missing.")
    return codes[first], tuple(map(str, levels))


def following_columns(request: ModelRequest, of_label: list, label: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns that are functions of the label, with their value for each; `label` is that of each row."""
    found = {}
    for column in request.frame.columns:
        values = request.frame[column]
        values = values.astype(object).to_numpy() if values.dtype == "category" else values.to_numpy()
        if np.all(values == values[of_label][label]):
            found[str(column)] = values[of_label]
    return found


def kind_of(
    term: GroupedTerm,
    frame: pd.DataFrame,
    token: np.ndarray,
    first: np.ndarray,
    label: np.ndarray,
    speaker: np.ndarray,
) -> str:
    """Return what the levels of a random term are."""
    levels = term.level_of(frame)
    if np.any(levels != levels[first][token]):
        raise DataError(f"The random term {term.label} changes its level within a token.")
    kind = _kind(levels[first], label, speaker)
    if kind is None:
        raise DataError(
            f"The random term {term.label} is neither of tokens, nor of speakers, nor of speakers' tokens of one label."
        )
    return kind


def _kind(level: np.ndarray, label: np.ndarray, speaker: np.ndarray) -> str | None:
    """Return what a partition of tokens is."""

    def same(codes: np.ndarray) -> bool:
        pairs = len(np.unique(np.stack([level, codes]), axis=1).T)
        return pairs == len(np.unique(level)) == len(np.unique(codes))

    if len(np.unique(level)) == len(level):
        return TOKEN
    if same(speaker):
        return SPEAKER
    return CELL if same(speaker * (label.max() + 1) + label) else None
