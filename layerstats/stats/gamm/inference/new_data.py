"""New rows coded like the rows that a model was fitted to, and which of its terms to leave out."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from layerstats.checks import check_complete
from layerstats.errors import ArgumentError, DataError, FormulaError
from layerstats.stats.gamm.data.factors import copies_of, level_names
from layerstats.stats.gamm.engine_interface import EngineFit, FitRequest
from layerstats.stats.gamm.formula.parser import parse_formula
from layerstats.stats.gamm.formula.terms import Formula


def resolve_exclude(formula: Formula, fit: EngineFit, exclude: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that `exclude` means: labels as fitted, or terms as in the formula with all their levels.

    Raises
    ------
    ArgumentError
        A name is neither.
    """
    if isinstance(exclude, str):
        exclude = (exclude,)
    parametric = ["(Intercept)", *fit.parametric_terms]
    found: list[str] = []
    for name in exclude:
        squeezed = name.replace(" ", "")
        matching = [
            part.label
            for part in fit.smooth_parts
            if squeezed in (part.label.replace(" ", ""), part.written.term.replace(" ", ""))
        ]
        matching += [label for label in parametric if label.replace(" ", "") == squeezed]
        if not matching:
            positions = _written_positions(formula, name)
            matching = [part.label for part in fit.smooth_parts if part.written.position in positions]
        if not matching:
            allowed = ", ".join(map(repr, [*parametric, *(part.label for part in fit.smooth_parts)]))
            raise ArgumentError(
                f"Invalid value for the 'exclude' parameter. Allowed values are {allowed}, but got {name!r} instead."
            )
        found += matching
    return tuple(dict.fromkeys(found))


def _written_positions(formula: Formula, text: str) -> list[int]:
    """Return the places of the smooths of a formula that `text` is, however it is spelled."""
    try:
        read = parse_formula(f"y ~ {text}").smooths
    except FormulaError:
        return []
    return [number for number, smooth in enumerate(formula.smooths) if read == (smooth,)]


def random_labels(fit: EngineFit) -> tuple[str, ...]:
    """Return the fitted labels of the random smooths."""
    return tuple(part.label for part in fit.smooth_parts if part.written.random)


def needed_columns(fit: EngineFit, exclude: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that the terms which are not excluded use."""
    used = [columns for label, columns in fit.parametric_terms.items() if label not in exclude]
    used += [part.written.columns for part in fit.smooth_parts if part.label not in exclude]
    return tuple(dict.fromkeys(column for columns in used for column in columns))


def code_new_data(request: FitRequest, fit: EngineFit, new_data: pd.DataFrame, exclude: Sequence[str]) -> pd.DataFrame:
    """Return `new_data` with every predictor of the model, factors coded as in the fit.

    An ordered copy of a factor follows its factor where it is absent; columns that only excluded terms need are filled
    with any value that the engine accepts.

    Raises
    ------
    DataError
        A needed column is absent or incomplete, or holds a level that the model has not seen.
    """
    if not isinstance(new_data, pd.DataFrame):
        raise ArgumentError(f"The new data must be a pandas DataFrame, but got {type(new_data).__name__} instead.")
    new_data = new_data.set_axis(list(map(str, new_data.columns)), axis=1)
    if not len(new_data):
        raise DataError("The new data have no rows.")
    needed = needed_columns(fit, exclude)
    predictors = [column for column in request.frame.columns if column not in request.formula.response_only]
    coded = pd.DataFrame(index=range(len(new_data)))
    for column in predictors:
        model_values = request.frame[column]
        source = _source(request.frame, new_data, column)
        is_factor = isinstance(model_values.dtype, pd.CategoricalDtype)
        if source is None or column not in needed:
            if column in needed:
                raise DataError(f"Column {column!r} is needed by the model and is not in the new data.")
            filler = model_values.iloc[0]
            coded[column] = (
                pd.Categorical([filler] * len(new_data), dtype=model_values.dtype) if is_factor else float(filler)
            )
            continue
        check_complete(new_data, [source], "the new data")
        if is_factor:
            coded[column] = _known_levels(level_names(new_data.loc[:, source]).to_list(), request.frame, column)
        else:
            try:
                coded[column] = new_data[source].to_numpy(dtype=float)
            except (TypeError, ValueError) as error:
                raise DataError(
                    f"Column {column!r} of the new data must hold numbers, as in the fit ({error})."
                ) from error
    return coded


def _source(frame: pd.DataFrame, new_data: pd.DataFrame, column: str) -> str | None:
    if column in new_data.columns:
        return column
    if isinstance(frame[column].dtype, pd.CategoricalDtype):
        return next((copy for copy in copies_of(frame, column) if copy in new_data.columns), None)
    return None


def _known_levels(values: list[str], frame: pd.DataFrame, column: str) -> pd.Categorical:
    model_values = frame[column]
    known = list(map(str, model_values.cat.categories))
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise DataError(
            f"Column {column!r} of the new data holds {', '.join(map(repr, unknown[:10]))}, which the model has not "
            f"seen. Its levels are {', '.join(known[:20])}. To predict without the term, name it in 'exclude'."
        )
    return pd.Categorical(values, dtype=model_values.dtype)
