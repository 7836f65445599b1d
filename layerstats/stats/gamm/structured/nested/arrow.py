"""Symmetric matrices over the dense corner and the groups that are zero between one group and another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Arrow:
    """Such a matrix, with what groups of one kind share written once.

    Attributes
    ----------
    corner
        (column, column) over the dense corner.
    border
        (kind, function, column) of one group of each kind.
    block
        (kind, function, function) of one group of each kind.
    """

    corner: np.ndarray
    border: np.ndarray
    block: np.ndarray

    @classmethod
    def zeros(cls, kinds: int, functions: int, columns: int) -> Arrow:
        """Return the matrix of zeros."""
        return cls(
            np.zeros((columns, columns)), np.zeros((kinds, functions, columns)), np.zeros((kinds, functions, functions))
        )

    def reduced(self, elimination: np.ndarray, count: np.ndarray) -> Arrow:
        """Return the matrix along the directions [1, -V'], V = `elimination`, in place of those of the dense corner.

        Parameters
        ----------
        elimination
            (kind, function, column)
        count
            (kind,) groups of each kind.
        """
        border = self.border - self.block @ elimination
        half = gram(count[:, None, None] * elimination, self.border)
        return Arrow(self.corner - half - gram(count[:, None, None] * border, elimination), border, self.block)


def gram(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the sum over kinds of first' second, (column, column), for (kind, function, column) each."""
    return first.reshape(-1, first.shape[2]).T @ second.reshape(-1, second.shape[2])
