"""What every basis offers, and the values that one is built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Values:
    """The different values of a covariate in the data, and how many rows have each.

    Attributes
    ----------
    unique
        (value,) in ascending order; (value, covariate) where it is of several covariates together.
    counts
        (value,) rows of the data.
    """

    unique: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, counts: np.ndarray | None = None) -> Values:
        """Count `values`, each of which stands for `counts` rows.

        Examples
        --------
        >>> Values.of(np.array([3.0, 1.0, 3.0])).counts
        array([1., 2.])
        """
        unique, place = np.unique(values, axis=0, return_inverse=True)
        return cls(unique, np.bincount(place.ravel(), weights=counts, minlength=len(unique)).astype(float))


class Basis(Protocol):
    """A spline basis of one covariate.

    Attributes
    ----------
    penalty
        (coefficient, coefficient), symmetric and positive semidefinite.
    null_dimension
        Dimension of the functions that the penalty leaves alone.
    """

    @property
    def penalty(self) -> np.ndarray:
        """The penalty."""
        ...

    @property
    def null_dimension(self) -> int:
        """Dimension of what the penalty does not see."""
        ...

    def rows(self, values: np.ndarray) -> np.ndarray:
        """Return the basis functions at `values`, (value, coefficient)."""
        ...
