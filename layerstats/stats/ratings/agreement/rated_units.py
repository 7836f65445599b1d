"""Ratings of units by raters, as measures of agreement take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import DataError


@dataclass(frozen=True, eq=False)
class RatedUnits:
    """What each rater said of each unit; a rating that is missing is none.

    Attributes
    ----------
    units
        (rating,) numbers of what was rated.
    codes
        (rating,) numbers of the values that were given.
    given
        (value,) what they are, sorted; text where they are no numbers.
    notes
        What is counted otherwise, in sentences.
    """

    units: np.ndarray
    codes: np.ndarray
    given: np.ndarray
    notes: tuple[str, ...]

    @classmethod
    def of(cls, data: pd.DataFrame, value: str, unit: str, *, numeric: bool) -> RatedUnits:
        """Read a table with a row a rating: the columns ``rater``, `unit` and `value`.

        Raises
        ------
        DataError
            A column is missing, a rating is no number where one is needed, or there are none.
        """
        check_columns(data, ["rater", unit, value], "the ratings")
        rows = np.array(data[value].notna(), dtype=bool)
        if "role" in data:
            rows &= np.asarray(data["role"] == "test", dtype=bool)
        table = pd.DataFrame(data.loc[rows])
        if table.empty:
            raise DataError(f"Nobody rated anything: column {value!r} of the ratings has no values of the role 'test'.")
        check_complete(table, ["rater", unit], "the ratings")
        given = table[value]
        if numeric:
            numbers = np.asarray(pd.to_numeric(given, errors="coerce"), dtype=float)
            bad = np.flatnonzero(~np.isfinite(numbers))
            if len(bad):
                raise DataError(
                    f"A rating is no number: {given.tolist()[bad[0]]!r} at row {table.index[bad[0]]}. The level "
                    "'nominal' takes texts."
                )
            codes, values = pd.factorize(numbers, sort=True)
        else:
            codes, values = pd.factorize(np.asarray(given.astype(str), dtype=object), sort=True)
        units = pd.factorize(table[unit].astype(str), sort=True)[0]
        again = int(table.duplicated(["rater", unit]).sum())
        notes = (f"{again} ratings are of a {unit} that the rater rated before; they count as those of others.",)
        return cls(units, codes, np.asarray(values), notes if again else ())
