"""Entropy and mutual information of contingency tables, many at a time; in bits."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, xlogy

_BIT = np.log(2)
# Pairs of a cell and a count that are in memory at a time.
_PAIRS = 4_000_000


def entropy(counts: np.ndarray) -> np.ndarray:
    """Return the entropy of the last axis in bits; NaN where nothing was counted.

    It is that of the observed shares, which is less than the true one where counts are few.

    Examples
    --------
    >>> entropy(np.array([[4, 4, 0], [8, 0, 0]]))
    array([1., 0.])
    """
    total = counts.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (np.log(total) - xlogy(counts, counts).sum(axis=-1) / total) / _BIT


def conditional_entropy(tables: np.ndarray) -> np.ndarray:
    """Return the entropy of the column given the row of tables (..., row, column) in bits, the mean over tokens."""
    by_row = entropy(tables)
    weights = tables.sum(axis=-1)
    return np.where(weights > 0, by_row * weights, 0.0).sum(axis=-1) / weights.sum(axis=-1)


def mutual_information(tables: np.ndarray) -> np.ndarray:
    """Return the mutual information of row and column of tables (..., row, column) in bits."""
    return entropy(tables.sum(axis=-2)) - conditional_entropy(tables)


def adjusted_mutual_information(tables: np.ndarray) -> np.ndarray:
    """Return the mutual information of row and column beyond chance: 0 is what chance gives, 1 the same partition.

    ``(MI - E) / ((H(row) + H(column)) / 2 - E)`` with E the expected mutual information of a table with the same
    margins (Vinh, Epps & Bailey 2010, Eq. 24a and the AMI with the mean of the entropies). NaN where the margins leave
    no room for more than chance gives.

    Parameters
    ----------
    tables
        (table, row, column)

    Examples
    --------
    >>> adjusted_mutual_information(np.array([[[5, 0], [0, 5]]]))
    array([1.])
    """
    expected = expected_mutual_information(tables.sum(axis=-1), tables.sum(axis=-2))
    mean = (entropy(tables.sum(axis=-1)) + entropy(tables.sum(axis=-2))) / 2
    room = mean - expected
    return np.where(room > 1e-12, (mutual_information(tables) - expected) / np.where(room > 1e-12, room, 1.0), np.nan)


def expected_mutual_information(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the mean mutual information in bits over all tables with given margins, as random pairing gives them.

    Vinh, Epps & Bailey (2010), Eq. 24a. A cell adds an amount that depends only on its two margins and on the total,
    and few different ones occur, so that each is computed once.

    Parameters
    ----------
    rows, columns
        (table, row), (table, column) whole numbers.
    """
    total = rows.sum(axis=1)
    first, times_first = _distinct(rows)
    second, times_second = _distinct(columns)
    cells = np.stack(np.broadcast_arrays(total[:, None, None], first[:, :, None], second[:, None, :]), axis=-1).reshape(
        -1, 3
    )
    different, place = np.unique(cells, axis=0, return_inverse=True)
    amounts = _expected_amounts(different.astype(float))[place.ravel()]
    weights = times_first[:, :, None] * times_second[:, None, :]
    return (amounts.reshape(weights.shape) * weights).sum(axis=(1, 2)) / _BIT


def _distinct(margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different values in each row of `margins` and how often they occur, zeros where a row has fewer."""
    ordered = np.sort(margins.astype(np.int64), axis=1)
    starts = np.ones(ordered.shape, dtype=bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    run = np.cumsum(starts, axis=1) - 1
    width = int(run.max()) + 1
    table = np.broadcast_to(np.arange(len(margins))[:, None], run.shape)
    values, times = np.zeros((2, len(margins), width), dtype=np.int64)
    values[table, run] = ordered
    np.add.at(times, (table, run), 1)
    return values, times


def _expected_amounts(cells: np.ndarray) -> np.ndarray:
    """Return what cells with (total, row margin, column margin) add to the expected mutual information, in nats."""
    amounts = np.zeros(len(cells))
    span = int(cells[:, 1:].min(axis=1).max(initial=0)) + 1
    block = max(1, _PAIRS // span)
    for start in range(0, len(cells), block):
        own = cells[start : start + block]
        total, row, column = own[:, :1], own[:, 1:2], own[:, 2:]
        counts = np.arange(1, span)
        cell, step = np.nonzero((counts <= np.minimum(row, column)) & (counts >= row + column - total))
        count = counts[step]
        n, a, b = (values[cell, 0] for values in (total, row, column))
        # The hypergeometric distribution of the count.
        margins = gammaln(a + 1) + gammaln(b + 1) + gammaln(n - a + 1) + gammaln(n - b + 1)
        inside = gammaln(count + 1) + gammaln(a - count + 1) + gammaln(b - count + 1) + gammaln(n - a - b + count + 1)
        share = np.exp(margins - inside - gammaln(n + 1))
        amounts[start : start + block] = np.bincount(
            cell, weights=share * count / n * np.log(n * count / (a * b)), minlength=len(own)
        )
    return amounts
