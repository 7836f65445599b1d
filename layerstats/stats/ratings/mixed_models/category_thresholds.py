"""Thresholds between ordered categories, and the free parameters that keep them in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

THRESHOLDS = ("flexible", "equidistant")


@dataclass(frozen=True)
class Thresholds:
    """How the thresholds of a model depend on its parameters.

    Attributes
    ----------
    kind
        ``"flexible"``: every threshold by itself; ``"equidistant"``: the first one and the spacing.
    categories
        The names of the categories, lowest first.
    """

    kind: str
    categories: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many parameters there are."""
        return 2 if self.kind == "equidistant" else len(self.categories) - 1

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters, as the R package ordinal has them."""
        if self.kind == "equidistant":
            return ("threshold.1", "spacing")
        return tuple(self.between)

    @property
    def between(self) -> Sequence[str]:
        """The thresholds themselves: ``"1|2"``, ``"2|3"``."""
        return [f"{low}|{high}" for low, high in zip(self.categories[:-1], self.categories[1:], strict=True)]

    def free(self, reported: np.ndarray) -> np.ndarray:
        """Return the parameters that the optimiser sees: the first threshold, and logarithms of the distances."""
        if self.kind == "equidistant":
            return np.array([reported[0], np.log(reported[1])])
        return np.r_[reported[0], np.log(np.diff(reported))]

    def reported(self, free: np.ndarray) -> np.ndarray:
        """Return what is reported: the thresholds, or the first and the spacing."""
        if self.kind == "equidistant":
            return np.array([free[0], np.exp(free[1])])
        return np.cumsum(np.r_[free[0], np.exp(free[1:])])

    def reported_jacobian(self, free: np.ndarray) -> np.ndarray:
        """Return the derivatives of what is reported in the free parameters, (reported, free)."""
        if self.kind == "equidistant":
            return np.diag([1.0, np.exp(free[1])])
        jacobian = np.tril(np.tile(np.r_[1.0, np.exp(free[1:])], (len(free), 1)))
        return jacobian

    def jacobian(self) -> np.ndarray:
        """Return the derivatives of the thresholds in what is reported, (threshold, reported)."""
        count = len(self.categories) - 1
        if self.kind == "equidistant":
            return np.column_stack([np.ones(count), np.arange(count)])
        return np.eye(count)

    def jacobian_of_shift(self) -> np.ndarray:
        """Return how what is reported moves where all thresholds move by one, (reported,)."""
        return np.array([1.0, 0.0]) if self.kind == "equidistant" else np.ones(self.count)
