"""One number with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from layerstats.tables import check_frame
from layerstats.tables.printing import text_table


@dataclass(frozen=True, repr=False)
class IntervalEstimate:
    """One estimate with its interval.

    Attributes
    ----------
    estimate, conf_low, conf_high
        The number and the ends of its interval.
    conf_level
        Of the interval.
    method
        What the estimate and its interval are, in words.
    notes
        What to know when reading it.

    Examples
    --------
    >>> IntervalEstimate(0.75, 0.5, 0.875, 0.95, "Wilson").table[["estimate", "conf_low"]].values.tolist()
    [[0.75, 0.5]]
    """

    estimate: float
    conf_low: float
    conf_high: float
    conf_level: float
    method: str
    notes: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """One row: ``estimate, conf_low, conf_high, conf_level, method``."""
        names = ("estimate", "conf_low", "conf_high", "conf_level", "method")
        return check_frame(pd.DataFrame({name: [getattr(self, name)] for name in names}))

    def __repr__(self) -> str:
        return "\n\n".join([text_table(self.table), *(f"note: {note}" for note in self.notes)])
