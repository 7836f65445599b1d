"""Which code stands for which word: the best one-to-one assignment."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

UNASSIGNED = -1


def best_assignment(tables: np.ndarray) -> np.ndarray:
    """Return the code of each word so that most tokens have their word's code, (table, word); -1 for none.

    A code stands for one word and a word for one code (Kuhn's Hungarian algorithm). Where there are more words than
    codes, or no token speaks for a code, words stay without.

    Parameters
    ----------
    tables
        (table, word, code) tokens.

    Examples
    --------
    >>> best_assignment(np.array([[[5, 4, 0], [6, 1, 0]]]))
    array([[1, 0]])
    """
    codes = np.full(tables.shape[:2], UNASSIGNED)
    for number, table in enumerate(tables):
        word, code = linear_sum_assignment(table, maximize=True)
        supported = table[word, code] > 0
        codes[number, word[supported]] = code[supported]
    return codes


def tokens_with_code(tables: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return how many tokens of each word have its code, (table, word)."""
    chosen = np.take_along_axis(tables, np.maximum(codes, 0)[..., None], axis=-1)[..., 0]
    return np.where(codes == UNASSIGNED, 0, chosen)
