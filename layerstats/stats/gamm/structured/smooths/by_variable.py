"""The ``by`` variable of a smooth: which copies of the smooth there are, and what each is multiplied by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.stats.gamm.formula.expression import Expression, Name
from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.structured.smooths.options import check_number, is_factor, numbers


@dataclass(frozen=True)
class Copy:
    """One copy of a smooth.

    Attributes
    ----------
    label
        The label of the smooth with that of the copy.
    by
        The variable, or None where the smooth stands alone.
    level
        The level of a factor in whose rows the copy stands; None where `by` is a number.
    """

    label: str
    by: Expression | None = None
    level: str | None = None

    def multiply(self, functions: np.ndarray, frame: pd.DataFrame) -> np.ndarray:
        """Return the rows of the copy, given those of the smooth."""
        if self.by is None:
            return functions
        if self.level is None:
            return functions * numbers(self.by, frame)[:, None]
        assert isinstance(self.by, Name)  # a factor is a column
        return functions * (frame[self.by.name] == self.level).to_numpy()[:, None]


def copies(smooth: SmoothTerm, frame: pd.DataFrame) -> tuple[Copy, ...]:
    """Return the copies of a smooth: one a level of a factor, without the reference where the factor is ordered.

    Raises
    ------
    Unsupported
        The variable is an expression that is not evaluated here.
    """
    if smooth.by is None:
        return (Copy(smooth.label),)
    if not is_factor(frame, smooth.by):
        check_number(frame, smooth.by)
        return (Copy(smooth.label, smooth.by),)
    assert isinstance(smooth.by, Name)
    dtype = frame[smooth.by.name].dtype
    assert isinstance(dtype, pd.CategoricalDtype)
    levels = list(map(str, dtype.categories))
    return tuple(
        Copy(f"{smooth.label}{level}", smooth.by, level) for level in (levels[1:] if dtype.ordered else levels)
    )


def is_centred(smooth: SmoothTerm, frame: pd.DataFrame) -> bool:
    """Return whether a smooth with this ``by`` is centred: not where it is multiplied by a number that varies.

    Such a smooth is identifiable as it is, and its constant is the effect of the number itself.
    """
    if smooth.by is None or is_factor(frame, smooth.by):
        return True
    return bool(np.ptp(numbers(smooth.by, frame)) == 0)
