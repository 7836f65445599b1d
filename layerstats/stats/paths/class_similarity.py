"""How alike what a layer gives of items is: within words, between them, and of other items to natural ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

SIMILARITIES = ("correlation", "rank", "cosine")


def similarity_matrix(values: np.ndarray, similarity: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the similarity of every pair of items, (item, item), and which items have no pattern, (item,).

    Where all units give the same of an item it has none: it is like nothing, 0.

    Parameters
    ----------
    values
        (item, unit) what the layer gives.
    similarity
        "correlation" (Pearson's, over units), "rank" (Spearman's, as Geirhos et al. 2023) or "cosine".

    Examples
    --------
    >>> similarity_matrix(np.array([[1.0, 2.0, 4.0], [2.0, 4.0, 8.0], [4.0, 2.0, 1.0]]), "rank")[0].round(2)
    array([[ 1.,  1., -1.],
           [ 1.,  1., -1.],
           [-1., -1.,  1.]])
    """
    if similarity == "rank":
        values = stats.rankdata(values, axis=1)
    whole = np.sqrt(np.einsum("iu,iu->i", values, values))
    if similarity != "cosine":
        values = values - values.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("iu,iu->i", values, values))
    # Single precision leaves this much of what is all the same.
    still = lengths <= 1e-6 * whole
    scaled = np.where(still[:, None], 0.0, values / np.where(still, 1.0, lengths)[:, None])
    # Rounding takes an item's similarity to itself beyond 1.
    return np.clip(scaled @ scaled.T, -1, 1), still


@dataclass(frozen=True, eq=False)
class Items:
    """Natural items and others, as rows and columns of a matrix of similarities.

    Attributes
    ----------
    words, speakers
        (item,) as numbers. Items of one speaker are never compared with each other.
    condition
        (item,) 0 for natural items, then the number of the condition.
    """

    words: np.ndarray
    speakers: np.ndarray
    condition: np.ndarray

    def rows(self, condition: int) -> np.ndarray:
        """Return the positions of the items of a condition."""
        return np.flatnonzero(self.condition == condition)


@dataclass(frozen=True, eq=False)
class Similarities:
    """Mean similarities, (draw, word): natural items of the word to each other, to those of other words, and others."""

    within: np.ndarray
    between: np.ndarray
    others: np.ndarray

    @property
    def normalised(self) -> np.ndarray:
        """Where the others stand between different words, 0, and the same word, 1, of the means over words, (draw,)."""
        within, between, others = (one.mean(axis=1) for one in (self.within, self.between, self.others))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(within > between, (others - between) / (within - between), np.nan)


def mean_similarities(matrix: np.ndarray, items: Items, condition: int, weights: np.ndarray) -> Similarities:
    """Average similarities of pairs by different speakers.

    Parameters
    ----------
    matrix
        (item, item) from `similarity_matrix`.
    items
        What they are of.
    condition
        Whose similarity to natural items of the same word is wanted.
    weights
        (draw, item) how often each item was drawn; ones for the items themselves.
    """
    natural, made = items.rows(0), items.rows(condition)
    same = items.words[natural][:, None] == items.words[natural]
    apart = items.speakers[natural][:, None] != items.speakers[natural]
    square, own = matrix[np.ix_(natural, natural)], weights[:, natural]
    member = (items.words[natural][:, None] == np.arange(items.words.max() + 1)).astype(float)
    within = _mean(square, same & apart, own, own, member)
    between = _mean(square, ~same & apart, own, own, member)
    both = (items.words[made][:, None] == items.words[natural]) & (
        items.speakers[made][:, None] != items.speakers[natural]
    )
    made_member = (items.words[made][:, None] == np.arange(items.words.max() + 1)).astype(float)
    others = _mean(matrix[np.ix_(made, natural)], both, weights[:, made], own, made_member)
    return Similarities(within, between, others)


def _mean(
    matrix: np.ndarray, pairs: np.ndarray, rows: np.ndarray, columns: np.ndarray, member: np.ndarray
) -> np.ndarray:
    """Return the weighted mean over pairs, by the word of the row, (draw, word); NaN where none was drawn."""
    total = (rows * (columns @ (matrix * pairs).T)) @ member
    count = (rows * (columns @ pairs.T.astype(float))) @ member
    with np.errstate(invalid="ignore"):
        return total / count


def draw_items(items: Items, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each item is drawn, (draw, item): natural speakers, and other items within words.

    Items that were made of a natural speaker's tokens are drawn with the speaker.
    """
    weights = np.zeros((draws, len(items.words)))
    natural = np.unique(items.speakers[items.condition == 0])
    drawn = rng.multinomial(len(natural), np.full(len(natural), 1 / len(natural)), size=draws)
    known = np.isin(items.speakers, natural)
    weights[:, known] = drawn[:, np.searchsorted(natural, items.speakers[known])]
    for word in range(items.words.max() + 1):
        # One start before and after its steps is one start.
        starts = np.unique(items.speakers[~known & (items.words == word)])
        if len(starts):
            drawn = rng.multinomial(len(starts), np.full(len(starts), 1 / len(starts)), size=draws)
            rows = np.flatnonzero(~known & (items.words == word))
            weights[:, rows] = drawn[:, np.searchsorted(starts, items.speakers[rows])]
    return weights
