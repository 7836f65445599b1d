"""A user's table made ready for any engine: checked, sorted and coded, with notes on everything that was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import ArgumentError, DataError, FormulaError, RError
from layerstats.stats.gamm.data.basis_size import check_basis_sizes
from layerstats.stats.gamm.data.cell_checks import check_cells, present_rows
from layerstats.stats.gamm.data.expression_checks import check_expressions
from layerstats.stats.gamm.data.factors import (
    FactorLevels,
    OrderedCopies,
    check_factor_options,
    code_factors,
    number_notes,
)
from layerstats.stats.gamm.data.series_rows import series_columns, sort_series
from layerstats.stats.gamm.formula.expression import Expression, Name, can_evaluate, evaluate
from layerstats.stats.gamm.formula.in_r import evaluate_in_r
from layerstats.stats.gamm.formula.terms import Formula
from layerstats.tables.column_types import is_number
from layerstats.tables.read import notes_of

# Bases of which every variable is a number.
_OF_NUMBERS = {"tp", "ts", "cr", "cs", "cc", "ps", "cp", "bs", "ds", "gp", "ad", "so", "sos"}
# The others of mgcv.
_OTHER_BASES = {"re", "fs", "sz", "mrf", "sf", "sw"}


@dataclass(frozen=True, eq=False)
class PreparedData:
    """What a fit needs of a table.

    Attributes
    ----------
    frame
        The columns of the formula, rows in order of series, factors coded.
    response_values
        (row,) after the transformation in the formula; none of a one-sided formula.
    positions
        (row,) where each row stood in the user's table; rows that were left out are not among them.
    index
        The index of the user's table, all of it.
    series_start
        (row,) True where a series begins, or None.
    series_gaps
        (row,) as in `FitRequest`.
    weights
        (row,) or None.
    notes
        What was decided for the user.
    """

    frame: pd.DataFrame
    response_values: np.ndarray | None
    positions: np.ndarray
    index: pd.Index
    series_start: np.ndarray | None
    series_gaps: np.ndarray | None
    weights: np.ndarray | None
    notes: tuple[str, ...]


def prepare_data(
    formula: Formula,
    data: pd.DataFrame,
    *,
    factors: FactorLevels | None = None,
    ordered: OrderedCopies | None = None,
    series: str | Sequence[str] | None = None,
    order: str | None = None,
    autoregressive: bool = False,
    gaps: str = "adjacent",
    weights: str | Sequence[float] | None = None,
    na: str = "error",
) -> PreparedData:
    """Check, sort and code `data` for `formula`.

    Raises
    ------
    FormulaError
        The formula uses a column that is not there, or a factor where a number belongs.
    DataError
        Missing or infinite values (with ``na="omit"`` rows with missing ones are left out), text among numbers,
        duplicated rows in a series, factors with one level, too large a basis.
    ArgumentError
        `series` and `order` are incomplete, or levels or weights do not fit the data.
    """
    data = _checked_table(data)
    check_factor_options(factors, ordered)
    formula.check_columns([*map(str, data.columns), *(ordered or {})])
    columns, order, notes = series_columns(data, series, order, autoregressive)
    sources = [source for source, _ in (ordered or {}).values()]
    needed = [*formula.columns, *(factors or {}), *sources]
    check_columns(data, [column for column in needed if column not in (ordered or {})], "the data")
    named = [*columns, order, weights] if isinstance(weights, str) else [*columns, order]
    data = _with_numbers(data, formula.columns)
    required = dict.fromkeys(column for column in (*formula.columns, *sources, *named) if column in data.columns)
    present, missing_notes = present_rows(data, list(required), na)
    check_cells(data, [column for column in formula.columns if column not in {*(factors or {}), *sources}])
    row_weights = _weights(data, weights, present)
    rows = data if len(present) == len(data) else data.iloc[present]
    positions, start, series_gaps = np.arange(len(rows)), None, None
    if order is not None:
        sorted_rows = sort_series(rows, columns, order, gaps)
        positions, start, series_gaps = sorted_rows.positions, sorted_rows.start, sorted_rows.gaps
        notes += sorted_rows.notes
    kept = list(dict.fromkeys(column for column in needed if column in data.columns))
    coded, factor_notes = code_factors(rows[kept].iloc[positions].reset_index(drop=True), formula, factors, ordered)
    _check_kinds(formula, coded)
    check_expressions(formula, coded)
    check_basis_sizes(coded, formula.smooths)
    return PreparedData(
        frame=coded,
        response_values=_response(formula, coded),
        positions=present[positions],
        index=data.index,
        series_start=start,
        series_gaps=series_gaps,
        weights=None if row_weights is None else row_weights[positions],
        notes=(
            *notes_of(data),
            *missing_notes,
            *factor_notes,
            *number_notes(formula, coded),
            *_rounded(formula),
            *notes,
        ),
    )


def _checked_table(data: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns are called by texts, each by its own."""
    if not isinstance(data, pd.DataFrame):
        raise ArgumentError(f"The data must be a pandas DataFrame, but got {type(data).__name__} instead.")
    data = data.set_axis(list(map(str, data.columns)), axis=1)
    if data.columns.has_duplicates:
        twice = data.columns[data.columns.duplicated()][0]
        raise DataError(f"Column {twice!r} appears more than once in the data.")
    if len(data) == 0:
        raise DataError("The data have no rows.")
    return data


def _with_numbers(data: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return data whose columns of Python's numbers are numbers, as they are where a table was put together by rows."""
    objects = [column for column in columns if column in data.columns and data[column].dtype == object]
    inferred = {column: data[column].infer_objects() for column in objects}
    numbers = {column: values for column, values in inferred.items() if pd.api.types.is_numeric_dtype(values)}
    return data.assign(**numbers) if numbers else data


def _rounded(formula: Formula) -> list[str]:
    return [
        f"{smooth}: k is rounded to {', '.join(map(str, smooth.basis_dimensions or ()))}."
        for smooth in formula.smooths
        if smooth.rounded_dimensions
    ]


def _weights(data: pd.DataFrame, weights: str | Sequence[float] | None, present: np.ndarray) -> np.ndarray | None:
    """Return the weights of the rows that are present."""
    if weights is None:
        return None
    if isinstance(weights, str):
        check_columns(data, [weights], "the data (named in 'weights')")
        weights = data[weights].to_list()
    try:
        values = np.asarray(weights, dtype=float)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"'weights' must be numbers, one a row, or a column of them ({error}).") from error
    if values.shape != (len(data),):
        raise ArgumentError(f"'weights' must have one value a row ({len(data)}), but has shape {values.shape}.")
    values = values[present]
    if not np.all(np.isfinite(values)) or np.any(values < 0) or not np.any(values > 0):
        raise ArgumentError(
            f"'weights' must be positive numbers, or zero, but {int(np.sum(~(values > 0)))} of them are not positive."
        )
    return values


def _check_kinds(formula: Formula, frame: pd.DataFrame) -> None:
    """Refuse factors where numbers belong, numbers where factors belong, and bases that there are not."""
    categorical = {column for column in frame.columns if isinstance(frame[column].dtype, pd.CategoricalDtype)}
    for smooth in formula.smooths:
        unknown = sorted({*smooth.bases} - _OF_NUMBERS - _OTHER_BASES - {"?"})
        if unknown:
            raise FormulaError(
                f"{smooth} has the basis {unknown[0]!r}, and mgcv has none of that name. Bases are "
                f"{', '.join(sorted(_OF_NUMBERS | _OTHER_BASES))}."
            )
        names = [variable.name for variable in smooth.variables if isinstance(variable, Name)]
        in_smooth = [name for name in names if name in categorical]
        if len(names) < len(smooth.variables):
            continue  # an expression may be either; R knows
        if smooth.bases[0] == "fs" and len(in_smooth) != 1:
            raise FormulaError(
                f"A factor smooth needs exactly one factor, but {smooth} has {len(in_smooth)}. Numbers become a factor "
                f"with factors={{{names[-1]!r}: None}}."
            )
        if in_smooth and not smooth.random and set(smooth.bases) <= _OF_NUMBERS:
            levels = frame[in_smooth[0]].cat.categories
            advice = (
                "Its levels are numbers that are kept as text: make numbers of them with pandas.to_numeric()."
                if all(is_number(str(level)) for level in levels)
                else f'Use it as by = {in_smooth[0]}, or as a random effect: s({in_smooth[0]}, bs = "re").'
            )
            raise FormulaError(f"{smooth.label} is a smooth of the factor {in_smooth[0]!r}. {advice}")


def _evaluated_in_r(response: Expression, formula: Formula, frame: pd.DataFrame) -> np.ndarray:
    try:
        return evaluate_in_r(response, formula, frame)
    except RError as error:
        raise FormulaError(
            f"Only R can evaluate the response {response}, and it did not: {error} Make a column of it first."
        ) from error


def _response(formula: Formula, frame: pd.DataFrame) -> np.ndarray | None:
    response = formula.response
    if response is None:
        return None
    read_here = can_evaluate(response)
    for column in formula.response_columns if read_here else ():
        if not pd.api.types.is_numeric_dtype(frame[column]):
            raise DataError(
                f"The response {column!r} must hold numbers, but holds text such as {str(frame[column].iloc[0])!r}."
            )
    values = evaluate(response, frame) if read_here else _evaluated_in_r(response, formula, frame)
    bad = ~np.isfinite(values)
    if bad.any():
        raise DataError(
            f"{response} is not a finite number in {int(bad.sum())} of {len(values)} rows: the values of "
            f"{', '.join(formula.response_columns)} are outside the domain of the transformation."
        )
    if np.ptp(values) == 0:
        raise DataError(f"The response {response} is {values[0]:g} in every row; there is nothing to model.")
    return values
