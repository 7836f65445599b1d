"""``offset()``: what is known of the linear predictor, with no coefficient to estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from layerstats.stats.gamm.engine_interface import Design, FitRequest, ModelRequest
from layerstats.stats.gamm.formula.expression import Call, Expression, can_evaluate, evaluate
from layerstats.stats.gamm.formula.terms import Formula, ParametricTerm
from layerstats.stats.gamm.structured.unsupported import Unsupported

# The term of its column in a design, as of mgcv's.
_TERM = "offset"


def check_offset(term: ParametricTerm, frame: pd.DataFrame) -> None:
    """Refuse an offset that is not evaluated here.

    Raises
    ------
    Unsupported
        With the term.
    """
    factor = any(isinstance(frame[column].dtype, pd.CategoricalDtype) for column in term.columns)
    if factor or not can_evaluate(_inside(term)):
        raise Unsupported(f"the offset {term}")


def offset_of(formula: Formula, frame: pd.DataFrame, exclude: Sequence[str] = ()) -> np.ndarray | None:
    """Return what the offset of a formula adds to the linear predictor, (row,); None without one, or in `exclude`."""
    terms = [term for term in formula.parametric if term.is_offset and term.label not in exclude]
    return evaluate(_inside(terms[0]), frame) if terms else None


def _inside(term: ParametricTerm) -> Expression:
    call = term.factors[0]
    assert isinstance(call, Call)  # a term that is an offset
    return call.arguments[0].value


def response_of(request: ModelRequest) -> np.ndarray:
    """Return the response less the offset, (row,); zeros where responses come later and only columns count."""
    if not isinstance(request, FitRequest):
        return np.zeros(len(request.frame))
    offset = offset_of(request.formula, request.frame)
    return request.response_values if offset is None else request.response_values - offset


def with_offset(design: Design, formula: Formula, new_data: pd.DataFrame, exclude: Sequence[str]) -> Design:
    """Return `design` with the offset as a column whose coefficient is known to be 1."""
    offset = offset_of(formula, new_data, exclude)
    if offset is None:
        return design
    return replace(
        design,
        matrix=np.column_stack([design.matrix, offset]),
        coefficients=np.append(design.coefficients, 1.0),
        covariance=np.pad(design.covariance, (0, 1)),
        term_of_column=(*design.term_of_column, _TERM),
    )
