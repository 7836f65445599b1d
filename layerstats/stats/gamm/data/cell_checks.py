"""Cells that a model cannot take as they stand: missing ones, and text among numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_complete
from layerstats.errors import DataError
from layerstats.tables.column_types import has_decimal_commas, slips, unit_of
from layerstats.tables.read import notes_of, row_name

NA = ("error", "omit")


def present_rows(data: pd.DataFrame, columns: Sequence[str], na: str) -> tuple[np.ndarray, list[str]]:
    """Return the positions of the rows that a model of these columns can use, and what was left out.

    Parameters
    ----------
    na
        ``"error"``: no value may be missing; ``"omit"``: rows where one is are left out.

    Raises
    ------
    DataError
        Values are missing, or infinite, or missing in every row.
    """
    check_choice("na", na, NA)
    if na == "error":
        advice = "Either impute or drop these rows; na='omit' leaves out those with missing values."
        advice = " ".join([advice, *(note for note in notes_of(data) if "taken as missing" in note)])
        check_complete(data, columns, "the data", advice)
        return np.arange(len(data)), []
    missing = {column: data[column].isna().to_numpy(dtype=bool) for column in columns}
    incomplete = np.any(list(missing.values()), axis=0) if missing else np.zeros(len(data), dtype=bool)
    if incomplete.all():
        raise DataError(f"Every row of the data has a missing value in {', '.join(map(repr, columns))}.")
    present = np.flatnonzero(~incomplete)
    check_complete(data.iloc[present], columns, "the data")
    if not incomplete.any():
        return present, []
    counts = ", ".join(f"{int(own.sum())} in {column}" for column, own in missing.items() if own.any())
    return present, [f"{int(incomplete.sum())} of {len(data)} rows with missing values were left out ({counts})."]


def check_cells(data: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise `DataError` where a column of text is one of numbers but for a slip, with the first such cell.

    A factor of such a column would have a level for each number.
    """
    for column in columns:
        if column not in data.columns or pd.api.types.is_numeric_dtype(data[column]):
            continue
        if isinstance(data[column].dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(data[column]):
            continue
        factor = f"If it holds labels, say so: factors={{{column!r}: None}}."
        if pd.api.types.is_datetime64_any_dtype(data[column]) or pd.api.types.is_timedelta64_dtype(data[column]):
            raise DataError(
                f"Column {column!r} holds dates or times. Make numbers of them, for instance seconds since the first. "
                f"{factor}"
            )
        odd = slips(data.loc[:, column])
        if len(odd):
            where = row_name(data, odd.index[0])
            others = f" (so do {len(odd) - 1} other cells hold text)" if len(odd) > 1 else ""
            raise DataError(
                f"Column {column!r} holds {odd.iloc[0]!r} in {where}{others}, and numbers in the others. Mend the cell "
                f"or leave out the row. {factor}"
            )
        unit = unit_of(data.loc[:, column])
        if unit is not None:
            raise DataError(
                f"Column {column!r} holds numbers with a unit, such as {str(data[column].iloc[0])!r}: take off "
                f"{unit!r}, or say so where they are labels: factors={{{column!r}: None}}."
            )
        if has_decimal_commas(data.loc[:, column]):
            raise DataError(
                f"Column {column!r} holds numbers with a decimal comma, such as {str(data[column].iloc[0])!r}: read "
                f"the table with read_table(), or decimal=','. {factor}"
            )
