"""The different rows of a table: models are built on them, so that cost does not grow with repetitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

# Of a matrix that is made a piece at a time: 16 MB.
PIECE_VALUES = 2_000_000


def pieces(rows: int, columns: int) -> Iterator[slice]:
    """Yield stretches of rows whose columns are in memory together.

    Examples
    --------
    >>> list(pieces(3, 1_000_000))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    step = max(PIECE_VALUES // max(columns, 1), 1)
    for begin in range(0, rows, step):
        yield slice(begin, min(begin + step, rows))


@dataclass(frozen=True, eq=False)
class UniqueRows:
    """The different combinations of values in some columns.

    Attributes
    ----------
    frame
        One row a combination, with all columns of the table (those that do not tell rows apart: as in the first row).
    counts
        (combination,) rows of the table that have it.
    place
        (row,) the combination of each row of the table.
    """

    frame: pd.DataFrame
    counts: np.ndarray
    place: np.ndarray

    @classmethod
    def of(cls, frame: pd.DataFrame, columns: Sequence[str]) -> UniqueRows:
        """Find the different combinations of `columns`, in order of appearance.

        Examples
        --------
        >>> rows = UniqueRows.of(pd.DataFrame({"x": [1, 2, 1], "z": [7, 8, 9]}), ["x"])
        >>> rows.place, rows.counts
        (array([0, 1, 0]), array([2., 1.]))
        """
        place = np.zeros(len(frame), dtype=np.int64)
        for column in columns:
            codes, different = pd.factorize(frame[column])
            place = pd.factorize(place * len(different) + codes)[0]
        first = np.unique(place, return_index=True)[1] if len(columns) else np.array([0])
        return cls(frame.iloc[first], np.bincount(place).astype(float), place)
