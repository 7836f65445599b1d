"""Tokens counted by two labels: as they are, with speakers drawn anew, and with one label permuted within speakers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

# Cells of contingency tables that are in memory at a time: 160 MB.
_CELLS = 20_000_000


@dataclass(frozen=True, eq=False)
class Labelled:
    """Tokens with two labels and a cluster, as numbers.

    Attributes
    ----------
    row_of, column_of, cluster_of
        (token,) the word, the code and the speaker of each token.
    rows, columns
        Names of the words and of the codes.
    clusters
        Number of speakers.
    """

    row_of: np.ndarray
    column_of: np.ndarray
    cluster_of: np.ndarray
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    clusters: int

    @classmethod
    def of(
        cls, frame: pd.DataFrame, row: str, column: str, rows: tuple[str, ...], columns: tuple[str, ...]
    ) -> Labelled:
        """Look the words (`row`) and codes (`column`) of a frame up in `rows` and `columns`, which numbers them."""
        clusters, names = pd.factorize(frame["speaker"])
        return cls(
            pd.Index(rows).get_indexer(pd.Index(frame[row])),
            pd.Index(columns).get_indexer(pd.Index(frame[column])),
            np.asarray(clusters),
            rows,
            columns,
            len(names),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of words and of codes."""
        return len(self.rows), len(self.columns)

    def table(self) -> np.ndarray:
        """Return the tokens of each word and code, (word, code)."""
        return np.bincount(self._cells(self.row_of), minlength=self._size).reshape(self.shape)

    def drawn_tables(self, generator: np.random.Generator, sizes: Iterable[int]) -> Iterator[np.ndarray]:
        """Yield tables (draw, word, code) of speakers drawn with replacement; `sizes` at a time."""
        by_cluster = sparse.csr_array(
            (np.ones(len(self.row_of)), (self.cluster_of, self._cells(self.row_of))), shape=(self.clusters, self._size)
        )
        chances = np.full(self.clusters, 1 / self.clusters)
        for size in sizes:
            times = generator.multinomial(self.clusters, chances, size=size)
            yield (times @ by_cluster).reshape(size, *self.shape)

    def permuted_tables(self, generator: np.random.Generator, sizes: Iterable[int]) -> Iterator[np.ndarray]:
        """Yield tables (draw, word, code) in which words are permuted within speakers; `sizes` at a time."""
        order = np.argsort(self.cluster_of, kind="stable")
        cluster, column = self.cluster_of[order], self.column_of[order]
        for size in sizes:
            # Clusters keep their places; within them the order is random.
            keys = cluster + generator.random((size, len(order)))
            shuffled = self.row_of[order][np.argsort(keys, axis=1)]
            cells = shuffled * len(self.columns) + column + self._size * np.arange(size)[:, None]
            counts = np.bincount(cells.ravel(), minlength=size * self._size)
            yield counts.reshape(size, *self.shape).astype(float)

    @property
    def _size(self) -> int:
        return len(self.rows) * len(self.columns)

    def _cells(self, row_of: np.ndarray) -> np.ndarray:
        return row_of * len(self.columns) + self.column_of


def block_sizes(draws: int, *labelled: Labelled) -> list[int]:
    """Return how many draws to take at a time, so that memory is bounded. Numbers do not depend on it."""
    cells = max(max(len(one.row_of), one.shape[0] * one.shape[1]) for one in labelled)
    most = max(1, _CELLS // cells)
    return [min(most, draws - start) for start in range(0, draws, most)]
